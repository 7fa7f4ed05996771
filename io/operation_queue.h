// OperationQueue: first-in first-out list of IoOperations through their own `next`, so that queueing never allocates.
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
  // The oldest; the queue must not be empty.
  IoOperation& pop() {
    IoOperation& oldest = *head_;
    head_ = std::exchange(oldest.next, nullptr);
    if (head_ == nullptr) tail_ = nullptr;
    return oldest;
  }
  // Moves everything of `other` behind what is here.
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

// Bytes one operation moves at most; a longer one is cut short, which its caller handles like any short count.
inline constexpr std::size_t kOperationBytesMax = 1 * kGiB;

}  // namespace drs
