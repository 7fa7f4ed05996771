// What verify and scrub found, as lines and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/output/exit_code.h"
#include "tools/output/terminal.h"
#include "verify/verify.h"

namespace drs {

enum class RangeDetail : std::uint8_t { kCounted, kListed };
// `ranges`: whether every range of bytes in a finding is listed.
std::string findings_text(const std::vector<Finding>& findings, RangeDetail ranges);
// One line for each damaged snapshot.
std::string damaged_snapshots_text(const VerifyReport& report);
// For each stream that is hit, the newest snapshot that is not damaged, and whether it was read.
std::string hit_streams_text(const VerifyReport& report);
nlohmann::ordered_json findings_json(const std::vector<Finding>& findings);
// The members "damaged_snapshots" and "hit_streams".
nlohmann::ordered_json damaged_snapshots_json(const VerifyReport& report);

// What damage means for snapshots, and what to do, in one line: damage of an index alone loses no snapshot. A second
// line if something was deleted, too.
std::string damage_verdict(const std::vector<Finding>& findings);

// What exit code 13 of a check means.
std::string_view deletion_verdict();

// What exit code 14 of a check means.
std::string_view too_new_verdict();

// Red where something is lost.
Tone verdict_tone(ExitCode code);

enum class WarningPolicy : std::uint8_t { kPass, kFail };
// The worst finding decides: damage, deletion, too new, then (with kFail) warnings.
ExitCode exit_code_of(const std::vector<Finding>& findings, WarningPolicy warnings);

}  // namespace drs
