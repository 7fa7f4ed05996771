#include "sinks/kafka/kafka_topic_configs.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(KafkaTopicConfigs, OwnChangesCountThoughTheBrokerDoesNotKnowThem) {
  const std::vector<TopicConfig> told = {{"cleanup.policy", "delete", ConfigSource::kTopic},
                                         {"max.message.bytes", "1000", ConfigSource::kStatic},
                                         {"message.timestamp.type", "CreateTime", ConfigSource::kTopic},
                                         {"segment.ms", "5", ConfigSource::kTopic}};
  const KafkaConfigChanges made = {{"cleanup.policy", std::nullopt},
                                   {"max.message.bytes", "2000"},
                                   {"message.timestamp.type", "LogAppendTime"},
                                   {"retention.ms", "7"}};
  const std::vector<TopicConfig> expected = {{"max.message.bytes", "2000", ConfigSource::kTopic},
                                             {"message.timestamp.type", "LogAppendTime", ConfigSource::kTopic},
                                             {"retention.ms", "7", ConfigSource::kTopic},
                                             {"segment.ms", "5", ConfigSource::kTopic}};
  EXPECT_EQ(after_kafka_config_changes(told, made), expected);
  EXPECT_EQ(after_kafka_config_changes(expected, made), expected);  // a broker that knows them
  EXPECT_EQ(after_kafka_config_changes(told, {}), told);
}

TEST(KafkaTopicConfigs, ARemovedConfigurationLeavesThatOfTheBroker) {
  const std::vector<TopicConfig> told = {{"max.message.bytes", "1000", ConfigSource::kStatic}};
  EXPECT_EQ(after_kafka_config_changes(told, {{"max.message.bytes", std::nullopt}}), told);
}

}  // namespace
}  // namespace drs
