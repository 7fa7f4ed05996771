// What a prune has done, or would do, as JSON and as text; `stats` shows a part of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/pipeline/keeping/prune.h"

namespace drs {

enum class PruneMode { kDone, kDryRun };
inline PruneMode prune_mode(const PruneOptions& options) {
  return options.dry_run ? PruneMode::kDryRun : PruneMode::kDone;
}

nlohmann::ordered_json prune_json(const PruneReport& report, PruneMode mode);
// Without problems, which are warnings.
std::string prune_text(const PruneReport& report, PruneMode mode);

// How the bytes of all packs are used: the members that `prune` and `stats` share.
nlohmann::ordered_json space_json(const PruneReport& report);
std::string space_text(const PruneReport& report);

}  // namespace drs
