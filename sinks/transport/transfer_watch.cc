#include "sinks/transport/transfer_watch.h"

#include <string>

namespace drs {
namespace {

std::string seconds_text(std::chrono::milliseconds duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

void TransferWatch::begin(Time now) {
  *this = {};
  moved_at_ = marked_at_ = now;
}

void TransferWatch::note(Phase phase, std::uint64_t moved_bytes, bool held_back, Time now) {
  const bool begins = phase != phase_;
  if (begins || moved_bytes != moved_bytes_) moved_at_ = now;
  // Fewer bytes than before: libcurl sends the request again on another connection.
  if (begins || held_back || moved_bytes < marked_bytes_) {
    marked_bytes_ = moved_bytes;
    marked_at_ = now;
  }
  phase_ = phase;
  moved_bytes_ = moved_bytes;
}

std::optional<Error> TransferWatch::stalled(const QuietLimits& limits, Time now) {
  if (phase_ == Phase::kConnecting) return std::nullopt;
  if (phase_ == Phase::kWaiting) {
    if (now - marked_at_ < limits.answer) return std::nullopt;
    return Error(ErrorCode::kUnavailable, "no answer for " + seconds_text(limits.answer) +
                                              " after the whole request was sent" +
                                              (limits.answer_is_cut ? "" : " (--answer-timeout)"));
  }
  const auto enough = static_cast<std::uint64_t>(limits.stall.count()) * limits.stall_bytes_per_second / 1000;
  if (moved_bytes_ - marked_bytes_ >= enough) {
    marked_bytes_ = moved_bytes_;
    marked_at_ = now;
  }
  if (now - marked_at_ < limits.stall) return std::nullopt;
  return Error(ErrorCode::kUnavailable,
               "stalled: " + std::to_string(moved_bytes_ - marked_bytes_) + " bytes moved in " +
                   seconds_text(limits.stall) +
                   (phase_ == Phase::kSending ? " while the request was sent" : " while the answer came"));
}

std::chrono::milliseconds TransferWatch::quiet_for(Time now) const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - moved_at_);
}

}  // namespace drs
