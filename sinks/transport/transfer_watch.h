// TransferWatch: notices an HTTP transfer that makes no progress. Pure: the caller has the clock and counts the bytes.
//
// There are two limits. While a request is sent, or its answer arrives, bytes keep moving on a working path: a transfer
// that moves less than a trickle for `stall` fails. Between the two, silence is normal, since a buffering proxy
// forwards the request only once it has all of it: that may take up to `answer`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "io/base/result.h"

namespace drs {

struct QuietLimits {
  std::chrono::milliseconds stall{30'000};
  std::size_t stall_bytes_per_second = 1024;  // fewer over `stall` count as none
  std::chrono::milliseconds answer{300'000};
  bool answer_is_cut = false;  // shorter than --answer-timeout, so the message does not advise to raise that
};

class TransferWatch {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // A transfer that connects is not watched: connecting has a limit of its own.
  enum class Phase : std::uint8_t { kConnecting, kSending, kWaiting, kReceiving };

  void begin(Time now);
  // The bytes moved so far, in both directions. `held_back`: the transfer waits for a rate limit.
  void note(Phase phase, std::uint64_t moved_bytes, bool held_back, Time now);
  // Errors: kUnavailable once nothing has moved for too long.
  std::optional<Error> stalled(const QuietLimits& limits, Time now);
  // Since the last movement, the start of the connection, or the change of phase.
  [[nodiscard]] std::chrono::milliseconds quiet_for(Time now) const;

 private:
  Phase phase_ = Phase::kConnecting;
  std::uint64_t moved_bytes_ = 0;
  Time moved_at_;
  std::uint64_t marked_bytes_ = 0;  // that had moved at `marked_at_`
  Time marked_at_;
};

}  // namespace drs
