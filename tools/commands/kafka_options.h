// What the commands of `drstream kafka` have in common: how to reach a cluster.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "io/topic_cluster.h"
#include "sinks/kafka/kafka_handle.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_settings.h"
#include "tools/command.h"

namespace drs {

struct KafkaOptions {
  std::string bootstrap;
  std::string config_file;
  std::vector<std::string> configs;  // NAME=VALUE
};

void declare_kafka_options(CLI::App& app, KafkaOptions& options);

// From the file, the environment and the options. Errors: kUsage.
Result<KafkaSettings> kafka_settings(const CommandContext& context, const KafkaOptions& options);

// For every client of a command. The context outlives the clients.
KafkaClientOptions kafka_client_options(CommandContext& context);

// What reads a cluster.
struct KafkaClients {
  std::unique_ptr<TopicCluster> cluster;
  std::unique_ptr<KafkaReader> reader;
  void cancel() const {
    cluster->cancel();
    reader->cancel();
  }
};
Result<std::unique_ptr<TopicCluster>> connect_cluster(CommandContext& context, const KafkaSettings& settings);
struct KafkaReading {
  std::size_t memory_bytes = 0;
  bool read_uncommitted = false;
  const CancelToken* hurry = nullptr;  // as KafkaClientOptions
};
Result<KafkaClients> connect_kafka(CommandContext& context, const KafkaSettings& settings, const KafkaReading& reading);

// "orders/3". Errors: kUsage.
Result<TopicPartition> parse_topic_partition(std::string_view text);

}  // namespace drs
