// OperationQueue: an intrusive FIFO of IoOperations, linked through `next`, so that queueing never allocates.
#pragma once

#include <utility>

#include "io/ring.h"

namespace drs {

class OperationQueue {
 public:
  [[nodiscard]] bool empty() const { return head_ == nullptr; }
  void push(IoOperation& operation) {
    operation.next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = &operation;
    tail_ = &operation;
  }
  // Removes the oldest operation; the queue must not be empty.
  IoOperation& pop() {
    IoOperation& oldest = *head_;
    head_ = std::exchange(oldest.next, nullptr);
    if (head_ == nullptr) tail_ = nullptr;
    return oldest;
  }
  // Moves all operations of `other` to the end of this queue.
  void splice(OperationQueue& other) {
    if (other.empty()) return;
    (tail_ != nullptr ? tail_->next : head_) = other.head_;
    tail_ = other.tail_;
    other.head_ = other.tail_ = nullptr;
  }

 private:
  IoOperation* head_ = nullptr;
  IoOperation* tail_ = nullptr;
};

// Takes each operation off `in_flight`, then calls its `done`, which may submit others. Returns how many there were.
inline std::size_t complete_all(OperationQueue completed, std::size_t& in_flight) {
  std::size_t count = 0;
  for (; !completed.empty(); ++count) {
    IoOperation& operation = completed.pop();
    --in_flight;
    operation.done(operation);
  }
  return count;
}

// The most bytes that one operation moves. A longer one completes with a short count.
inline constexpr std::size_t kOperationBytesMax = 1 * kGiB;

}  // namespace drs
