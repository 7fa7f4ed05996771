// A limit on bytes per second that any number of transfers share (--limit-upload, --limit-download). Pure: the caller
// has the clock. Threads: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace drs {

// A token bucket that one piece may overdraw: a transfer that finds it open moves a piece, and the bucket stays closed
// until the piece is paid for.
class RateLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `bytes_per_second` > 0.
  explicit RateLimit(std::uint64_t bytes_per_second);

  // Whether a piece may move now.
  [[nodiscard]] bool open(Time now);
  // Charges a piece that was moved.
  void spend(std::size_t bytes);
  // The time until `open`; 0 if it is open.
  [[nodiscard]] std::chrono::milliseconds closed_for(Time now);
  // The size of a piece, chosen so that many transfers take turns several times a second.
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
