#include "engine/format/catalogue_sections.h"

#include <tuple>

#include "engine/format/corrupt.h"

namespace drs {
namespace {

constexpr std::size_t kTopicBytesMin = 2 + 1 + 4 + Uuid::kBytes + 2 + 4 + 4;
constexpr std::size_t kConfigBytesMin = 2 + 1 + 4 + 1;
constexpr std::size_t kPartitionBytes = 4 + 1 + 3 * 8 + 8 + 8 + 2 * 8 + 8 + 4;
constexpr std::size_t kGroupBytesMin = 2 + 4;
constexpr std::size_t kGroupOffsetBytesMin = 2 + 1 + 4 + 8 + 2;
constexpr auto kStateMax = static_cast<std::uint8_t>(PartitionState::kHistory);
constexpr auto kSourceMax = static_cast<std::uint8_t>(ConfigSource::kDefault);

// The count of entries of which each takes `entry_bytes_min` or more.
Result<std::uint32_t> read_count(ByteReader& reader, std::string_view entries, std::size_t entry_bytes_min) {
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > reader.remaining() / entry_bytes_min) return too_many(kCatalogue, entries, count, reader.remaining());
  return count;
}

Result<std::string> read_topic_name(ByteReader& reader) {
  std::string name = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.check());
  if (name.empty() || name.size() > kTopicNameBytesMax)
    return corrupt(kCatalogue, ": a topic's name has ", name.size(), " bytes, expected 1 to ", kTopicNameBytesMax);
  return name;
}

void write_topic_name(ByteWriter& writer, const std::string& name) {
  DRS_ASSERT(!name.empty() && name.size() <= kTopicNameBytesMax, "the length of a topic's name");
  writer.short_string(name);
}

void write_config(ByteWriter& writer, const TopicConfig& config) {
  DRS_ASSERT(!config.name.empty() && config.source != ConfigSource::kDefault,
             "a configuration without a name, or one that is not stored");
  writer.short_string(config.name);
  writer.u32(config.value ? static_cast<std::uint32_t>(config.value->size()) + 1 : 0);
  if (config.value) writer.raw(as_bytes(*config.value));
  writer.u8(static_cast<std::uint8_t>(config.source));
}

Result<TopicConfig> read_config(ByteReader& reader) {
  TopicConfig config;
  config.name = reader.short_string();
  if (const std::uint32_t length = reader.u32(); length != 0) config.value = as_text(reader.raw(length - 1));
  const std::uint8_t source = reader.u8();
  DRS_RETURN_IF_ERROR(reader.check());
  if (config.name.empty()) return corrupt(kCatalogue, ": a configuration without a name");
  if (source > kSourceMax)
    return too_new(kCatalogue, ": source of a configuration is ", source, ", known are 0 to ", kSourceMax);
  config.source = static_cast<ConfigSource>(source);
  if (config.source == ConfigSource::kDefault) return corrupt(kCatalogue, ": a configuration that has its default");
  return config;
}

void write_partition(ByteWriter& writer, const CataloguePartition& partition) {
  writer.u32(partition.number);
  writer.u8(static_cast<std::uint8_t>(partition.state));
  writer.i64(partition.log_start);
  writer.i64(partition.last_stable);
  writer.i64(partition.high_watermark);
  writer.u64(partition.lost_offsets);
  writer.u64(partition.records);
  writer.i64(partition.from);
  writer.i64(partition.to);
  writer.u64(partition.extents_place);
  writer.u32(partition.extents);
}

Result<void> check_partition(const CataloguePartition& partition, std::uint64_t pages_end) {
  const auto wrong = [&](const auto&... parts) {
    return corrupt(kCatalogue, ": partition ", partition.number, ": ", parts...);
  };
  if (partition.from < 0 || partition.to < partition.from)
    return wrong("archived from ", partition.from, " to ", partition.to);
  if (partition.records > static_cast<std::uint64_t>(partition.to - partition.from))
    return wrong(partition.records, " records from ", partition.from, " to ", partition.to);
  if (partition.records != 0 && partition.extents == 0) return wrong(partition.records, " records without extents");
  const std::uint64_t page_bytes = std::uint64_t{partition.extents} * kCatalogueExtentBytes;
  if (page_bytes > pages_end || partition.extents_place > pages_end - page_bytes)
    return wrong(partition.extents, " extents at ", partition.extents_place, ", the extent pages end at ", pages_end);
  return {};
}

