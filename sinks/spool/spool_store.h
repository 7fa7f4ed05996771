// A spool: objects wait in a nearby store (a directory on this machine) until a thread has uploaded them to the real
// store. A put is done when its object is durable nearby, so a slow or unreachable store does not delay it.
//
// A rule decides which objects wait, and how (sinks/spool/spool_rule.h). A commit is put last: the spool records it,
// uploads everything before it, then uploads the commit. Its `done` runs only after that, so a commit that succeeded is
// in the store. Reads see both stores, but no commit that is only recorded.
//
// When the spool or its disk is full, puts wait. An object that does not fit into an empty spool goes directly to the
// store, and so does everything if the spool cannot be written. While the spool has room, no caller sees a failure of
// the store: after kUnavailable the spool retries, and any other error stops the uploads. A caller that has to wait for
// an upload (a put without room, a commit, `drain`) gets the error. What is not in the store when the spool ends stays
// nearby; a Spool opened there continues.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/base/progress.h"
#include "io/base/result.h"
#include "sinks/object_store.h"
#include "sinks/spool/spool_rule.h"

namespace drs {

struct SpoolOptions {
  SpoolRule rule;
  SpoolSecure secure;  // empty: ObjectStore::secure
  std::uint64_t size_bytes_max = 0;
  std::size_t upload_bytes_max = 0;             // memory for uploads; a single object may exceed it
  std::chrono::milliseconds retry_pause{1000};  // after an upload that ended with kUnavailable
  ProgressCounters* progress = nullptr;         // must outlive the spool
  std::function<void()> on_recorded;            // a commit is durable in the spool; runs on the thread that put it
  std::function<void(const Error&)> on_uploads_stopped;  // runs on a thread of the spool
};

class SpoolQueue;
class SpoolUploader;

class Spool {
 public:
  // Borrows `store` for this call. Uploads what `local` holds from before, except commits: those are uploaded when they
  // are put again. Errors: those of listing `local`, and of ObjectStore::clone; kIo (no thread).
  static Result<std::unique_ptr<Spool>> open(ObjectStore& store, std::unique_ptr<ObjectStore> local,
                                             SpoolOptions options);
  // Stops the uploads. Stores made by `wrap` may live longer, and fail with kCancelled.
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // The decorator around one instance of the real store. One thread at a time. Errors: those of ObjectStore::clone.
  Result<std::unique_ptr<ObjectStore>> wrap(std::unique_ptr<ObjectStore> store);
  // Commits that were recorded, by this process or an earlier one. They stay in the spool, uploaded or not. Any thread.
  [[nodiscard]] std::vector<ObjectKey> recorded() const;
  // Waits until everything except commits is in the store. Any thread. Errors: the one that ended the uploads.
  Result<void> drain();
  // Stops the uploads; every waiter gets kCancelled. Any thread; does not block.
  void cancel();

 private:
  Spool(std::shared_ptr<SpoolQueue> queue, std::unique_ptr<ObjectStore> local, SpoolOptions options);
  const std::shared_ptr<SpoolQueue> queue_;
  const std::unique_ptr<ObjectStore> local_;
  const SpoolOptions options_;
  std::unique_ptr<SpoolUploader> uploader_;
  std::thread thread_;
};

}  // namespace drs
