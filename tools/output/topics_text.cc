#include "tools/output/topics_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "codecs/base64.h"
#include "tools/output/output.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/output/summary_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

std::string_view state_name(PartitionState state) {
  switch (state) {
    case PartitionState::kComplete: return "complete";
    case PartitionState::kPartial: return "partial";
    case PartitionState::kHistory: return "history";
  }
  return "unknown";
}

std::string_view source_name(ConfigSource source) {
  switch (source) {
    case ConfigSource::kTopic: return "topic";
    case ConfigSource::kBroker: return "broker";
    case ConfigSource::kClusterDefault: return "cluster-default";
    case ConfigSource::kStatic: return "static";
    case ConfigSource::kDefault: return "default";
    case ConfigSource::kUnknown: break;
  }
  return "unknown";
}

std::string_view timestamp_type_name(TimestampType type) {
  switch (type) {
    case TimestampType::kNone: return "none";
    case TimestampType::kCreateTime: return "create";
    case TimestampType::kLogAppendTime: return "log-append";
  }
  return "none";
}

nlohmann::ordered_json partition_json(const CataloguePartition& partition) {
  nlohmann::ordered_json out;
  out["partition"] = partition.number;
  out["state"] = state_name(partition.state);
  out["from_offset"] = partition.from;
  out["to_offset"] = partition.to;
  out["records"] = partition.records;
  out["log_start"] = partition.log_start;
  out["last_stable"] = partition.last_stable;
  out["high_watermark"] = partition.high_watermark;
  out["lost_offsets"] = partition.lost_offsets;
  out["extents"] = partition.extents;
  return out;
}

nlohmann::ordered_json configs_json(const std::vector<TopicConfig>& configs) {
  auto out = nlohmann::ordered_json::array();
  for (const TopicConfig& config : configs) {
    nlohmann::ordered_json one;
    one["name"] = config.name;
    if (config.value) one["value"] = *config.value;
    one["origin"] = source_name(config.source);
    out.push_back(std::move(one));
  }
  return out;
}

// Text under `name`, bytes that are no text under `name`_base64, null as null.
void set_bytes(nlohmann::ordered_json& out, const std::string& name, const std::optional<ByteView>& bytes) {
  if (!bytes)
    out[name] = nullptr;
  else if (is_utf8(as_text(*bytes)))
    out[name] = std::string(as_text(*bytes));
  else
    out[name + "_base64"] = to_base64(*bytes);
}

struct TopicSums {
  std::uint64_t records = 0;
  std::uint64_t lost_offsets = 0;
  bool partial = false;
};

TopicSums sums_of(const CatalogueTopic& topic) {
  TopicSums sums;
  for (const CataloguePartition& partition : topic.partitions) {
    sums.records += partition.records;
    sums.lost_offsets += partition.lost_offsets;
    sums.partial = sums.partial || partition.state == PartitionState::kPartial;
  }
  return sums;
}

std::string name_with_generation(const CatalogueTopic& topic) {
  return topic.generation == 1 ? topic.name : fmt::format("{} (generation {})", topic.name, topic.generation);
}

std::string topic_line(const CatalogueTopic& topic) {
  const TopicSums sums = sums_of(topic);
  std::string line = fmt::format("{}: {}, {}", printable_value(name_with_generation(topic)),
                                 counted(topic.partitions.size(), "partition"), counted(sums.records, "record"));
  if (sums.lost_offsets > 0) line += fmt::format(", {} offsets lost to retention", sums.lost_offsets);
  if (sums.partial) line += ", partial";
  if (!topic.partitions.empty() && topic.partitions.front().state == PartitionState::kHistory) line += ", history";
  return line + "\n";
}

std::string detail_text(const PartitionDetail& detail) {
  std::string out = fmt::format("     {}{} of keys, values and headers", detail.payload_is_estimated ? "about " : "",
                                format_size(detail.payload_bytes));
  if (detail.missing_offsets > 0)
    out += fmt::format("; {} without a record, in {}", counted(detail.missing_offsets, "offset"),
                       counted(detail.gaps_count, "gap"));
  out += "\n";
  for (const Gap& gap : detail.gaps)
    out += fmt::format("     gap {} to {}: {}\n", gap.from, gap.from + static_cast<std::int64_t>(gap.offsets),
                       gap_cause_name(gap.cause));
  return out;
}

