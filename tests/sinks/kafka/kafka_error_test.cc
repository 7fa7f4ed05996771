#include "sinks/kafka/kafka_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(KafkaError, MapsEachKindToTheCodeThatACallerActsOn) {
  const std::pair<rd_kafka_resp_err_t, ErrorCode> cases[] = {
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorCode::kDenied},
      {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, ErrorCode::kDenied},
      {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ErrorCode::kDenied},
      {RD_KAFKA_RESP_ERR__AUTHENTICATION, ErrorCode::kDenied},
      {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, ErrorCode::kDenied},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ErrorCode::kNotFound},
      {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ErrorCode::kNotFound},
      {RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, ErrorCode::kAlreadyExists},
      {RD_KAFKA_RESP_ERR_INVALID_CONFIG, ErrorCode::kUsage},
      {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, ErrorCode::kUsage},
      {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ErrorCode::kUsage},
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorCode::kUsage},
      {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ErrorCode::kUsage},
      {RD_KAFKA_RESP_ERR__BAD_MSG, ErrorCode::kCorrupt},
      {RD_KAFKA_RESP_ERR__BAD_COMPRESSION, ErrorCode::kCorrupt},
      {RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, ErrorCode::kTruncated},
      {RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, ErrorCode::kTruncated},
      {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, ErrorCode::kBusy},
      {RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP, ErrorCode::kBusy},
      {RD_KAFKA_RESP_ERR__FATAL, ErrorCode::kUnsettled},
      {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorCode::kUnsettled},
      {RD_KAFKA_RESP_ERR__TIMED_OUT, ErrorCode::kUnavailable},
      {RD_KAFKA_RESP_ERR__TRANSPORT, ErrorCode::kUnavailable},
      {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, ErrorCode::kUnavailable},
      {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, ErrorCode::kUnavailable},
      {RD_KAFKA_RESP_ERR_UNKNOWN, ErrorCode::kUnavailable}};
  for (const auto& [error, code] : cases) EXPECT_EQ(kafka_error_code(error), code) << rd_kafka_err2name(error);
}

TEST(KafkaError, NamesTheRightThatIsMissing) {
  const KafkaAct act{"reading topic 'a'", "Read on topic 'a'"};
  EXPECT_EQ(kafka_error(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, {}, act).message,
            "reading topic 'a': Broker: Topic authorization failed; it takes the right Read on topic 'a'");
  EXPECT_EQ(kafka_error(RD_KAFKA_RESP_ERR__AUTHENTICATION, "wrong password", act).message,
            "reading topic 'a': wrong password");
}

TEST(KafkaError, MakesTheTextOfABrokerSafe) {
  EXPECT_EQ(kafka_error(RD_KAFKA_RESP_ERR_INVALID_CONFIG, "a\x1b[31m\nb", {"x", {}}).message, "x: a?[31m b");
}

TEST(KafkaError, PassesOnlyWhileARoleMoves) {
  EXPECT_TRUE(is_passing_kafka_error(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS));
  EXPECT_FALSE(is_passing_kafka_error(RD_KAFKA_RESP_ERR_NO_ERROR));
  EXPECT_FALSE(is_passing_kafka_error(RD_KAFKA_RESP_ERR__TIMED_OUT));
}

}  // namespace
}  // namespace drs
