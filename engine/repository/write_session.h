// The session of a push or a copy in the repository: its session object with heartbeats, and the commit.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/format/marks.h"
#include "engine/repository/removal.h"
#include "engine/repository/repository.h"
#include "sinks/settled_put.h"

namespace drs {

// A session writes a heartbeat when its last one is older than `every` by the steady clock, which it checks every
// `look_every`.
struct HeartbeatPace {
  std::chrono::nanoseconds every = std::chrono::hours(1);
  std::chrono::milliseconds look_every{30'000};
};

// Whether a commit that failed with this code may have made its snapshot, or an incomplete one.
bool leaves_commit_in_doubt(ErrorCode code);

class WriteSession {
 public:
  struct Identity {
    std::string stream;
    std::string host;
    // The session of an existing manifest: that of a push that died before the manifest was stored, or that of a
    // snapshot being copied. A fence must take that manifest's name. By default a random session is drawn.
    std::optional<Uuid> session = {};
    WallNs started_ns = 0;  // 0: now
  };
  // Writes the session object, and from then on heartbeats, from a separate thread with its own store: the last upload
  // of a push may take hours. The number in the first name of an attempt at an existing session is drawn at random,
  // above those that are listed: a delayed DELETE of an earlier attempt's object must not find its name again, even if
  // no object of that attempt is left. Heartbeats take the next numbers, and skip those that another copy of the same
  // snapshot takes in the meantime: objects never change. `store` is used by one thread at a time. Errors: kBusy (too
  // many names are taken; no thread available), kConflict (the session's numbers are used up), the store's.
  static Result<std::unique_ptr<WriteSession>> begin(Repository& repository, ObjectStore& store, Identity identity,
                                                     HeartbeatPace pace);
  // Removes the session objects that it wrote and, after a commit, those of earlier attempts. Removes none while the
  // outcome of a commit is unknown: the manifest may still appear, and without a session object a prune would not fence
  // it. Best effort: an object left behind only causes a line in a prune's log.
  ~WriteSession();
  WriteSession(const WriteSession&) = delete;
  WriteSession& operator=(const WriteSession&) = delete;

  [[nodiscard]] const Uuid& id() const { return record_.session; }
  [[nodiscard]] WallNs started_ns() const { return record_.started_ns; }
  [[nodiscard]] std::chrono::steady_clock::time_point begun() const { return begun_; }
  // The first error of a heartbeat. kUnavailable is not an error: a session without heartbeats for too long is fenced,
  // and the commit detects the fence.
  [[nodiscard]] Result<void> heartbeat_result() const;

  // Creates the manifest, which is the commit; reads it back; checks that neither a removal mark nor a retired object
  // names it. Returns its name and document_identity. Errors: kConflict (fenced, or removed in the meantime), kCorrupt
  // (reads back differently), kUnsettled (it is or may be written, but whether it lasts and is live is unknown),
  // kInternal (readers would refuse the manifest), the store's.
  Result<std::pair<std::string, Digest>> commit(const Manifest& manifest);
  // The same with a manifest that is sealed already.
  Result<Digest> commit(const std::string& name, ByteView object);
  // The error to report for one that ended this session's work: what a prune deletes is missed by a session that it has
  // fenced, so then the fence is the reason.
  Error explain(Error error);
  // Errors: kConflict (a prune has fenced this session: packs that it found at its start may be deleted), that of a
  // damaged retired object which may name it, the store's.
  Result<void> check_not_fenced();

 private:
  WriteSession(Repository& repository, ObjectStore& store, HeartbeatPace pace)
      : repository_(repository), store_(store), pace_(pace), begun_(repository.clock().steady()) {}
  Result<void> start();
  Result<void> write_record(ObjectStore& store);
  void beat(ObjectStore& store);
  [[nodiscard]] RemovalLook removals() const;
  Error uncommitted(const std::string& name, const PutOutcome& put, const Result<void>& answer, LookAfterCancel& look);

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
  // Retired objects that were there before the session was drawn at random: none of them can name it.
  std::unordered_set<std::string> retired_before_;

  mutable std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  Result<void> heartbeat_result_;
  std::thread thread_;
};

}  // namespace drs
