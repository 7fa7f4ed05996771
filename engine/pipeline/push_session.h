// The repository's side of a push: its session object with heartbeats, the gates, and the commit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/pipeline/push.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"

namespace drs {

class PushSession {
 public:
  // Writes the session object. `store` is used by one thread at a time.
  static Result<std::unique_ptr<PushSession>> begin(Repository& repository, ObjectStore& store,
                                                    const PushOptions& options);
  // Removes the session objects. Best effort: one left behind costs nothing but a line in a prune's log.
  ~PushSession();
  PushSession(const PushSession&) = delete;
  PushSession& operator=(const PushSession&) = delete;

  [[nodiscard]] const Uuid& id() const { return record_.session; }
  [[nodiscard]] WallNs started_ns() const { return record_.started_ns; }
  // Writes a heartbeat when the last is older than an hour. Cheap otherwise.
  Result<void> heartbeat();

  // Creates the manifest, the only commit; reads it back; looks that no removal mark names it. Returns its name and
  // digest. Errors: kConflict (fenced, or removed meanwhile), kCorrupt (reads back differently), kUnsettled (written,
  // but the store failed to make it last), the store's.
  Result<std::pair<std::string, Digest>> commit(const Manifest& manifest);

 private:
  PushSession(Repository& repository, ObjectStore& store) : repository_(repository), store_(store) {}
  Result<void> write_record();
  Repository& repository_;
  ObjectStore& store_;
  SessionRecord record_;
  std::uint32_t heartbeats_ = 0;
};

// Compares the finished stream with what was asked. Returns what is wrong, in sentences; empty when nothing is.
std::vector<std::string> check_gates(const PushGates& gates, std::uint64_t bytes, ByteView tail,
                                     const Snapshot* previous);

}  // namespace drs
