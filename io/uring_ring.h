// UringRing: a Ring over io_uring, without a kernel polling thread. Completions are collected only inside `run`.
#pragma once

#include <liburing.h>

#include <memory>

#include "io/operation_queue.h"
#include "io/ring.h"

namespace drs {

class UringRing final : public Ring {
 public:
  // Submits at most `depth` operations to the kernel at a time; the others wait in a list. Errors: kIo with the
  // kernel's errno.
  static Result<std::unique_ptr<UringRing>> create(std::size_t depth);
  // Waits for the operations in the kernel, since the caller may free their bytes next. Calls no `done`.
  ~UringRing() override;
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  void submit(IoOperation& operation) override;
  Result<std::size_t> run(Wait wait) override;
  [[nodiscard]] std::size_t in_flight() const override { return in_flight_; }
  bool register_memory(MutableByteView memory) override;
  [[nodiscard]] IoBackend backend() const override { return IoBackend::kUring; }
  [[nodiscard]] bool memory_registered() const override { return !registered_.empty(); }

 private:
  UringRing(const io_uring& ring, std::size_t depth) : ring_(ring), depth_(depth) {}
  void prepare_pending();
  Result<void> enter(Wait wait);
  void prepare(io_uring_sqe& entry, IoOperation& operation);
  void collect();

  io_uring ring_;
  const std::size_t depth_;
  std::size_t in_flight_ = 0;         // submitted and not done
  std::size_t kernel_in_flight_ = 0;  // of those: in the submission queue or the kernel
  OperationQueue pending_;            // of those: waiting for a slot
  OperationQueue completed_;
  MutableByteView registered_;
};

}  // namespace drs
