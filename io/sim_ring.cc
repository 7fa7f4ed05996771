#include "io/sim_ring.h"

#include <mutex>
#include <utility>

#include "io/sim_file_system.h"

namespace drs {

void SimRing::submit(IoOperation& operation) {
  pending_.push(operation);
  ++in_flight_;
}

Result<std::size_t> SimRing::run(Wait wait) {
  OperationQueue completed;
  {
    const std::lock_guard lock(disk_.mutex_);
    while (!pending_.empty() && started_.size() < depth_) started_.push_back(&pending_.pop());
    if (started_.empty()) return std::size_t{0};
    std::uint64_t count = disk_.random_below(started_.size() + 1);
    if (wait == Wait::kForOne && count == 0) count = 1;
    for (; count > 0; --count) {
      std::swap(started_[disk_.random_below(started_.size())], started_.back());
      IoOperation& operation = *started_.back();
      started_.pop_back();
      operation.result = disk_.perform(operation);
      completed.push(operation);
    }
  }
  return complete_all(completed, in_flight_);
}

}  // namespace drs
