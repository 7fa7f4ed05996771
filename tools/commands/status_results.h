// What `drstream status` answers: lines, one document, or a line for Nagios.
#pragma once

#include <chrono>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "io/base/result.h"
#include "tools/commands/status_verdict.h"
#include "tools/output/metrics.h"
#include "tools/output/nagios_answer.h"

namespace drs {

struct StatusReport {
  std::string repository;  // its id
  SnapshotCatalog catalog;
  std::vector<StreamVerdict> streams;  // point into the catalog
  RepositoryFaults faults;
  std::optional<StatusProof> proof;           // if it was looked at
  std::chrono::milliseconds proof_window{0};  // of the coverage
  std::vector<std::string> warnings;          // which were logged
  [[nodiscard]] ExitCode exit_code() const { return judge(streams, faults); }
};

std::string status_text(const StatusReport& report, std::size_t columns_max, WallNs now_ns);
// The lines of it that say what is wrong; empty where there is nothing.
std::string status_problems_text(const StatusReport& report, WallNs now_ns);
nlohmann::ordered_json status_json(const StatusReport& report, WallNs now_ns);

// `place`: the name of the repository, as it was given. `when`: seconds since 1970. Requires that the proof was looked
// at.
MetricsText status_metrics(const StatusReport& report, const std::string& place, double when);
// That it failed, and with which exit code: the caller keeps the rest of the older file.
MetricsText failed_status_metrics(const std::string& place, int exit_status);

// `now_ns`: the time by this machine's clock.
NagiosAnswer nagios_answer(const StatusReport& report, WallNs now_ns);

}  // namespace drs
