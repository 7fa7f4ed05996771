// SpoolUploader: carries objects from the spool to the store, in the queue's order, several at once within a bound of
// memory. What is stored leaves the spool; commits stay, for whoever owns the spool to end it.
//
// An outage of the store is waited out: an upload that ends with kUnavailable is made again, unless somebody waits for
// it. Everything else that fails is the queue's failure. Threads: `run` is the body of one of its own.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>

#include "io/buffer_pool.h"
#include "io/bytes.h"
#include "sinks/object_store.h"
#include "sinks/spool_queue.h"

namespace drs {

class SpoolUploader {
 public:
  struct Options {
    // Memory for objects on their way, and for what the store needs beside each; one object may take more.
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
  // Ends the uploads. On the thread of `run`.
  void fail(Error error);

 private:
  struct Upload;
  void start_next();
  void start_put(Upload& upload);
  void finish(Upload& upload);
  Result<void> settle(const Upload& upload, Result<void> result);
  Result<bool> is_stored(const Upload& upload);

  SpoolQueue& queue_;
  const Options options_;
  std::list<Upload> uploads_;       // before the stores, which borrow from them until they are gone
  std::uint64_t memory_bytes_ = 0;  // of the uploads
  std::chrono::steady_clock::time_point not_before_{};
  const std::unique_ptr<ObjectStore> local_;
  const std::unique_ptr<ObjectStore> store_;
};

}  // namespace drs
