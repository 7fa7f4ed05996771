// What a spool does with an object, by its name. A spool knows no names: whoever makes it brings the rule.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

enum class SpoolRole : std::uint8_t {
  kThrough,   // not spooled: straight to the store
  kAnyOrder,  // done once it is durable in the spool; uploaded beside others
  kInOrder,   // the same, but uploaded only after everything that was spooled before it
  kCommit,    // recorded in the spool, uploaded after everything else, and done only once it is in the store
};

struct SpoolRuling {
  SpoolRole role = SpoolRole::kThrough;
  // Of the object, where its name says it. Such a name always means the same bytes: that it is taken is a success.
  std::optional<Digest> sha256;
};

using SpoolRule = std::function<SpoolRuling(std::string_view key)>;

// Makes sure that the objects a commit relies on last (ObjectStore::secure), just before the commit is put. That may be
// hours after they were named: which of them may have gone meanwhile is not for a spool to know. Called with a store of
// the spool's, on any of its threads.
using SpoolSecure = std::function<Result<void>(ObjectStore& store, std::vector<ObjectKey> keys)>;

}  // namespace drs
