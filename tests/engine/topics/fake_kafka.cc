#include "tests/engine/topics/fake_kafka.h"

#include <algorithm>

namespace drs::test {
namespace {

std::optional<ByteView> view_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return as_bytes(*text);
}

std::optional<std::string> text_of(const std::optional<ByteView>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

}  // namespace

FakeRecord copy_of(const Record& record) {
  FakeRecord copy{.offset = record.offset,
                  .timestamp_ms = record.timestamp_ms,
                  .type = record.timestamp_type,
                  .key = text_of(record.key),
                  .value = text_of(record.value),
                  .headers = {}};
  for (const RecordHeader& header : record.headers)
    copy.headers.emplace_back(as_text(header.name), text_of(header.value));
  return copy;
}

FakeRecord& FakePartition::append(FakeRecord record) {
  record.offset = end++;
  log.push_back(std::move(record));
  return log.back();
}

void FakePartition::delete_before(std::int64_t offset) {
  log_start = std::max(log_start, offset);
  std::erase_if(log, [&](const FakeRecord& record) { return record.offset < log_start; });
}

FakeTopic& FakeKafka::add_topic(const std::string& name, std::size_t partitions) {
  FakeTopic& topic = topics[name];
  topic = {};
  topic.partitions.resize(partitions);
  return topic;
}

Result<ClusterView> FakeKafka::look() {
  if (away) return Error(ErrorCode::kUnavailable, "the brokers do not answer");
  ClusterView view{.id = id, .client = "fake 1", .brokers = 1, .topics = {}};
  for (const auto& [name, topic] : topics)
    view.topics.push_back({.name = name,
                           .internal = name.starts_with("__"),
                           .id = topic.id,
                           .partitions = static_cast<std::uint32_t>(topic.partitions.size()),
                           .replication = 1});
  return view;
}

Result<std::vector<TopicConfig>> FakeKafka::configs(const std::string& topic) {
  if (before_configs) before_configs();
  const auto found = topics.find(topic);
  if (found == topics.end()) return Error(ErrorCode::kNotFound, "no topic " + topic);
  return found->second.configs;
}

Result<std::vector<std::string>> FakeKafka::groups() {
  std::vector<std::string> names;
  for (const auto& [name, offsets] : committed) names.push_back(name);
  return names;
}

Result<void> FakeKafka::create(const NewTopic& topic) {
  if (topics.contains(topic.name)) return Error(ErrorCode::kAlreadyExists, "topic " + topic.name + " exists");
  add_topic(topic.name, topic.partitions);
  const auto set = set_configs(topic.name, topic.configs);
  return set.ok() ? Result<void>() : set.error();
}

Result<void> FakeKafka::try_create(const NewTopic& topic) {
  return topics.contains(topic.name) ? Error(ErrorCode::kAlreadyExists, "topic " + topic.name + " exists")
                                     : Result<void>();
}

Result<std::vector<RefusedConfig>> FakeKafka::set_configs(const std::string& topic,
                                                          const std::map<std::string, std::string>& configs) {
  std::vector<TopicConfig>& now = topics.at(topic).configs;
  for (const auto& [name, value] : configs) {
    std::erase_if(now, [&](const TopicConfig& config) { return config.name == name; });
    now.push_back({name, value, ConfigSource::kTopic});
  }
  std::ranges::sort(now, {}, &TopicConfig::name);
  return std::vector<RefusedConfig>();
}

Result<std::vector<RefusedConfig>> FakeKafka::unset_configs(const std::string& topic,
                                                            std::span<const std::string> names) {
  std::erase_if(topics.at(topic).configs,
                [&](const TopicConfig& config) { return std::ranges::find(names, config.name) != names.end(); });
  return std::vector<RefusedConfig>();
}

Result<void> FakeKafka::set_group_offsets(const std::string& group, std::span<const GroupOffset> offsets) {
  committed[group].assign(offsets.begin(), offsets.end());
  return {};
}

Result<void> FakeKafka::delete_group_offsets(const std::string& group, std::span<const TopicPartition> partitions) {
  std::erase_if(committed.at(group), [&](const GroupOffset& offset) {
    return std::ranges::find(partitions, offset.partition) != partitions.end();
  });
  return {};
}

Result<std::vector<PartitionEnds>> FakeKafka::capture(std::span<const TopicPartition> partitions) {
  std::vector<PartitionEnds> ends;
  for (const TopicPartition& wanted : partitions) {
    const FakePartition& log = topics.at(wanted.topic).partitions.at(wanted.partition);
    ends.push_back({log.log_start, log.last_stable.value_or(log.end), log.end});
  }
  return ends;
}

Result<void> FakeKafka::read(const OffsetRange& range) {
  readings_.push_back({range, range.from});
  return {};
}

Result<void> FakeKafka::stop(std::uint32_t number) {
  std::erase_if(readings_, [&](const Reading& reading) { return reading.range.number == number; });
  return {};
}

Result<void> FakeKafka::renew() {
  if (away) return Error(ErrorCode::kUnavailable, "the brokers do not answer");
  client_skips = nullptr;
  ++renewals;
  return {};
}

Result<void> FakeKafka::deliver(Reading& reading, RecordVisitor& visitor, bool& done) {
  const std::uint32_t number = reading.range.number;
  const auto topic = topics.find(reading.range.partition.topic);
  if (topic == topics.end()) {
    done = true;
    return visitor.vanished(number);
  }
  const FakePartition& log = topic->second.partitions[reading.range.partition.partition];
  if (log.end < reading.range.to) return Error(ErrorCode::kTruncated, "the log ends early");
  if (reading.next < log.log_start) {
    reading.next = log.log_start;
    DRS_RETURN_IF_ERROR(visitor.overtaken(number, log.log_start));
  }
  if (log.make) return deliver_made(log, reading, visitor, done);
  std::size_t left = batch;
  for (auto record = std::ranges::lower_bound(log.log, reading.next, {}, &FakeRecord::offset); record != log.log.end();
       ++record) {
    if (record->offset >= reading.range.to) break;
    if (client_skips && client_skips(*record)) continue;
    if (left-- == 0) return {};
    DRS_RETURN_IF_ERROR(deliver_record(*record, reading, visitor));
  }
  done = true;
  return visitor.ended(number);
}

Result<void> FakeKafka::deliver_made(const FakePartition& log, Reading& reading, RecordVisitor& visitor, bool& done) {
  for (std::size_t left = batch; reading.next < reading.range.to && left > 0; --left) {
    made_.offset = reading.next;
    if (log.make(reading.next, made_))
      DRS_RETURN_IF_ERROR(deliver_record(made_, reading, visitor));
    else
      ++reading.next;
  }
  if (reading.next < reading.range.to) return {};
  done = true;
  return visitor.ended(reading.range.number);
}

Result<void> FakeKafka::deliver_record(const FakeRecord& record, Reading& reading, RecordVisitor& visitor) {
  std::vector<RecordHeader> headers;
  for (const auto& [name, value] : record.headers) headers.push_back({as_bytes(name), view_of(value)});
  reading.next = record.offset + 1;
  ++records_delivered;
  return visitor.record(reading.range.number, {.offset = record.offset,
                                               .timestamp_ms = record.timestamp_ms,
                                               .timestamp_type = record.type,
                                               .key = view_of(record.key),
                                               .value = view_of(record.value),
                                               .headers = headers});
}

Result<void> FakeKafka::poll(RecordVisitor& visitor) {
  if (before_poll) before_poll();
  if (away) readings_.clear();
  if (away) return Error(ErrorCode::kUnavailable, "the brokers do not answer");
  for (std::size_t i = 0; i < ranges_in_a_poll && !readings_.empty(); ++i) {
    Reading reading = readings_.front();
    readings_.pop_front();
    bool done = false;
    DRS_RETURN_IF_ERROR(deliver(reading, visitor, done));
    if (!done) readings_.push_back(reading);
  }
  return {};
}

}  // namespace drs::test
