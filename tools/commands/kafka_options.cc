#include "tools/commands/kafka_options.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <charconv>
#include <map>

#include "sinks/kafka/kafka_cluster.h"
#include "tools/cli/option_builder.h"
#include "tools/repository/process_environment.h"

namespace drs {
namespace {

constexpr std::string_view kBootstrapServers = "bootstrap.servers";
constexpr int kReturnedBytesMin = 4 << 20;

// The variables that name settings of librdkafka: not those of options of ours.
std::map<std::string_view, std::string_view> kafka_variables() {
  std::map<std::string_view, std::string_view> variables;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || !text.starts_with(kKafkaVariablePrefix)) continue;
    const std::string_view name = text.substr(0, equals);
    if (name == variable_name("kafka-config") || name == variable_name("kafka-config-file")) continue;
    variables.emplace(name, text.substr(equals + 1));
  }
  return variables;
}

// A record of many MiB passes through several threads. By default glibc keeps memory as large as the largest that was
// freed, in the arena of each.
void return_large_memory() {
  // Without effect under AddressSanitizer.
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, kReturnedBytesMin));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, 2 * kReturnedBytesMin));
}

}  // namespace

void declare_kafka_options(CLI::App& app, KafkaOptions& options) {
  constexpr const char* kGroup = "Kafka";
  as_setting(add_text(app, "--bootstrap", options.bootstrap, "HOST:PORT,...", "Some brokers of the cluster"))
      ->group(kGroup);
  as_setting(add_text(app, "--kafka-config-file", options.config_file, "FILE",
                      "Settings of librdkafka, such as a client.properties: security.protocol, sasl.password"))
      ->group(kGroup);
  add_texts(app, "--kafka-config", options.configs, "NAME=VALUE",
            "One setting of librdkafka; may be given several times. Secrets only by file, or by variables such as "
            "DRSTREAM_KAFKA_SASL_PASSWORD")
      ->group(kGroup);
}

Result<KafkaSettings> kafka_settings(const CommandContext& context, const KafkaOptions& options) {
  KafkaSettingsSources sources;
  SecretBytes file;
  if (!options.config_file.empty()) {
    auto text = read_small_file(options.config_file, context.cancel);
    if (!text.ok()) return Error(ErrorCode::kUsage, "--kafka-config-file: " + text.error().message);
    file = *std::move(text);
    sources.file_name = options.config_file;
    sources.file = as_text(file.view());
  }
  sources.environment = kafka_variables();
  sources.options = options.configs;
  if (!options.bootstrap.empty()) sources.options.push_back(fmt::format("{}={}", kBootstrapServers, options.bootstrap));
  DRS_ASSIGN_OR_RETURN(KafkaSettings settings, KafkaSettings::read(sources));
  if (!settings.value(kBootstrapServers))
    return Error(ErrorCode::kUsage, "--bootstrap is missing: some brokers of the cluster, such as b1:9092,b2:9092");
  return settings;
}

KafkaClientOptions kafka_client_options(CommandContext& context) {
  KafkaClientOptions options;
  options.token_child = child_options({});
  options.log = [&log = context.log](int severity, std::string_view line) {
    constexpr int kError = 3;  // of syslog
    if (severity <= kError)
      log.warn("kafka: {}", line);
    else
      log.debug("kafka: {}", line);
  };
  return options;
}

Result<std::unique_ptr<TopicCluster>> connect_cluster(CommandContext& context, const KafkaSettings& settings) {
  return KafkaCluster::connect(settings, {.client = kafka_client_options(context)});
}

Result<KafkaClients> connect_kafka(CommandContext& context, const KafkaSettings& settings,
                                   const KafkaReading& reading) {
  return_large_memory();
  KafkaClients clients;
  KafkaReader::Options options;
  options.client = kafka_client_options(context);
  options.client.hurry = reading.hurry;
  DRS_ASSIGN_OR_RETURN(clients.cluster, KafkaCluster::connect(settings, {.client = options.client}));
  const auto cancelling = context.cancel.on_cancel([&] { clients.cluster->cancel(); });
  DRS_ASSIGN_OR_RETURN(const ClusterView view, clients.cluster->look());
  options.read_uncommitted = reading.read_uncommitted;
  options.memory_bytes = reading.memory_bytes;
  options.brokers = view.brokers;
  DRS_ASSIGN_OR_RETURN(clients.reader, KafkaReader::connect(settings, options));
  return clients;
}

Result<TopicPartition> parse_topic_partition(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  std::uint32_t partition = 0;
  const char* const end = text.data() + text.size();
  const bool split = slash != std::string_view::npos && slash > 0 && slash + 1 < text.size();
  const auto parsed = split ? std::from_chars(text.data() + slash + 1, end, partition)
                            : std::from_chars_result{end, std::errc::invalid_argument};
  if (parsed.ec != std::errc() || parsed.ptr != end)
    return Error(ErrorCode::kUsage, fmt::format("'{}' is no partition: give TOPIC/NUMBER, such as orders/3", text));
  return TopicPartition{std::string(text.substr(0, slash)), partition};
}

}  // namespace drs
