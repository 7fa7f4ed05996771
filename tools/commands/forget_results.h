// The plan and the result of `drstream forget`, as text and as JSON.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/pipeline/keeping/forget.h"
#include "engine/pipeline/keeping/removal_marks.h"
#include "tools/commands/forget_choice.h"

namespace drs {

struct ForgetPlan {
  ForgetChoice choice;
  Holds holds;
  std::vector<PlannedStream> streams;
  std::vector<RemovedMark> marks;             // of snapshots, then of damaged manifests
  std::vector<Error> held_damaged;            // damaged manifests that are held
  [[nodiscard]] std::size_t removed() const;  // snapshots
  [[nodiscard]] std::size_t kept() const;     // of those that were looked at
  // kLimitMissed: a stream is refused, or something that was named stays.
  [[nodiscard]] ExitCode exit_code() const;
  // Takes out of the plan what was not removed after all.
  void leave(const std::map<std::string, Error>& refused);
};

enum class ForgetState : std::uint8_t { kPlanned, kDeclined, kDone };  // kPlanned: --dry-run

// A table of all snapshots that were looked at, with the reasons why each stays, or "none".
std::string plan_table(const ForgetPlan& plan, std::size_t columns_max);
// What cannot be read, what is refused, and what stays although it was named.
std::vector<std::string> plan_warnings(const ForgetPlan& plan);
// A line for each snapshot that was removed.
std::string removed_lines(const ForgetPlan& plan);
// The counts, and the streams without rules.
std::string forget_summary(const ForgetPlan& plan, ForgetState state);

nlohmann::ordered_json forget_json(const ForgetPlan& plan, ForgetState state, const MarksReport& written,
                                   const std::vector<std::string>& warnings);

}  // namespace drs
