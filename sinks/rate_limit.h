// A ceiling on bytes per second that any number of transfers share (--limit-upload, --limit-download). Pure: the caller
// has the clock. Threads: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace drs {

// A token bucket that may be overdrawn by one piece: whoever finds it open moves a piece, and it stays closed until the
// piece is paid for.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `bytes_per_second` > 0.
  explicit RateLimit(std::uint64_t bytes_per_second);

  // Whether a piece may move now.
  [[nodiscard]] bool open(Time now);
  // A piece has moved.
  void spend(std::size_t bytes);
  // How long until `open`; 0 when it is.
  [[nodiscard]] std::chrono::milliseconds closed_for(Time now);
  // What to move at once where there is a choice, so that many transfers take turns several times a second.
  [[nodiscard]] std::size_t piece_bytes() const { return piece_bytes_; }
  [[nodiscard]] std::uint64_t bytes_per_second() const { return bytes_per_second_; }

 private:
  void earn(Time now);
  const std::uint64_t bytes_per_second_;
  const std::size_t piece_bytes_;
  std::mutex mutex_;
  double credit_bytes_ = 0;  // below 0: closed
  Time earned_until_{};
};

}  // namespace drs
