// PosixRing: a Ring over pread, pwrite and fdatasync on a few threads, for machines that refuse io_uring.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "io/operation_queue.h"
#include "io/ring.h"

namespace drs {

class PosixRing final : public Ring {
 public:
  // Runs at most `depth` system calls concurrently, on at most four threads, which start with the first operation.
  explicit PosixRing(std::size_t depth);
  // Waits for running system calls and drops operations that have not started. Calls no `done`.
  ~PosixRing() override;
  PosixRing(const PosixRing&) = delete;
  PosixRing& operator=(const PosixRing&) = delete;

  void submit(IoOperation& operation) override;
  Result<std::size_t> run(Wait wait) override;
  [[nodiscard]] std::size_t in_flight() const override { return in_flight_; }
  bool register_memory(MutableByteView) override { return false; }
  [[nodiscard]] IoBackend backend() const override { return IoBackend::kPosix; }
  [[nodiscard]] bool memory_registered() const override { return false; }

 private:
  Result<void> start_threads();
  void work();
  void start_pending();

  const std::size_t thread_count_max_;
  std::size_t in_flight_ = 0;  // submitted and not done; used only by the ring's user, like pending_
  OperationQueue pending_;
  std::vector<std::thread> threads_;

  std::mutex mutex_;  // guards the members below
  std::condition_variable work_arrived_;
  std::condition_variable work_completed_;
  OperationQueue started_;
  OperationQueue completed_;
  bool stopping_ = false;
};

}  // namespace drs
