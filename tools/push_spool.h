// The spool of one push (sinks/spool_store.h): an entry in --spool DIR, between the repository and its store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/pipeline/push.h"
#include "engine/repository/repository.h"
#include "io/cancel.h"
#include "io/progress.h"
#include "sinks/spool_directory.h"
#include "sinks/spool_rule.h"
#include "sinks/spool_store.h"
#include "tools/command.h"
#include "tools/repository_place.h"

namespace drs {

struct SpoolSettings {
  std::string directory;  // empty: no spool
  std::optional<std::uint64_t> size_bytes;
};

// Packs in any order, index objects behind the packs they name, the manifest last; all else goes through.
SpoolRuling spool_ruling(std::string_view key);

// Errors: kUsage, where `directory` is a repository or lies in one.
Result<void> check_spool_place(const std::string& directory);

// How a spool's entry says whose it is: the repository's id, then where it is: a replica has the same id elsewhere.
std::string spool_owner(const Repository& repository, const RepositoryPlace& place, CancelToken& cancel);

class PushSpool {
 public:
  // Puts a spool between the repository and its store. `upload_bytes`: memory for uploads. What is passed must outlive
  // it. Errors: those of SpoolDirectory and Spool::open; kDenied and the like mean that DIR cannot be used.
  static Result<std::unique_ptr<PushSpool>> begin(CommandContext& context, Repository& repository,
                                                  const RepositoryPlace& place, const SpoolSettings& settings,
                                                  std::size_t upload_bytes, ProgressCounters& counters);
  // Without `end`: nothing of the entry stays.
  ~PushSpool();
  PushSpool(const PushSpool&) = delete;
  PushSpool& operator=(const PushSpool&) = delete;

  // The push has ended so. The entry goes, unless the push failed after its manifest was recorded there, and may still
  // be committed: then the error says how.
  Result<PushReport> end(Result<PushReport> report);
  // After `end`: what to do next where the entry is kept; empty where it went.
  [[nodiscard]] const std::string& next_step() const { return next_step_; }

 private:
  PushSpool(CommandContext& context, const RepositoryPlace& place, std::string directory, SpoolEntry entry);
  void end_entry();
  CommandContext& context_;
  const std::string place_;  // as messages call it
  const std::string directory_;
  std::string next_step_;
  std::optional<SpoolEntry> entry_;  // empty once ended
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<CancelToken::Registration> cancelling_;
};

}  // namespace drs
