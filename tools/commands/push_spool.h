// The spool of one push (sinks/spool/spool_store.h): an entry in --spool DIR, between the repository and its store.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/repository/repository.h"
#include "io/base/cancel.h"
#include "io/base/progress.h"
#include "sinks/spool/spool_directory.h"
#include "sinks/spool/spool_rule.h"
#include "sinks/spool/spool_store.h"
#include "tools/command.h"
#include "tools/repository/repository_location.h"

namespace drs {

struct SpoolSettings {
  std::string directory;  // empty: no spool
  std::optional<std::uint64_t> size_bytes;
};

// Packs in any order, index objects after the packs they name, the manifest last; other objects are not spooled.
SpoolRuling spool_ruling(std::string_view key);

// --spool and --spool-size.
void declare_spool_options(CLI::App& app, SpoolSettings& settings);
// Errors: kUsage: a size without a directory; a directory that is a repository or lies in one.
Result<void> check_spool(const SpoolSettings& settings);

// The owner line of a spool's entry: the repository's id and its address, since a replica has the same id elsewhere.
std::string spool_owner(const Repository& repository, const RepositoryLocation& place, CancelToken& cancel);

class PushSpool {
 public:
  // Puts a spool between the repository and its store. `upload_bytes`: memory for uploads. All references must outlive
  // it. Errors: those of SpoolDirectory and Spool::open; kDenied and the like mean that DIR cannot be used.
  static Result<std::unique_ptr<PushSpool>> begin(CommandContext& context, Repository& repository,
                                                  const RepositoryLocation& place, const SpoolSettings& settings,
                                                  std::size_t upload_bytes, ProgressCounters& counters);
  // Without `end` the entry is removed.
  ~PushSpool();
  PushSpool(const PushSpool&) = delete;
  PushSpool& operator=(const PushSpool&) = delete;

  // Ends the entry of a push, or of an archive, with this result. It is removed unless the push failed after its
  // manifest was recorded there: then it can still be committed, and the error says how.
  template <typename Report>
  Result<Report> end(Result<Report> report) {
    auto ended = end_with(report.ok() ? nullptr : &report.error());
    if (!ended.ok()) return std::move(ended).error();
    return report;
  }
  // After `end`: what to do next if the entry is kept; empty if it was removed.
  [[nodiscard]] const std::string& next_step() const { return next_step_; }

 private:
  PushSpool(CommandContext& context, const RepositoryLocation& place, const std::string& directory, SpoolEntry entry);
  Result<void> end_with(const Error* error);
  void end_entry();
  CommandContext& context_;
  const std::string resume_;  // the command that commits the entry, as it can be pasted
  std::string next_step_;
  std::optional<SpoolEntry> entry_;  // empty once ended
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<CancelToken::Registration> cancelling_;
};

}  // namespace drs
