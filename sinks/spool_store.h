// A spool: objects wait in a store near by (a directory on this machine) until a thread has carried them to the real
// store. Whoever writes is done once they are durable near by, and is not held up by a store that is slow or away.
//
// Which objects wait, and how, says a rule (sinks/spool_rule.h). A commit is put last: it is recorded in the spool
// first, then everything before it is carried to the store, then the commit; its `done` runs only after that, so what
// was committed is committed in the store. Reading sees both places, but no commit that is only recorded.
//
// When the spool is full, or its disk is, puts wait; what does not fit an empty spool goes straight to the store, and
// so does everything if the spool cannot be written: a spool is an aid, never a condition. While the spool has room,
// trouble of the store is nobody's: one that is away (kUnavailable) is tried again, any other error stops the uploads.
// Whoever has to wait for an upload - a put without room, a commit, `drain` - gets the error. What is not in the store
// when the spool ends stays near by; a Spool opened there goes on.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "io/progress.h"
#include "io/result.h"
#include "sinks/object_store.h"
#include "sinks/spool_rule.h"

namespace drs {

struct SpoolOptions {
  SpoolRule rule;
  SpoolSecure secure;  // empty: ObjectStore::secure
  std::uint64_t size_bytes_max = 0;
  std::size_t upload_bytes_max = 0;                      // memory for uploads; one object may take more
  std::chrono::milliseconds retry_pause{1000};           // after the store has given up on an upload
  ProgressCounters* progress = nullptr;                  // must outlive the spool
  std::function<void()> on_recorded;                     // a commit is durable in the spool; on the thread that put it
  std::function<void(const Error&)> on_uploads_stopped;  // on a thread of the spool's
};

class SpoolQueue;
class SpoolUploader;

class Spool {
 public:
  // `store` is borrowed for this call. What lies in `local` from before is uploaded, commits excepted: those are
  // uploaded when they are put again. Errors: those of listing `local`, and of ObjectStore::another; kIo (no thread).
  static Result<std::unique_ptr<Spool>> open(ObjectStore& store, std::unique_ptr<ObjectStore> local,
                                             SpoolOptions options);
  // Stops the uploads. Stores made by `wrap` may live longer, and fail with kCancelled.
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // The decorator around one instance of the real store. One thread at a time. Errors: those of ObjectStore::another.
  Result<std::unique_ptr<ObjectStore>> wrap(std::unique_ptr<ObjectStore> store);
  // Commits that were recorded, here or before. They stay near by, uploaded or not. Any thread.
  [[nodiscard]] std::vector<ObjectKey> recorded() const;
  // Waits until everything but commits is in the store. Any thread. Errors: the one that ended the uploads.
  Result<void> drain();
  // Uploads stop, and whoever waits gets kCancelled. Any thread; does not block.
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
