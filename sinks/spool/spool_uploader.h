// SpoolUploader: uploads objects from the spool to the store in the order of the queue, several at once within a memory
// limit. It removes from the spool what is stored, except commits: the owner of the spool ends those.
//
// After kUnavailable an upload is repeated, unless a caller waits for it. Any other error becomes the failure of the
// queue. Threads: `run` is the body of a thread of its own.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>

#include "io/base/bytes.h"
#include "io/buffer_pool.h"
#include "sinks/object_store.h"
#include "sinks/spool/spool_queue.h"

namespace drs {

class SpoolUploader {
 public:
  struct Options {
    // Memory for objects in flight, and for what the store needs beside each; a single object may exceed it.
    std::size_t upload_bytes_max = 0;
    std::chrono::milliseconds retry_pause{1000};
    std::function<void(const Error&)> on_failure;  // may be empty
  };
  SpoolUploader(SpoolQueue& queue, std::unique_ptr<ObjectStore> store, std::unique_ptr<ObjectStore> local,
                Options options);
  ~SpoolUploader();
  SpoolUploader(const SpoolUploader&) = delete;
  SpoolUploader& operator=(const SpoolUploader&) = delete;

  void run();  // until the queue is stopped
  // Ends the uploads. Call it on the thread of `run`.
  void fail(Error error);

 private:
  struct Upload;
  void start_next();
  void start_put(Upload& upload);
  void finish(Upload& upload);

  SpoolQueue& queue_;
  const Options options_;
  std::list<Upload> uploads_;       // before the stores, which borrow from it until they are destroyed
  std::uint64_t memory_bytes_ = 0;  // of the uploads
  std::chrono::steady_clock::time_point not_before_{};
  const std::unique_ptr<ObjectStore> local_;
  const std::unique_ptr<ObjectStore> store_;
};

}  // namespace drs
