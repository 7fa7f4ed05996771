// Maps the errors of librdkafka and of brokers to ours.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

// What is asked of the brokers, for the text of an error.
struct KafkaAct {
  std::string what;   // "reading topic 'orders'"
  std::string right;  // what an authorizer must allow: "Read on topic 'orders'"; may be empty
};

// kDenied: not authorized, or the login failed. kNotFound: no such topic, partition or group. kAlreadyExists. kUsage:
// the broker refuses the request as such. kCorrupt: bytes with a wrong CRC. kTruncated: an offset outside the log.
// kBusy: the group has members. kUnsettled: an idempotent producer has lost track. kUnavailable: all others.
ErrorCode kafka_error_code(rd_kafka_resp_err_t error);

// `detail`: what librdkafka or the broker says; where it is empty, the name of the error.
Error kafka_error(rd_kafka_resp_err_t error, std::string_view detail, const KafkaAct& act);

// Whether the same request may succeed soon: the cluster moves a role from one broker to another.
bool is_passing_kafka_error(rd_kafka_resp_err_t error);

// Text of librdkafka or of a broker, fit for a message.
std::string kafka_text(std::string_view text);

}  // namespace drs
