// SimRing: the Ring of a SimFileSystem. Completes operations in random order, from the disk's seed, a few at a time.
#pragma once

#include <algorithm>
#include <vector>

#include "io/operation_queue.h"
#include "io/ring.h"

namespace drs {

class SimFileSystem;

class SimRing final : public Ring {
 public:
  SimRing(SimFileSystem& disk, std::size_t depth) : disk_(disk), depth_(std::max<std::size_t>(depth, 1)) {}

  void submit(IoOperation& operation) override;
  Result<std::size_t> run(Wait wait) override;
  [[nodiscard]] std::size_t in_flight() const override { return in_flight_; }
  bool register_memory(MutableByteView) override { return false; }
  [[nodiscard]] IoBackend backend() const override { return IoBackend::kSim; }
  [[nodiscard]] bool memory_registered() const override { return false; }

 private:
  SimFileSystem& disk_;
  const std::size_t depth_;
  std::size_t in_flight_ = 0;          // submitted and not done
  OperationQueue pending_;             // of those: not started
  std::vector<IoOperation*> started_;  // of those: started, at most depth_
};

}  // namespace drs
