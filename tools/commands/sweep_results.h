// What a sweep did, as lines and as JSON.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "engine/repository/evidence.h"
#include "tools/output/exit_code.h"
#include "verify/sweep.h"

namespace drs {

struct SweepRun {
  SweepReport report;
  SweepLevel level = SweepLevel::kDecode;
  std::chrono::milliseconds verified_within{0};
  SweepShard shard;
  std::optional<std::uint64_t> budget_bytes;
  std::optional<std::chrono::milliseconds> budget_time;
  bool keyless = false;
  bool recorded = true;  // what it has proven is evidence
};

std::string_view sweep_level_word(SweepLevel level);  // "decode"

// "87.3 % of 14.1 GiB proven within 30 d", and since when the oldest is not.
std::string coverage_text(const Coverage& coverage, std::chrono::milliseconds within);
// Never rounded up to 1.
double coverage_ratio(const Coverage& coverage);
nlohmann::ordered_json coverage_json(const Coverage& coverage, std::chrono::milliseconds within);

std::string sweep_text(const SweepRun& run);
std::string sweep_verdict(const SweepRun& run, ExitCode code);
nlohmann::ordered_json sweep_json(const SweepRun& run);

}  // namespace drs
