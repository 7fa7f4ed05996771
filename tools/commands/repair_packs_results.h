// What `drstream repair packs` did, as lines and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "engine/pipeline/repair/repair_packs.h"

namespace drs {

// How it ran.
struct RepairPacksMode {
  bool dry_run = false;
  bool with_other = false;  // --from-repository was given
};

std::string repair_packs_text(const RepairPacksReport& report, const RepairPacksMode& mode);
nlohmann::ordered_json repair_packs_json(const RepairPacksReport& report, const RepairPacksMode& mode);

}  // namespace drs