nlohmann::ordered_json detail_json(const PartitionDetail& detail) {
  nlohmann::ordered_json out;
  out["payload_bytes"] = detail.payload_bytes;
  out["missing_offsets"] = detail.missing_offsets;
  out["gaps_count"] = detail.gaps_count;
  out["gaps"] = nlohmann::ordered_json::array();
  for (const Gap& gap : detail.gaps)
    out["gaps"].push_back(
        {{"from_offset", gap.from}, {"offset_count", gap.offsets}, {"cause", json_word(gap_cause_name(gap.cause))}});
  return out;
}

std::string partition_lines(const CatalogueTopic& topic, const TopicDetails& details) {
  std::string out = topic_line(topic);
  for (const TopicConfig& config : topic.configs)
    out += fmt::format("  config {}={} ({})\n", printable_value(config.name),
                       config.value ? printable_value(*config.value) : "(sensitive)", source_name(config.source));
  const auto found = details.find(topic.generation);
  for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
    const CataloguePartition& partition = topic.partitions[i];
    out += fmt::format("  {}: offsets {} to {}, {}, {}; the log had {} to {}, stable up to {}{}\n", partition.number,
                       partition.from, partition.to, counted(partition.records, "record"), state_name(partition.state),
                       partition.log_start, partition.high_watermark, partition.last_stable,
                       partition.lost_offsets == 0
                           ? std::string()
                           : fmt::format("; {} offsets lost to retention", partition.lost_offsets));
    if (found != details.end() && i < found->second.size()) out += detail_text(found->second[i]);
  }
  return out;
}

nlohmann::ordered_json topic_json(const CatalogueTopic& topic) {
  nlohmann::ordered_json out;
  out["topic"] = topic.name;
  out["generation"] = topic.generation;
  if (!topic.id.is_zero()) out["topic_id"] = topic.id.hex();
  out["replication"] = topic.replication;
  out["configs"] = configs_json(topic.configs);
  out["partitions"] = nlohmann::ordered_json::array();
  for (const CataloguePartition& partition : topic.partitions) out["partitions"].push_back(partition_json(partition));
  return out;
}

}  // namespace

nlohmann::ordered_json topics_json(const TopicCatalogue& catalogue) {
  auto topics = nlohmann::ordered_json::array();
  for (const CatalogueTopic& topic : catalogue.topics) topics.push_back(topic_json(topic));
  return topics;
}

nlohmann::ordered_json catalogue_json(const TopicCatalogue& catalogue, const std::string& topic,
                                      const TopicDetails& details) {
  nlohmann::ordered_json out;
  const CatalogueCluster& cluster = catalogue.cluster;
  out["cluster"]["id"] = cluster.id;
  out["cluster"]["brokers"] = cluster.brokers;
  out["cluster"]["client"] = cluster.client;
  out["cluster"]["captured"] = format_time_utc(cluster.captured_ns);
  out["cluster"]["read_uncommitted"] = cluster.read_uncommitted;
  out["history"] = cluster.history;
  out["topics"] = nlohmann::ordered_json::array();
  for (const CatalogueTopic& each : catalogue.topics) {
    if (!topic.empty() && each.name != topic) continue;
    nlohmann::ordered_json one = topic_json(each);
    if (const auto found = details.find(each.generation); found != details.end())
      for (std::size_t i = 0; i < found->second.size(); ++i) one["partitions"][i].update(detail_json(found->second[i]));
    out["topics"].push_back(std::move(one));
  }
  out["groups"] = nlohmann::ordered_json::array();
  for (const CatalogueGroup& group : catalogue.groups) {
    nlohmann::ordered_json one;
    one["group"] = group.name;
    one["offsets"] = nlohmann::ordered_json::array();
    for (const GroupOffset& offset : group.offsets)
      one["offsets"].push_back(
          {{"topic", offset.partition.topic}, {"partition", offset.partition.partition}, {"offset", offset.offset}});
    out["groups"].push_back(std::move(one));
  }
  return out;
}