Result<CataloguePartition> read_partition(ByteReader& reader, std::uint64_t pages_end) {
  CataloguePartition partition;
  partition.number = reader.u32();
  const std::uint8_t state = reader.u8();
  partition.log_start = reader.i64();
  partition.last_stable = reader.i64();
  partition.high_watermark = reader.i64();
  partition.lost_offsets = reader.u64();
  partition.records = reader.u64();
  partition.from = reader.i64();
  partition.to = reader.i64();
  partition.extents_place = reader.u64();
  partition.extents = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (state > kStateMax)
    return too_new(kCatalogue, ": state of a partition is ", state, ", known are 0 to ", kStateMax);
  partition.state = static_cast<PartitionState>(state);
  DRS_RETURN_IF_ERROR(check_partition(partition, pages_end));
  return partition;
}

// Whether `next` may follow `before` in a list that is sorted by `key_of` and has no key twice.
template <typename Entry, typename KeyOf>
bool follows(const std::vector<Entry>& entries, const Entry& next, KeyOf key_of) {
  return entries.empty() || key_of(entries.back()) < key_of(next);
}

auto topic_key(const CatalogueTopic& topic) {
  return std::tie(topic.name, topic.generation);
}
const std::string& config_key(const TopicConfig& config) {
  return config.name;
}
std::uint32_t partition_key(const CataloguePartition& partition) {
  return partition.number;
}
const std::string& group_key(const CatalogueGroup& group) {
  return group.name;
}
const TopicPartition& offset_key(const GroupOffset& offset) {
  return offset.partition;
}

// Reads a counted list of entries that are sorted by `key_of`.
template <typename Entry, typename Read, typename KeyOf>
Result<std::vector<Entry>> read_sorted(ByteReader& reader, std::string_view what, std::size_t entry_bytes_min,
                                       Read read, KeyOf key_of) {
  DRS_ASSIGN_OR_RETURN(const std::uint32_t count, read_count(reader, what, entry_bytes_min));
  std::vector<Entry> entries;
  entries.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    DRS_ASSIGN_OR_RETURN(Entry entry, read(reader));
    if (!follows(entries, entry, key_of)) return corrupt(kCatalogue, ": ", what, " are not sorted");
    entries.push_back(std::move(entry));
  }
  return entries;
}

template <typename Entry, typename Write, typename KeyOf>
void write_sorted(ByteWriter& writer, const std::vector<Entry>& entries, Write write, KeyOf key_of) {
  writer.u32(static_cast<std::uint32_t>(entries.size()));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    DRS_ASSERT(i == 0 || key_of(entries[i - 1]) < key_of(entries[i]), "a list of a catalogue is not sorted");
    write(writer, entries[i]);
  }
}

void write_topic(ByteWriter& writer, const CatalogueTopic& topic) {
  write_topic_name(writer, topic.name);
  writer.u32(topic.generation);
  writer.raw(topic.id.view());
  writer.u16(topic.replication);
  write_sorted(writer, topic.configs, write_config, config_key);
  write_sorted(writer, topic.partitions, write_partition, partition_key);
}

Result<CatalogueTopic> read_topic(ByteReader& reader, std::uint64_t pages_end) {
  CatalogueTopic topic;
  DRS_ASSIGN_OR_RETURN(topic.name, read_topic_name(reader));
  topic.generation = reader.u32();
  topic.id = reader.fixed<16>();
  topic.replication = reader.u16();
  DRS_RETURN_IF_ERROR(reader.check());
  if (topic.generation == 0) return corrupt(kCatalogue, ": generation 0 of a topic, expected at least 1");
  DRS_ASSIGN_OR_RETURN(topic.configs,
                       read_sorted<TopicConfig>(reader, "configurations", kConfigBytesMin, read_config, config_key));
  const auto read = [pages_end](ByteReader& from) { return read_partition(from, pages_end); };
  DRS_ASSIGN_OR_RETURN(topic.partitions,
                       read_sorted<CataloguePartition>(reader, "partitions", kPartitionBytes, read, partition_key));
  return topic;
}

