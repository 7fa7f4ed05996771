// RequestCounts: the number of requests sent to a store, by kind. Stores bill attempts; attempts beyond the requests
// show a failing network. Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace drs {

enum class RequestKind : std::uint8_t { kOther, kPut, kGet, kStat, kList, kRemove, kRetain };

struct RequestCount {
  std::string kind;              // "put", "get", "stat", "list", "remove", "retain", "other"
  std::uint64_t requests = 0;    // each counted when it ends
  std::uint64_t attempts = 0;    // sent, and billed; more than `requests` if some were repeated
  std::uint64_t sent_bytes = 0;  // of bodies, over all attempts
  std::uint64_t received_bytes = 0;
};

class RequestCounts {
 public:
  void count_attempt(RequestKind kind, std::uint64_t sent_bytes, std::uint64_t received_bytes);
  void count_request(RequestKind kind);
  // The kinds that were used, in the order of RequestKind.
  [[nodiscard]] std::vector<RequestCount> totals() const;

 private:
  static constexpr std::size_t kKinds = 7;
  struct Counter {
    std::atomic<std::uint64_t> requests{0}, attempts{0}, sent_bytes{0}, received_bytes{0};
  };
  std::array<Counter, kKinds> counters_;
};

}  // namespace drs
