#include "sinks/retry_policy.h"

#include <algorithm>

namespace drs {

std::optional<RetrySchedule::Time> RetrySchedule::next(Time now, std::optional<std::chrono::seconds> retry_after,
                                                       std::uint64_t dice) {
  if (failures_ == 0) first_failure_ = now;
  const unsigned doublings = std::min(failures_++, 20U);
  const auto ceiling = std::min(options_.first * (std::int64_t{1} << doublings), options_.cap);
  auto pause = std::chrono::milliseconds(dice % static_cast<std::uint64_t>(ceiling.count() + 1));
  if (retry_after) pause = std::clamp<std::chrono::milliseconds>(*retry_after, pause, std::max(pause, options_.cap));
  const Time at = now + pause;
  if (at - first_failure_ <= options_.budget) return at;
  return std::nullopt;
}

void TransferWindow::succeeded() {
  if (++successes_ < size_) return;
  successes_ = 0;
  size_ = std::min(size_ + 1, max_);
}

void TransferWindow::slow_down(RetrySchedule::Time now) {
  successes_ = 0;
  // What was under way already tells of the same moment.
  if (halved_ && now - *halved_ < kHalvingPause) return;
  halved_ = now;
  size_ = std::max<std::size_t>(size_ / 2, 1);
}

}  // namespace drs
