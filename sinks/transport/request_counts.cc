#include "sinks/transport/request_counts.h"

#include <string_view>

namespace drs {
namespace {

constexpr std::array<std::string_view, 7> kNames = {"other", "put", "get", "stat", "list", "remove", "retain"};

}  // namespace

void RequestCounts::count_attempt(RequestKind kind, std::uint64_t sent_bytes, std::uint64_t received_bytes) {
  Counter& counter = counters_[static_cast<std::size_t>(kind)];
  ++counter.attempts;
  counter.sent_bytes += sent_bytes;
  counter.received_bytes += received_bytes;
}

void RequestCounts::count_request(RequestKind kind) {
  ++counters_[static_cast<std::size_t>(kind)].requests;
}

std::vector<RequestCount> RequestCounts::totals() const {
  static_assert(kNames.size() == kKinds);
  std::vector<RequestCount> totals;
  for (std::size_t i = 0; i < kKinds; ++i) {
    const Counter& counter = counters_[i];
    if (counter.attempts == 0 && counter.requests == 0) continue;
    totals.push_back(
        {std::string(kNames[i]), counter.requests, counter.attempts, counter.sent_bytes, counter.received_bytes});
  }
  return totals;
}

}  // namespace drs
