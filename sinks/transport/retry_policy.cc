#include "sinks/transport/retry_policy.h"

#include <algorithm>

namespace drs {
namespace {

std::string seconds_between(RetrySchedule::Time from, RetrySchedule::Time to) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(to - from).count()) + " s";
}

}  // namespace

std::optional<RetrySchedule::Time> RetrySchedule::next(Time now, const Failure& failure, std::uint64_t dice) {
  if (failures_ == 0) began_ = now - failure.quiet_for;
  if (!deadline_) deadline_ = began_ + options_.budget;
  const unsigned doublings = std::min(failures_++, 20U);
  const auto ceiling = std::min(options_.first * (std::int64_t{1} << doublings), options_.cap);
  auto pause = std::chrono::milliseconds(dice % static_cast<std::uint64_t>(ceiling.count() + 1));
  if (failure.retry_after)
    pause = std::clamp<std::chrono::milliseconds>(*failure.retry_after, pause, std::max(pause, options_.cap));
  const Time end = failure.brief ? std::min(*deadline_, began_ + options_.brief_budget) : *deadline_;
  if (now >= end) return std::nullopt;
  return std::min(now + pause, end);  // the last attempt starts at the end of the budget at the latest
}

void StoreOutage::failed(Time now, const std::string& answer) {
  const std::scoped_lock lock(mutex_);
  if (calm_.exchange(false)) {
    since_ = now;
    told_ = false;
  }
  if (told_ || now - since_ < kToldAfter) return;
  told_ = true;
  if (report_)
    report_("the store has not done what it was asked for " + seconds_between(since_, now) +
            " and is asked again and again; its last answer: " + answer);
}

void StoreOutage::succeeded(Time now) {
  given_up_.store(false, std::memory_order_relaxed);
  met();
  if (calm_.load()) return;  // the usual case needs no lock
  const std::scoped_lock lock(mutex_);
  if (calm_.exchange(true) || !told_) return;
  if (report_) report_("the store answers again, after " + seconds_between(since_, now));
}

void StoreOutage::gave_up(const std::string& failure) {
  const std::scoped_lock lock(mutex_);
  if (!given_up_.exchange(true)) given_up_for_ = failure;
}

std::string StoreOutage::given_up_for() const {
  const std::scoped_lock lock(mutex_);
  return given_up_for_;
}

void TransferWindow::succeeded() {
  if (++successes_ < size_) return;
  successes_ = 0;
  size_ = std::min(size_ + 1, max_);
}

void TransferWindow::slow_down(RetrySchedule::Time now) {
  successes_ = 0;
  // Transfers that ran at the same time report the same overload.
  if (halved_ && now - *halved_ < kHalvingPause) return;
  halved_ = now;
  size_ = std::max<std::size_t>(size_ / 2, 1);
}

}  // namespace drs
