// One call of librdkafka's admin API, awaited. Internal to this folder.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>

#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_owners.h"

namespace drs {

struct KafkaAdminCall {
  rd_kafka_admin_op_t op = RD_KAFKA_ADMIN_OP_ANY;
  KafkaAct act;
  bool validate_only = false;  // the brokers check the request and change nothing
  // Sends the request; its result goes to `queue`.
  std::function<void(const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue)> start;
  // The error of the one topic, partition or group that the result is about. Empty: there is none beside that of the
  // whole. An error that passes repeats the request; the caller judges all others.
  std::function<rd_kafka_resp_err_t(rd_kafka_event_t* result)> item_error;
};

// Returns the result, which is of the call's kind. Errors: those of kafka_error; kUnavailable (no answer in time; a
// change may have been made); kCancelled.
Result<KafkaEvent> call_kafka_admin(KafkaHandle& handle, const KafkaAdminCall& call);

}  // namespace drs
