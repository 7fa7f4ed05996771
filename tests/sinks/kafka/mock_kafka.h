// A cluster of brokers in this process: librdkafka's mock. It keeps 5 MiB of a partition and drops the oldest records
// beyond that; it has no transactions, no compaction and no admin requests.
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <string>
#include <vector>

#include "sinks/kafka/kafka_settings.h"

namespace drs {

class MockKafka {
 public:
  explicit MockKafka(int brokers = 3) : brokers_(brokers) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, nullptr);
    host_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nullptr, 0);
    DRS_ASSERT(host_ != nullptr, "no client");
    cluster_ = rd_kafka_mock_cluster_new(host_, brokers);
    DRS_ASSERT(cluster_ != nullptr, "no mock cluster");
  }
  ~MockKafka() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(host_);
  }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  [[nodiscard]] rd_kafka_mock_cluster_t* cluster() const { return cluster_; }
  [[nodiscard]] KafkaSettings settings() const {
    KafkaSettingsSources sources;
    sources.options = {std::string("bootstrap.servers=") + rd_kafka_mock_cluster_bootstraps(cluster_),
                       "reconnect.backoff.ms=10", "reconnect.backoff.max.ms=50"};
    Result<KafkaSettings> settings = KafkaSettings::read(sources);
    DRS_ASSERT(settings.ok(), "settings of the mock");
    return *std::move(settings);
  }
  void create(const std::string& topic, int partitions) const {
    DRS_ASSERT(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR,
               "no topic");
  }
  void set_down(bool down) const {
    for (int broker = 1; broker <= brokers_; ++broker)
      if (down)
        rd_kafka_mock_broker_set_down(cluster_, broker);
      else
        rd_kafka_mock_broker_set_up(cluster_, broker);
  }
  // The answers to the next requests of a kind (Kafka's protocol guide, "Api keys").
  void fail_next(std::int16_t api_key, const std::vector<rd_kafka_resp_err_t>& errors) const {
    rd_kafka_mock_push_request_errors_array(cluster_, api_key, errors.size(), errors.data());
  }

 private:
  int brokers_;
  rd_kafka_t* host_;
  rd_kafka_mock_cluster_t* cluster_;
};

inline constexpr std::int16_t kProduceKey = 0;
inline constexpr std::int16_t kFetchKey = 1;

}  // namespace drs
