// How much a sweep may still read. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "io/base/clock.h"

namespace drs {

class SweepBudget {
 public:
  SweepBudget(const Clock& clock, std::optional<std::uint64_t> bytes, std::optional<std::chrono::nanoseconds> time)
      : clock_(clock), bytes_(bytes) {
    if (time) ends_ = clock.steady() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(*time);
  }

  // Whether an object of this size may be read now; then it counts as read. The first one always may.
  bool take(std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    if (used_) return false;
    const bool beyond = bytes_ && taken_bytes_ + bytes > *bytes_;
    if (any_ && (beyond || (ends_ && clock_.steady() >= *ends_))) {
      used_ = true;
      return false;
    }
    any_ = true;
    taken_bytes_ += bytes;
    return true;
  }
  // Whether something was refused.
  [[nodiscard]] bool used() const {
    const std::scoped_lock lock(mutex_);
    return used_;
  }

 private:
  const Clock& clock_;
  const std::optional<std::uint64_t> bytes_;
  std::optional<std::chrono::steady_clock::time_point> ends_;
  mutable std::mutex mutex_;
  std::uint64_t taken_bytes_ = 0;
  bool any_ = false, used_ = false;
};

}  // namespace drs
