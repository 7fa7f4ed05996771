// Runs verify and scrub on a StoredRepository, as the commands do.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/verify/stored_repository.h"
#include "verify/scrub.h"
#include "verify/verify.h"

namespace drs::test {

// A stored repository to damage, and the damage marks that checks leave in it.
class StoredRepositoryTest : public testing::Test {
 protected:
  void flip(const std::string& name, std::size_t at) {
    Bytes bytes = stored_.object(name);
    bytes[at] ^= 1;
    stored_.objects->damage(name, bytes);
  }
  [[nodiscard]] std::vector<std::string> marks_of(const Digest& pack) const {
    std::vector<std::string> names = stored_.names();
    std::erase_if(names, [&](const std::string& name) { return !name.starts_with("damaged/" + pack.hex()); });
    return names;
  }
  [[nodiscard]] bool is_marked(const Digest& pack) const { return !marks_of(pack).empty(); }

  StoredRepository stored_;
};

struct CheckRun {
  std::optional<Error> error;  // of opening the repository, of listing, or of the check
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
  std::string rebuild_id = {};  // the one snapshot to rebuild, unless `rebuild` is set
  std::size_t threads = 1;
  std::size_t memory_bytes = 32 * kMiB;
};

// `prepare` runs before any object is listed.
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

struct ScrubSettings {
  bool read_only = true;
  std::size_t threads = 1;
};

inline Result<ScrubReport> run_scrub(ObjectStore&& store, const Clock& clock, const ScrubSettings& settings = {}) {
  ScrubOptions options;
  options.read_only = settings.read_only;
  options.threads = settings.threads;
  ProgressCounters progress;
  CancelToken cancel;
  return scrub(store, clock, options, progress, cancel);
}
inline Result<ScrubReport> run_scrub(const StoredRepository& stored, const ScrubSettings& settings = {}) {
  return run_scrub(std::move(*stored.store()), stored.clock, settings);
}

// Whether no snapshot needs the object: a bad damage mark, or a bad record of a sweep, is reported, but is not damage.
inline bool is_hint(std::string_view name) {
  return name.starts_with("damaged/") || name.starts_with("verified/");
}

inline std::string described(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) text += finding.object + ": " + finding.problem + "\n";
  return text;
}

}  // namespace drs::test
