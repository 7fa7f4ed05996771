#include "sinks/kafka/kafka_fetch_limits.h"

#include <algorithm>
#include <string>

#include "io/base/bytes.h"

namespace drs {
namespace {

constexpr std::uint64_t kBytesBesideMessage = 460;  // measured with librdkafka 2.0.2
constexpr std::uint64_t kExpansion = 12;
constexpr std::uint64_t kFetchBytesMin = 64 * kKiB;
constexpr std::uint64_t kFetchBytesMax = 8 * kMiB;
constexpr std::uint64_t kAnswerBytesMax = 1'000'000'000;  // a batch that is larger than fetch_bytes still arrives

}  // namespace

// The default of 72 MiB for three brokers gives 16 MiB of values, 36 thousand messages, and answers of 1 MiB.
KafkaFetchLimits kafka_fetch_limits(std::uint64_t memory_bytes, std::uint32_t brokers) {
  const std::uint64_t queue_bytes = std::clamp<std::uint64_t>(memory_bytes * 2 / 9, kMiB, kGiB);
  const std::uint64_t answers = std::max<std::uint64_t>(brokers, 1) * (1 + kExpansion);
  const std::uint64_t left_bytes = memory_bytes - std::min(memory_bytes, 2 * queue_bytes);
  return {.queued_value_bytes = queue_bytes,
          .queued_messages = queue_bytes / kBytesBesideMessage,
          .fetch_bytes = std::clamp(left_bytes / answers, kFetchBytesMin, kFetchBytesMax)};
}

std::vector<KafkaHandle::Own> fetch_settings(const KafkaFetchLimits& limits) {
  const std::string fetch_bytes = std::to_string(limits.fetch_bytes);
  return {{"queued.max.messages.kbytes", std::to_string(limits.queued_value_bytes / kKiB)},
          {"queued.min.messages", std::to_string(limits.queued_messages)},
          {"fetch.max.bytes", fetch_bytes},
          {"fetch.message.max.bytes", fetch_bytes},
          // For a consumer only a lower bound of fetch.max.bytes.
          {"message.max.bytes", std::to_string(std::min<std::uint64_t>(limits.fetch_bytes, kMiB))},
          {"receive.message.max.bytes", std::to_string(kAnswerBytesMax)}};
}

}  // namespace drs