void write_group_offset(ByteWriter& writer, const GroupOffset& offset) {
  write_topic_name(writer, offset.partition.topic);
  writer.u32(offset.partition.partition);
  writer.i64(offset.offset);
  writer.short_string(offset.metadata);
}

Result<GroupOffset> read_group_offset(ByteReader& reader) {
  GroupOffset offset;
  DRS_ASSIGN_OR_RETURN(offset.partition.topic, read_topic_name(reader));
  offset.partition.partition = reader.u32();
  offset.offset = reader.i64();
  offset.metadata = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.check());
  return offset;
}

void write_group(ByteWriter& writer, const CatalogueGroup& group) {
  writer.short_string(group.name);
  write_sorted(writer, group.offsets, write_group_offset, offset_key);
}

Result<CatalogueGroup> read_group(ByteReader& reader) {
  CatalogueGroup group;
  group.name = reader.short_string();
  DRS_ASSIGN_OR_RETURN(group.offsets, read_sorted<GroupOffset>(reader, "offsets of a group", kGroupOffsetBytesMin,
                                                               read_group_offset, offset_key));
  return group;
}

Bytes encode_cluster(const CatalogueCluster& cluster) {
  Bytes out;
  ByteWriter writer(out);
  writer.short_string(cluster.id);
  writer.short_string(cluster.client);
  writer.u32(cluster.brokers);
  writer.i64(cluster.captured_ns);
  writer.i64(cluster.groups_ns);
  writer.u8(cluster.read_uncommitted ? 1 : 0);
  writer.short_string(cluster.history);
  return out;
}

}  // namespace

std::vector<EncodedSection> encode_catalogue_sections(const TopicCatalogue& catalogue) {
  std::vector<EncodedSection> sections;
  Bytes topics;
  ByteWriter topics_writer(topics);
  write_sorted(topics_writer, catalogue.topics, write_topic, topic_key);
  sections.push_back({.kind = CatalogueSection::kTopics, .bytes = std::move(topics)});
  if (!catalogue.groups.empty()) {
    Bytes groups;
    ByteWriter groups_writer(groups);
    write_sorted(groups_writer, catalogue.groups, write_group, group_key);
    sections.push_back({.kind = CatalogueSection::kGroups, .bytes = std::move(groups)});
  }
  sections.push_back({.kind = CatalogueSection::kCluster, .bytes = encode_cluster(catalogue.cluster)});
  return sections;
}

Result<std::vector<CatalogueTopic>> decode_catalogue_topics(ByteView section, std::uint64_t pages_end) {
  ByteReader reader(section, kCatalogue);
  const auto read = [pages_end](ByteReader& from) { return read_topic(from, pages_end); };
  DRS_ASSIGN_OR_RETURN(auto topics, read_sorted<CatalogueTopic>(reader, "topics", kTopicBytesMin, read, topic_key));
  DRS_RETURN_IF_ERROR(reader.finish());
  return topics;
}

Result<std::vector<CatalogueGroup>> decode_catalogue_groups(ByteView section) {
  ByteReader reader(section, kCatalogue);
  DRS_ASSIGN_OR_RETURN(auto groups,
                       read_sorted<CatalogueGroup>(reader, "groups", kGroupBytesMin, read_group, group_key));
  DRS_RETURN_IF_ERROR(reader.finish());
  if (groups.empty()) return corrupt(kCatalogue, ": a section of groups without any");
  return groups;
}

Result<CatalogueCluster> decode_catalogue_cluster(ByteView section) {
  ByteReader reader(section, kCatalogue);
  CatalogueCluster cluster;
  cluster.id = reader.short_string();
  cluster.client = reader.short_string();
  cluster.brokers = reader.u32();
  cluster.captured_ns = reader.i64();
  cluster.groups_ns = reader.i64();
  const std::uint8_t read_uncommitted = reader.u8();
  cluster.history = reader.short_string();
  DRS_RETURN_IF_ERROR(reader.finish());
  if (read_uncommitted > 1)
    return corrupt(kCatalogue, ": flag of uncommitted records is ", read_uncommitted, ", expected 0 or 1");
  cluster.read_uncommitted = read_uncommitted == 1;
  return cluster;
}

}  // namespace drs
