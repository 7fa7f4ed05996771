// What a spool does with an object of a given name. A spool does not interpret names: its creator supplies the rule.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

enum class SpoolRole : std::uint8_t {
  kThrough,   // not spooled: put directly into the store
  kAnyOrder,  // done when durable in the spool; uploaded in parallel with others
  kInOrder,   // the same, but uploaded after everything that was spooled before it
  kCommit,    // recorded in the spool, uploaded after everything else, done when it is in the store
};

struct SpoolRuling {
  SpoolRole role = SpoolRole::kThrough;
  // Of the object, if its name contains it. Such a name always means the same bytes, so a taken name is a success.
  std::optional<Digest> sha256;
};

using SpoolRule = std::function<SpoolRuling(std::string_view key)>;

// Secures the objects that a commit relies on (ObjectStore::secure), just before the commit is put. That may be hours
// after they were named; the caller of the spool knows which of them may have been replaced since. Called with a store
// of the spool, on any of its threads.
using SpoolSecure = std::function<Result<void>(ObjectStore& store, std::vector<ObjectKey> keys)>;

}  // namespace drs
