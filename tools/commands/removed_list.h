// `drstream list --removed`: the snapshots that were removed, and what can be brought back.
#pragma once

#include <cstdint>
#include <string>

#include "tools/command.h"

namespace drs {

struct RemovedFilter {
  std::string stream;       // a name or a pattern; empty: all
  std::string since;        // by the time of the removal; empty: all
  std::uint64_t limit = 0;  // the newest removals; 0: all
};

Result<ExitCode> list_removed(CommandContext& context, const RemovedFilter& filter);

}  // namespace drs
