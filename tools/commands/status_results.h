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

namespace drs {

struct StatusReport {
  std::string repository;  // its id
  SnapshotCatalog catalog;
  std::vector<StreamVerdict> streams;         // point into the catalog
  std::size_t damaged_packs = 0;              // that marks name
  std::optional<StatusProof> proof;           // if it was looked at
  std::chrono::milliseconds proof_window{0};  // of the coverage
  std::vector<std::string> warnings;          // which were logged
  [[nodiscard]] ExitCode exit_code() const { return judge(streams, damaged_packs); }
};

std::string status_text(const StatusReport& report, std::size_t columns_max, WallNs now_ns);
nlohmann::ordered_json status_json(const StatusReport& report);

// `place`: the name of the repository, as it was given. `when`: seconds since 1970. Requires that the proof was looked
// at.
MetricsText status_metrics(const StatusReport& report, const std::string& place, double when);
// That it failed, and nothing else: the caller keeps the rest of the older file.
MetricsText failed_status_metrics(const std::string& place);

// By the guidelines for plugins of Nagios (https://nagios-plugins.org/doc/guidelines.html): one line with what is wrong
// and figures, and one of the exit codes 0 (ok), 1 (warning), 2 (critical) and 3 (unknown).
struct NagiosAnswer {
  std::string line;
  int exit_status = 3;
};
NagiosAnswer nagios_answer(const StatusReport& report);
NagiosAnswer nagios_answer(const Error& error);

}  // namespace drs
