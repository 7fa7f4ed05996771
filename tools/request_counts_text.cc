#include "tools/request_counts_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/size_text.h"

namespace drs {

std::string request_counts_text(const std::vector<RequestCount>& counts) {
  if (counts.empty()) return "";
  std::string kinds;
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  for (const RequestCount& count : counts) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count.kind, count.requests);
    if (count.attempts > count.requests) kinds += fmt::format(" ({} made again)", count.attempts - count.requests);
    sent_bytes += count.sent_bytes;
    received_bytes += count.received_bytes;
  }
  return fmt::format("requests: {}; sent {}, received {}\n", kinds, format_size(sent_bytes),
                     format_size(received_bytes));
}

nlohmann::ordered_json request_counts_json(const std::vector<RequestCount>& counts) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const RequestCount& count : counts)
    out[count.kind] = {{"requests", count.requests},
                       {"attempts", count.attempts},
                       {"sent_bytes", count.sent_bytes},
                       {"received_bytes", count.received_bytes}};
  return out;
}

}  // namespace drs
