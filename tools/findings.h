// What verify and scrub found, as lines and as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exit_code.h"
#include "tools/terminal_style.h"
#include "verify/verify.h"

namespace drs {

// `ranges`: every range of bytes that is kept, else their number.
std::string findings_text(const std::vector<Finding>& findings, bool ranges);
// One line for each damaged snapshot.
std::string damaged_snapshots_text(const VerifyReport& report);
// What is left of each stream that is hit: the newest snapshot that is not damaged, and whether it was read.
std::string hit_streams_text(const VerifyReport& report);
nlohmann::ordered_json findings_json(const std::vector<Finding>& findings);
// The members "damaged_snapshots" and "hit_streams".
nlohmann::ordered_json damaged_snapshots_json(const VerifyReport& report);

// What damage means for snapshots, and what to do, in one line: the damage of an index costs none. A second line where
// something was deleted besides.
std::string damage_verdict(const std::vector<Finding>& findings);

// What exit code 13 of a check means.
std::string_view deletion_verdict();

// What exit code 14 of a check means.
std::string_view too_new_verdict();

// Red where something is lost.
Tone verdict_tone(ExitCode code);

// Damage, then deletion, then what is too new, then (with `warnings_count`) warnings: the worst decides.
ExitCode exit_code_of(const std::vector<Finding>& findings, bool warnings_count);

}  // namespace drs
