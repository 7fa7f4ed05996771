// Runs verify and scrub over a StoredRepository, the way the command does.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "tests/verify/stored_repository.h"
#include "verify/scrub.h"
#include "verify/verify.h"

namespace drs::test {

struct CheckRun {
  std::optional<Error> error;  // of opening, of listing, or of the check
  VerifyReport report;

  [[nodiscard]] const Finding* about(std::string_view object) const {
    const auto found = std::find_if(report.findings.begin(), report.findings.end(),
                                    [&](const Finding& finding) { return finding.object == object; });
    return found == report.findings.end() ? nullptr : &*found;
  }
  [[nodiscard]] bool has(Finding::Severity severity) const {
    return std::any_of(report.findings.begin(), report.findings.end(),
                       [&](const Finding& finding) { return finding.severity == severity; });
  }
  // Exit 4, 10, 12, 13 or 14: not 0, and not a warning.
  [[nodiscard]] bool detected() const {
    using Severity = Finding::Severity;
    return error || has(Severity::kDamage) || has(Severity::kDeletion) || has(Severity::kTooNew);
  }
};

struct VerifySettings {
  bool read_data = true;
  bool read_only = true;
  bool rebuild = false;
  std::string rebuild_id = {};  // of the one to rebuild, without `rebuild`
  std::size_t threads = 1;
  std::size_t memory_bytes = 32 * kMiB;
};

// `prepare`: before anything is listed.
inline CheckRun run_verify(const StoredRepository& stored, const VerifySettings& settings = {},
                           const std::function<void(Repository&)>& prepare = {}) {
  CheckRun run;
  auto repository = stored.open();
  if (!repository.ok()) {
    run.error = repository.error();
    return run;
  }
  if (prepare) prepare(**repository);
  auto catalog = load_snapshots(**repository);
  if (!catalog.ok()) {
    run.error = catalog.error();
    return run;
  }
  VerifyOptions options;
  options.read_data = settings.read_data;
  options.read_only = settings.read_only;
  options.threads = settings.threads;
  options.memory_bytes = settings.memory_bytes;
  for (const Snapshot& snapshot : catalog->live)
    if (settings.rebuild || snapshot.id() == settings.rebuild_id) options.rebuild.push_back(&snapshot);
  ProgressCounters progress;
  CancelToken cancel;
  auto report = verify(**repository, *catalog, options, progress, cancel);
  if (report.ok())
    run.report = *std::move(report);
  else
    run.error = report.error();
  return run;
}

inline Result<ScrubReport> run_scrub(ObjectStore&& store, const Clock& clock, bool read_only = true,
                                     std::size_t threads = 1) {
  ScrubOptions options;
  options.read_only = read_only;
  options.threads = threads;
  ProgressCounters progress;
  CancelToken cancel;
  return scrub(store, clock, options, progress, cancel);
}
inline Result<ScrubReport> run_scrub(const StoredRepository& stored, bool read_only = true, std::size_t threads = 1) {
  return run_scrub(std::move(*stored.store()), stored.clock, read_only, threads);
}

inline std::string described(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) text += finding.object + ": " + finding.problem + "\n";
  return text;
}

}  // namespace drs::test
