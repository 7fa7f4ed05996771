// Reads removal marks and retired objects with the key. Anyone with write access can put an object under such a name;
// only an authentic one proves that a manifest was removed.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "engine/format/keys.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/format/retention.h"
#include "sinks/object_store.h"

namespace drs {

// Why a manifest is not live: its mark, or the entry of a retired object that stands for its mark or fence.
struct Removal : RemovedMark {
  // The store's time of the mark, 0 if it is unknown; for a retired entry its `removed_ns`.
  WallNs stored_ns = 0;
  bool retired = false;  // it has no reason then
  [[nodiscard]] bool is_fence() const { return retired && manifest_digest == Digest{}; }
};
Removal removal_from(const Retired& retired, const RetiredEntry& entry);

// Decodes `object`, stored as `name`, as a removal mark. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<RemovedMark> open_removed(const RepositoryKeys& keys, const std::string& name, ByteView object);

// Lists the names of the retired objects of a stream. Errors: the store's.
Result<std::unordered_set<std::string>> list_retired(ObjectStore& store, const StreamTag& tag);

struct RemovalLook {
  // Retired objects that are passed over. Those that were listed before the session of the manifest was drawn at random
  // cannot name it.
  std::unordered_set<std::string> older = {};
  // Whether a retired object that is damaged is an error. Otherwise it proves nothing.
  enum class Damaged : std::uint8_t { kProvesNothing, kIsAnError } damaged = Damaged::kProvesNothing;
};

// Returns the authentic mark of a manifest, or else the entry of a retired object. Returns nothing if there is none, or
// if the mark is damaged: that proves nothing and must not hide a snapshot. Errors: kUnavailable (retired objects
// vanish each time they are listed), that of a damaged retired object as `look` says, the store's.
Result<std::optional<Removal>> removal_of(const RepositoryKeys& keys, ObjectStore& store,
                                          const std::string& manifest_name, const RemovalLook& look = {});

}  // namespace drs
