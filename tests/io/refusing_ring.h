// Wraps a real ring and fails every direct operation with EINVAL before any byte moves, as NFS, FUSE or a disk with
// larger sectors may. Several operations are in flight when the first fails.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <utility>

#include "io/ring.h"

namespace drs::test {

class RefusingRing final : public Ring {
 public:
  explicit RefusingRing(std::unique_ptr<Ring> inner) : inner_(std::move(inner)) {}
  void submit(IoOperation& operation) override {
    const bool moves = operation.kind != IoKind::kSyncData;
    if (!moves || (::fcntl(operation.fd, F_GETFL) & O_DIRECT) == 0) return inner_->submit(operation);
    refused_.push_back(&operation);
  }
  Result<std::size_t> run(Wait wait) override {
    // Completes refused operations only if the caller waits: by then it has as many in flight as it can.
    if (wait == Wait::kNo || refused_.empty()) return inner_->run(wait);
    std::deque<IoOperation*> refused = std::exchange(refused_, {});
    for (IoOperation* const operation : refused) {
      operation->result = -EINVAL;
      ++refusals_;
      operation->done(*operation);
    }
    return refused.size();
  }
  [[nodiscard]] std::size_t in_flight() const override { return inner_->in_flight() + refused_.size(); }
  bool register_memory(MutableByteView memory) override { return inner_->register_memory(memory); }
  [[nodiscard]] IoBackend backend() const override { return inner_->backend(); }
  [[nodiscard]] bool memory_registered() const override { return inner_->memory_registered(); }

  [[nodiscard]] std::size_t refusals() const { return refusals_; }

 private:
  std::unique_ptr<Ring> inner_;
  std::deque<IoOperation*> refused_;
  std::size_t refusals_ = 0;
};

}  // namespace drs::test
