// Holds: snapshots that no rule, no command and no prune may drop (engine/format/retention.h, Hold).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "engine/format/retention.h"
#include "engine/repository/repository.h"

namespace drs {

// How long an object under holds/ counts, from the store's time of it: a writer's credentials, if they are stolen, keep
// data for no longer.
inline constexpr std::chrono::hours kWriterHoldMax{kHoldDaysMax * 24};

struct HeldSnapshot {
  WallNs until_ns = 0;     // 0: for ever. The latest of its holds
  std::string reason;      // of that one
  bool by_writer = false;  // that one is under holds/
  // A hold that cannot be read counts as one for ever: its name tells what it holds.
  std::optional<Error> unreadable;
};

using Holds = std::map<std::string, HeldSnapshot>;  // by the name of the manifest

// Lists kept/ and holds/. Whoever decides about a deletion calls it after it has listed manifests, removal marks and
// retired objects (decision 0006). A hold whose time has passed by `now_ns`, the store's time, is left out. Errors:
// kUnavailable (objects vanish each time they are listed), the store's.
Result<Holds> load_holds(Repository& repository, WallNs now_ns);
// The same for a command that only shows holds: `listing` provides the lists, if it has them.
Result<Holds> load_holds(Repository& repository, WallNs now_ns, Listing& listing);

}  // namespace drs
