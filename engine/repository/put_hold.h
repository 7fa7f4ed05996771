// Stores holds, and ends them (engine/format/retention.h, Hold; holds.h reads them).
//
// The credentials decide which kind of hold is stored. Those of a pruner, and a local directory, allow kept/: any time,
// and releases. Those of a writer allow only holds/: at most a year, and no release. Both functions try kept/ first.
// Blocking. Threads: that of the repository.
#pragma once

#include <optional>
#include <string>

#include "engine/repository/holds.h"
#include "engine/repository/repository.h"

namespace drs {

struct HoldRequest {
  std::string manifest_name;
  Digest manifest_digest;  // document_identity
  WallNs until_ns = 0;     // 0: for ever
  std::string reason;
  // What happens if the credentials allow only a hold of a year at most, and `until_ns` is later.
  enum class TooLong : std::uint8_t { kRefuse, kShorten } too_long = TooLong::kRefuse;
};

struct HoldReport {
  std::string object_name;  // empty: nothing was stored, since it was so already
  bool by_writer = false;   // under holds/
  // What holds the snapshot now, by all its holds and by the store's time; nothing if it is not held.
  std::optional<HeldSnapshot> held;
};

// Checks what needs no repository; `now_ns`: of this machine's clock. Errors: kUsage (the reason is too long; the time
// has passed).
Result<void> check_hold(const HoldRequest& request, WallNs now_ns);

// Holds a snapshot. After the object is durable, looks for a removal mark and a retired object once more: a forget may
// have run at the same time. Errors: kUsage (as check_hold; there is a hold that ends later: a mistake must not end it;
// the credentials allow only a year; by the store's clock the time has passed),
// kNoSnapshot (the snapshot is removed: nothing was stored), kConflict (it was removed, or its manifest deleted, while
// it was being held: the hold is stored and keeps its data; or the numbers are used up), kDenied (neither kept/ nor
// holds/), kUnavailable (whether it is stored is unknown), that of a damaged retired object that may name the snapshot,
// the store's.
Result<HoldReport> put_hold(Repository& repository, const HoldRequest& request);

// Ends all holds of a snapshot, those that writers have stored included. Stores nothing if there are none. `reason`:
// why, for people; until_ns and too_long are not used. Errors: kUsage (the reason), kDenied (only pruners end holds),
// kConflict (more holds under holds/ than one release can name; or the numbers are used up), kUnavailable (as above),
// the store's.
Result<HoldReport> release_hold(Repository& repository, const HoldRequest& request);

}  // namespace drs
