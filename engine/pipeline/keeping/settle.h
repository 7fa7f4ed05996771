// Decides whether the sessions that a deletion waits for can still commit a snapshot. A session is settled once its
// manifest or a fence has its name, or once its own process has removed its objects, which it does only when the
// outcome of its commit is known.
//
// Whether a silent session is fenced is a matter of patience, not of safety: a fence takes the name of the manifest, so
// a session that wakes later fails to commit (exit 7) and loses nothing that was committed.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/pipeline/keeping/deletion_record.h"
#include "engine/pipeline/keeping/running_sessions.h"
#include "engine/repository/repository.h"

namespace drs {

// A session that keeps a deletion waiting.
struct AwaitedSession {
  Uuid session;
  std::string stream;   // empty if unknown
  std::string host;     // empty if unknown
  WallNs until_ns = 0;  // by the store's clock: when it will be fenced if it stays silent; 0 if unknown
};

class Settler {
 public:
  struct Options {
    WallNs now_ns = 0;                   // the store's time
    std::chrono::nanoseconds silence{};  // without a heartbeat for longer, a session is fenced
    bool fence_all = false;              // fences every unsettled session at once
    bool dry_run = false;                // fences none: what would be fenced counts as settled
  };
  // Lists manifests and sessions, once for all records. Errors: the store's.
  static Result<Settler> make(Repository& repository, const Options& options);

  struct Outcome {
    std::vector<AwaitedSession> awaited;
    std::vector<std::string> problems;  // sessions that can neither be waited for nor be fenced
    [[nodiscard]] bool settled() const { return awaited.empty() && problems.empty(); }
  };
  // Settles the sessions of `waits`, and those that began up to an hour after their record was stored: where lists lag,
  // as in a folder of a network, the list of the waits may lack a session, and that session may lack the record.
  // Fences those that are silent. Errors: the store's.
  Result<Outcome> settle(const Waits& waits, WallNs record_stored_ns);
  struct Cleaned {
    std::uint64_t objects = 0;          // removed; 0 if the store refuses to remove one
    std::vector<std::string> problems;  // silent sessions that cannot be fenced
  };
  // Fences silent sessions that no waits name, and removes the objects of sessions that are settled. Removes nothing
  // with `dry_run`. Errors: the store's.
  Result<Cleaned> clean();
  // Sessions without a manifest or a fence.
  [[nodiscard]] std::vector<const RunningSession*> unsettled() const;
  // The names of manifests whose sessions this run has fenced.
  [[nodiscard]] const std::vector<std::string>& fenced() const { return fenced_; }

 private:
  Settler(Repository& repository, const Options& options) : repository_(&repository), options_(options) {}
  [[nodiscard]] bool is_silent(const RunningSession& session, const WaitingSession* waiting, WallNs listed_ns) const;
  // Returns the problem if it cannot be fenced.
  Result<std::optional<std::string>> fence(const RunningSession& session);
  Result<bool> has_outcome(const std::string& manifest);
  // Adds to `outcome` what keeps the deletion waiting for this session. `waiting`: null if the waits lack it.
  Result<void> judge(const RunningSession& session, const WaitingSession* waiting, WallNs listed_ns, Outcome& outcome);

  Repository* repository_;
  Options options_;
  std::vector<RunningSession> sessions_;
  std::unordered_set<std::string> manifests_;  // names that a manifest or a fence has
  std::vector<std::string> fenced_;
};

}  // namespace drs
