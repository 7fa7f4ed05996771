// The repository's side of a push or a copy: its session object with heartbeats, the gates, and the commit.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/format/marks.h"
#include "engine/pipeline/push.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"

namespace drs {

class PushSession {
 public:
  struct Identity {
    std::string stream;
    std::string host;
    // Of a manifest that is made already: of a push that died before it was stored, or as another repository has it. A
    // fence must meet its name. Else one is drawn.
    std::optional<Uuid> session = {};
    WallNs started_ns = 0;  // 0: now
  };
  // Writes the session object, and from then on heartbeats, on a thread and a store of its own: the last upload of a
  // push may take hours. Their numbers follow those that are there already, of an earlier attempt at the same session,
  // and pass over those that another copy of the same snapshot takes meanwhile: an object never changes. Errors: kBusy
  // (too many others), the store's. `store` is used by one thread at a time.
  static Result<std::unique_ptr<PushSession>> begin(Repository& repository, ObjectStore& store, Identity identity,
                                                    HeartbeatPace pace);
  // Removes the session objects it wrote, and after a commit those that were there before it, too; but none while it is
  // not known how a commit ended: its manifest may still appear, and without a session a prune would not fence it
  // before. Best effort: one left behind costs nothing but a line in a prune's log.
  ~PushSession();
  PushSession(const PushSession&) = delete;
  PushSession& operator=(const PushSession&) = delete;

  [[nodiscard]] const Uuid& id() const { return record_.session; }
  [[nodiscard]] WallNs started_ns() const { return record_.started_ns; }
  [[nodiscard]] std::chrono::steady_clock::time_point begun() const { return begun_; }
  // Errors: what a heartbeat met. That the store was away is none: a session that stays silent for too long is fenced,
  // which the commit meets.
  [[nodiscard]] Result<void> heartbeat_result() const;

  // Creates the manifest, the only commit; reads it back; looks that no removal mark names it. Returns its name and
  // document_identity. Errors: kConflict (fenced, or removed meanwhile), kCorrupt (reads back differently), kUnsettled
  // (it is written, or may be, but whether it lasts and is live could not be told), the store's.
  Result<std::pair<std::string, Digest>> commit(const Manifest& manifest);
  // The same with a manifest that was sealed before.
  Result<Digest> commit(const std::string& name, ByteView object);
  // kConflict when a prune has fenced this session: what it found at its start may be gone.
  Result<void> check_not_fenced();

 private:
  PushSession(Repository& repository, ObjectStore& store, HeartbeatPace pace)
      : repository_(repository), store_(store), pace_(pace), begun_(repository.clock().steady()) {}
  Result<void> start();
  Result<void> write_record(ObjectStore& store);
  void beat(ObjectStore& store);

  Repository& repository_;
  ObjectStore& store_;
  const HeartbeatPace pace_;
  SessionRecord record_;
  const std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point last_beat_;
  bool commit_in_doubt_ = false;
  bool committed_ = false;
  std::vector<ObjectKey> earlier_;  // session objects of earlier attempts
  std::vector<ObjectKey> written_;
  std::uint32_t number_next_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  Result<void> heartbeat_result_;
  std::thread thread_;
};

// Compares the finished stream with what was asked. Returns what is wrong, in sentences; empty when nothing is.
std::vector<std::string> check_gates(const PushGates& gates, std::uint64_t bytes, ByteView tail,
                                     const Snapshot* previous);

}  // namespace drs
