#include "sinks/transport/rate_limit.h"

#include <algorithm>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {
namespace {

constexpr std::size_t kPieceBytesMin = 4 * kKiB;
constexpr std::size_t kPieceBytesMax = 64 * kKiB;
constexpr double kSavedSeconds = 0.1;  // unused credit beyond this is lost: no bursts

}  // namespace

RateLimit::RateLimit(std::uint64_t bytes_per_second)
    : bytes_per_second_(bytes_per_second),
      piece_bytes_(
          static_cast<std::size_t>(std::clamp<std::uint64_t>(bytes_per_second / 16, kPieceBytesMin, kPieceBytesMax))) {
  DRS_ASSERT(bytes_per_second > 0, "a rate limit of nothing");
}

void RateLimit::earn(Time now) {
  if (earned_until_ != Time{} && now > earned_until_) {
    const double rate = static_cast<double>(bytes_per_second_);
    const double seconds = std::chrono::duration<double>(now - earned_until_).count();
    credit_bytes_ = std::min(credit_bytes_ + seconds * rate, kSavedSeconds * rate);
  }
  earned_until_ = std::max(earned_until_, now);
}

bool RateLimit::open(Time now) {
  const std::lock_guard lock(mutex_);
  earn(now);
  return credit_bytes_ >= 0;
}

void RateLimit::spend(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  credit_bytes_ -= static_cast<double>(bytes);
}

std::chrono::milliseconds RateLimit::closed_for(Time now) {
  const std::lock_guard lock(mutex_);
  earn(now);
  if (credit_bytes_ >= 0) return std::chrono::milliseconds(0);
  const std::chrono::duration<double> seconds(-credit_bytes_ / static_cast<double>(bytes_per_second_));
  return std::chrono::ceil<std::chrono::milliseconds>(seconds);
}

}  // namespace drs
