// TransferWatch: notices that a transfer over HTTP does not move. Pure: the caller has the clock and counts the bytes.
//
// Two limits. While a request is sent, or its answer arrives, bytes move all the time on a way that works: a transfer
// that moves less than a trickle for `stall` is given up. Between the two nothing moves, however well all works: a
// proxy that buffers passes the request on only once it has all of it. That takes up to `answer`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/result.h"

namespace drs {

struct QuietLimits {
  std::chrono::milliseconds stall{30'000};
  std::size_t stall_bytes_per_second = 1024;  // less than this, over `stall`, is no movement
  std::chrono::milliseconds answer{300'000};
  bool answer_is_cut = false;  // shorter than --answer-timeout says, which then is no advice
};

class TransferWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // While it connects it is not watched: who connects has a limit of its own.
  enum class Phase : std::uint8_t { kConnecting, kSending, kWaiting, kReceiving };

  void begin(Time now);
  // What has moved so far, in both directions. `held_back`: the transfer itself waits for its turn under a rate limit.
  void note(Phase phase, std::uint64_t moved_bytes, bool held_back, Time now);
  // kUnavailable once it has not moved for too long.
  std::optional<Error> stalled(const QuietLimits& limits, Time now);
  // Since anything moved, the connection's beginning and the change of phase included.
  [[nodiscard]] std::chrono::milliseconds quiet_for(Time now) const;

 private:
  Phase phase_ = Phase::kConnecting;
  std::uint64_t moved_bytes_ = 0;
  Time moved_at_;
  std::uint64_t marked_bytes_ = 0;  // that had moved at `marked_at_`
  Time marked_at_;
};

}  // namespace drs