std::string catalogue_text(const TopicCatalogue& catalogue, const std::string& topic, const TopicDetails& details) {
  std::string out;
  for (const CatalogueTopic& each : catalogue.topics) {
    if (topic.empty()) out += topic_line(each);
    if (each.name == topic) out += partition_lines(each, details);
  }
  if (!topic.empty()) return out;
  for (const CatalogueGroup& group : catalogue.groups)
    out += fmt::format("group {}: offsets in {}\n", printable_value(group.name),
                       counted(group.offsets.size(), "partition"));
  return out;
}

std::string archived_text(const ArchiveReport& report) {
  const ManifestHeader& manifest = report.manifest;
  return fmt::format("archived {} #{} {}: {} of {}, {} new ({}), {}{}", manifest.stream, manifest.sequence,
                     manifest.session.hex().substr(0, kIdDigitsShown), counted(report.records, "record"),
                     counted(report.catalogue.topics.size(), "topic"), report.records_read,
                     format_size(report.payload_bytes_read), pace_text(report.payload_bytes_read, report.elapsed),
                     report.partial.empty() ? "" : fmt::format("; partial ({})", report.partial));
}

std::string partial_text(const TopicCatalogue& catalogue) {
  std::string out;
  for (const CatalogueTopic& topic : catalogue.topics)
    for (const CataloguePartition& partition : topic.partitions)
      if (partition.state == PartitionState::kPartial)
        out += fmt::format("{}/{} through {} of {}\n", printable_value(topic.name), partition.number, partition.to,
                           catalogue.cluster.read_uncommitted ? partition.high_watermark : partition.last_stable);
  return out;
}

nlohmann::ordered_json plan_json(const ArchivePreview& preview) {
  nlohmann::ordered_json out;
  out["offsets_to_read"] = preview.plan.offsets_to_read();
  out["topics"] = nlohmann::ordered_json::array();
  for (const PlannedTopic& topic : preview.plan.topics) {
    nlohmann::ordered_json one;
    one["topic"] = topic.topic.name;
    one["generation"] = topic.generation;
    one["partitions"] = nlohmann::ordered_json::array();
    for (const PlannedPartition& partition : topic.partitions) {
      auto reads = nlohmann::ordered_json::array();
      for (const OffsetSpan& span : partition.reads)
        reads.push_back({{"from_offset", span.from}, {"to_offset", span.to}});
      one["partitions"].push_back({{"partition", partition.number}, {"reads", std::move(reads)}});
    }
    out["topics"].push_back(std::move(one));
  }
  out["groups"] = nlohmann::ordered_json::array();
  for (const CatalogueGroup& group : preview.groups) out["groups"].push_back(group.name);
  out["warnings"] = preview.plan.warnings;
  return out;
}

std::string plan_text(const ArchivePreview& preview) {
  std::string out;
  for (const PlannedTopic& topic : preview.plan.topics) {
    std::uint64_t offsets = 0;
    for (const PlannedPartition& partition : topic.partitions)
      for (const OffsetSpan& span : partition.reads) offsets += static_cast<std::uint64_t>(span.to - span.from);
    out += fmt::format("{}: {}, at most {} to read\n", printable_value(topic.topic.name),
                       counted(topic.partitions.size(), "partition"), counted(offsets, "record"));
  }
  out += fmt::format("{} with offsets in these topics\n", counted(preview.groups.size(), "group"));
  return out;
}

nlohmann::ordered_json record_json(const Record& record) {
  nlohmann::ordered_json out;
  out["offset"] = record.offset;
  out["timestamp"] = record.timestamp_ms;
  out["timestamp_type"] = timestamp_type_name(record.timestamp_type);
  set_bytes(out, "key", record.key);
  set_bytes(out, "value", record.value);
  out["headers"] = nlohmann::ordered_json::array();
  for (const RecordHeader& header : record.headers) {
    nlohmann::ordered_json one;
    set_bytes(one, "name", header.name);
    set_bytes(one, "value", header.value);
    out["headers"].push_back(std::move(one));
  }
  return out;
}

}  // namespace drs
