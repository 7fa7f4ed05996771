// What the commands of `drstream kafka` have in common: how to reach a cluster.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

#include "engine/topics/cluster_state.h"
#include "io/record_source.h"
#include "io/topic_cluster.h"
#include "sinks/kafka/kafka_handle.h"
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

// An error of a cluster that is restored to: one that cannot be reached is not a repository that cannot be reached.
template <typename T>
Result<T> of_kafka_target(Result<T> result) {
  if (result.ok()) return result;
  return as_target_error(std::move(result).error());
}

// "orders/3". Errors: kUsage.
Result<TopicPartition> parse_topic_partition(std::string_view text);

}  // namespace drs
