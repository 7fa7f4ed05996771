#include "sinks/kafka/kafka_fetch_limits.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "io/base/bytes.h"

namespace drs {
namespace {

constexpr std::uint64_t kBytesBesideMessage = 460;  // measured with librdkafka 2.0.2
constexpr std::uint64_t kFetchBytesMin = 64 * kKiB;
constexpr std::uint64_t kFetchBytesMax = kMiB;            // larger ones are not faster, and cost memory
constexpr std::uint64_t kAnswerBytesMax = 1'000'000'000;  // a batch that is larger than fetch_bytes still arrives
constexpr std::uint64_t kMeasuredBytesMin = kMiB;         // received in an interval that tells the expansion

// The number that follows `name` in a JSON document; 0 if there is none.
std::uint64_t number_after(std::string_view json, std::string_view name) {
  const std::size_t at = json.find(name);
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = json.substr(at + name.size());
  const std::size_t digits = std::min(rest.find_first_not_of(" :"), rest.size());
  std::uint64_t number = 0;
  std::from_chars(rest.data() + digits, rest.data() + rest.size(), number);
  return number;
}

}  // namespace

// The default of 72 MiB for three brokers gives 16 MiB of values, 36 thousand messages, and answers of 1 MiB.
KafkaFetchLimits kafka_fetch_limits(std::uint64_t memory_bytes, std::uint32_t brokers, double expansion) {
  const std::uint64_t queue_bytes = std::clamp<std::uint64_t>(memory_bytes * 2 / 9, kMiB, kGiB);
  const std::uint64_t left_bytes = memory_bytes - std::min(memory_bytes, 2 * queue_bytes);
  const double answers = std::max(brokers, 1U) * (1 + std::max(expansion, kKafkaExpansion));
  const auto fetch_bytes = static_cast<std::uint64_t>(static_cast<double>(left_bytes) / answers);
  return {.queued_value_bytes = queue_bytes,
          .queued_messages = queue_bytes / kBytesBesideMessage,
          .fetch_bytes = std::clamp(fetch_bytes, kFetchBytesMin, kFetchBytesMax)};
}

std::vector<KafkaHandle::Own> fetch_settings(const KafkaFetchLimits& limits) {
  const std::string fetch_bytes = std::to_string(limits.fetch_bytes);
  return {{"queued.max.messages.kbytes", std::to_string(limits.queued_value_bytes / kKiB)},
          {"queued.min.messages", std::to_string(limits.queued_messages)},
          {"fetch.max.bytes", fetch_bytes},
          {"fetch.message.max.bytes", fetch_bytes},
          {"message.max.bytes", fetch_bytes},  // for a consumer only a lower bound of fetch.max.bytes
          {"receive.message.max.bytes", std::to_string(kAnswerBytesMax)}};
}

void KafkaExpansion::note(std::string_view statistics) {
  const std::uint64_t received_bytes = number_after(statistics, "\"rx_bytes\"");
  const std::uint64_t message_bytes = number_after(statistics, "\"rxmsg_bytes\"");
  const bool counts_on = received_bytes >= received_bytes_ && message_bytes >= message_bytes_;
  if (counts_on && received_bytes - received_bytes_ < kMeasuredBytesMin) return;
  if (counts_on)  // partitions that librdkafka forgets take their share of the sum with them
    value_ =
        static_cast<double>(message_bytes - message_bytes_) / static_cast<double>(received_bytes - received_bytes_);
  received_bytes_ = received_bytes;
  message_bytes_ = message_bytes;
}

}  // namespace drs
