#include "sinks/kafka/kafka_fetch_limits.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(KafkaFetchLimits, StayBelowTheBoundTogether) {
  for (const std::uint64_t memory_bytes : {32 * kMiB, 72 * kMiB, 200 * kMiB, kGiB})
    for (const std::uint32_t brokers : {1U, 3U, 12U}) {
      const KafkaFetchLimits limits = kafka_fetch_limits(memory_bytes, brokers);
      EXPECT_LE(limits.queued_value_bytes + 460 * limits.queued_messages + brokers * limits.fetch_bytes * 13,
                memory_bytes)
          << memory_bytes << " " << brokers;
      EXPECT_GE(limits.fetch_bytes, 64 * kKiB);
    }
}

TEST(KafkaFetchLimits, AreAMebibyteForThreeBrokers) {
  const KafkaFetchLimits limits = kafka_fetch_limits(72 * kMiB, 3);
  EXPECT_EQ(limits.queued_value_bytes, 16 * kMiB);
  EXPECT_NEAR(static_cast<double>(limits.queued_messages), 36'500, 500);
  EXPECT_NEAR(static_cast<double>(limits.fetch_bytes), static_cast<double>(kMiB), 30'000);
}

TEST(KafkaFetchLimits, ShrinkWhereBatchesExpandMoreButNeverGrow) {
  const std::uint64_t usual_bytes = kafka_fetch_limits(72 * kMiB, 6).fetch_bytes;
  EXPECT_LT(kafka_fetch_limits(72 * kMiB, 6, 50).fetch_bytes, usual_bytes / 3);
  EXPECT_EQ(kafka_fetch_limits(72 * kMiB, 6, 1.5).fetch_bytes, usual_bytes);
}

TEST(KafkaExpansion, IsThatOfTheLastInterval) {
  KafkaExpansion expansion;
  EXPECT_EQ(expansion.value(), std::nullopt);
  expansion.note(R"({"rx":5,"rx_bytes":2000000,"rxmsgs":7, "rxmsg_bytes": 60000000})");
  EXPECT_DOUBLE_EQ(expansion.value().value_or(0), 30);
  expansion.note(R"({"rx_bytes":2000010,"rxmsg_bytes":60000000})");  // too little to tell
  EXPECT_DOUBLE_EQ(expansion.value().value_or(0), 30);
  expansion.note(R"({"rx_bytes":12000000,"rxmsg_bytes":70000000})");
  EXPECT_DOUBLE_EQ(expansion.value().value_or(0), 1);
  expansion.note(R"({"rx_bytes":13000000,"rxmsg_bytes":1000000})");  // a partition was forgotten
  EXPECT_DOUBLE_EQ(expansion.value().value_or(0), 1);
  expansion.note(R"({"rx_bytes":15000000,"rxmsg_bytes":5000000})");
  EXPECT_DOUBLE_EQ(expansion.value().value_or(0), 2);
  for (const char* broken : {"", "{}", "\"rx_bytes\"", "\"rx_bytes\":-5,\"rxmsg_bytes\":x"}) expansion.note(broken);
}

TEST(KafkaFetchLimits, NeverReachZero) {
  const KafkaFetchLimits limits = kafka_fetch_limits(0, 0);
  EXPECT_GT(limits.queued_value_bytes, 0U);
  EXPECT_GT(limits.queued_messages, 0U);
  EXPECT_GT(limits.fetch_bytes, 0U);
}

}  // namespace
}  // namespace drs
