// Clock: wall time for what is stored, steady time for what is measured. Passed in, so that tests own time.
#pragma once

#include <chrono>
#include <cstdint>

namespace drs {

// Nanoseconds since 1970-01-01 UTC. Stored in manifests.
using WallNs = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallNs wall_ns() const = 0;
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallNs wall_ns() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
};

}  // namespace drs
