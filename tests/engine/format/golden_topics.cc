#include "tests/engine/format/golden_topics.h"

#include <nlohmann/json.hpp>
#include <set>

#include "codecs/sha256.h"
#include "engine/format/record_block.h"
#include "tests/engine/format/golden.h"

namespace drs::golden {
namespace {

constexpr std::int64_t kNowMs = 1'700'000'000'123;  // 2023-11-14 22:13:20 UTC
constexpr std::uint32_t kOldStream = 1;
constexpr std::uint32_t kNewStream = 2;

RecordDigest digest_of(const std::vector<TestRecord>& records) {
  RecordDigest digest;
  Bytes scratch;
  for (const TestRecord& record : records) digest.add(record_hash(RecordView(record).record(), scratch));
  return digest;
}

std::vector<TestRecord> in_window(const std::vector<TestRecord>& records, std::int64_t from, std::int64_t to) {
  std::vector<TestRecord> out;
  for (const TestRecord& record : records)
    if (record.offset >= from && record.offset < to) out.push_back(record);
  return out;
}

// What an extent holds.
struct ExtentContents {
  std::uint32_t topic;
  std::uint32_t partition;
  std::int64_t from;
  std::int64_t to;
  std::vector<std::vector<TestRecord>> blocks;
  std::vector<Gap> gaps;
};

struct BuiltSegments {
  Bytes stream;
  SegmentDirectory directory;
};

class SegmentsBuilder {
 public:
  void add(const ExtentContents& contents) {
    Extent extent;
    extent.topic = contents.topic;
    extent.partition = contents.partition;
    extent.from = contents.from;
    extent.to = contents.to;
    ExtentIndex index;
    index.gaps = contents.gaps;
    for (const std::vector<TestRecord>& records : contents.blocks) index.blocks.push_back(add_block(extent, records));
    extent.missing_offsets = static_cast<std::uint64_t>(extent.to - extent.from) - extent.records;
    extent.gaps = static_cast<std::uint32_t>(index.gaps.size());
    indexes_.push_back(encode_extent_index(index));
    built_.directory.extents.push_back(extent);
  }

  BuiltSegments finish(std::vector<SegmentTopic> topics) {
    ByteWriter writer(built_.stream);
    built_.directory.topics = std::move(topics);
    for (std::size_t i = 0; i < indexes_.size(); ++i) {
      built_.directory.extents[i].index_place = writer.size();
      built_.directory.extents[i].index_bytes = static_cast<std::uint32_t>(indexes_[i].size());
      writer.raw(indexes_[i]);
    }
    writer.raw(encode_segment_directory(built_.directory, writer.size()));
    return std::move(built_);
  }

 private:
  RecordBlockEntry add_block(Extent& extent, const std::vector<TestRecord>& records) {
    builder_.begin(extent.topic, extent.partition);
    for (const TestRecord& record : records) {
      const RecordView view(record);
      builder_.add(view.record());
      extent.payload_bytes += payload_bytes(view.record());
    }
    const RecordBlockHeader header = builder_.header();
    const RecordBlockEntry entry{.place = built_.stream.size(),
                                 .bytes = header.bytes,
                                 .first_offset = header.first_offset,
                                 .last_offset = header.last_offset,
                                 .records = header.records,
                                 .least_ms = header.least_ms,
                                 .greatest_ms = header.greatest_ms,
                                 .digest = digest_of(records)};
    built_.stream.resize(entry.place + entry.bytes);
    builder_.encode(MutableByteView(built_.stream).subspan(entry.place));
    const bool is_first = extent.records == 0;
    extent.least_ms = is_first ? entry.least_ms : std::min(extent.least_ms, entry.least_ms);
    extent.greatest_ms = is_first ? entry.greatest_ms : std::max(extent.greatest_ms, entry.greatest_ms);
    extent.records += entry.records;
    extent.digest.append(entry.digest, entry.records);
    extent.last_offset = entry.last_offset;
    Bytes scratch;
    extent.last_hash = record_hash(RecordView(records.back()).record(), scratch);
    return entry;
  }

  RecordBlockBuilder builder_;
  std::vector<Bytes> indexes_;
  BuiltSegments built_;
};

TestRecord order(std::int64_t offset, std::optional<std::string> key, std::optional<std::string> value) {
  return {.offset = offset,
          .timestamp_ms = kNowMs + 10 * offset,
          .timestamp_type = TimestampType::kCreateTime,
          .key = std::move(key),
          .value = std::move(value),
          .headers = {}};
}

// Orders 0: two blocks with gaps, keys and values that are null or empty, headers with one name and without a value.
std::vector<std::vector<TestRecord>> old_orders() {
  std::vector<TestRecord> first = {order(0, "user-17", R"({"order":1,"sum":"9.99"})"),
                                   order(1, "user-4", R"({"order":2,"sum":"120.00"})"), order(2, "user-17", {})};
  first[1].headers = {{"trace", "0af7651916cd43dd"}, {"trace", ""}, {"replayed", {}}};
  std::vector<TestRecord> second = {order(5, {}, "no key"), order(6, "", ""), order(9, "user-9", std::string(200, 'z')),
                                    order(10, {}, {})};
  second[0].timestamp_ms = -1;
  second[1].timestamp_ms = std::numeric_limits<std::int64_t>::max();
  second[2].timestamp_ms = std::numeric_limits<std::int64_t>::min();
  second[3].timestamp_ms = 0;
  second[1].timestamp_type = second[2].timestamp_type = TimestampType::kLogAppendTime;
  return {first, second};
}

std::vector<TestRecord> new_orders() {
  return {order(12, "user-17", "caf\xe9"), order(13, "user-17", "again"),
          order(14, "user-4", std::string("\0\xff", 2))};
}

std::vector<TestRecord> audit() {
  TestRecord record = order(3, {}, "a record of the message format of Kafka 0.9");
  record.timestamp_ms = -1;
  record.timestamp_type = TimestampType::kNone;
  return {record};
}

const BuiltSegments& old_segments() {
  static const BuiltSegments built = [] {
    SegmentsBuilder builder;
    builder.add({.topic = 0,
                 .partition = 0,
                 .from = 0,
                 .to = 12,
                 .blocks = old_orders(),
                 .gaps = {{.from = 3, .offsets = 2, .cause = GapCause::kCompaction},
                          {.from = 7, .offsets = 2, .cause = GapCause::kCompaction},
                          {.from = 11, .offsets = 1, .cause = GapCause::kCompactionOrTransaction}}});
    builder.add({.topic = 0,
                 .partition = 7,
                 .from = 40,
                 .to = 45,
                 .blocks = {},
                 .gaps = {{.from = 40, .offsets = 5, .cause = GapCause::kTransaction}}});
    builder.add({.topic = 1, .partition = 0, .from = 3, .to = 4, .blocks = {audit()}, .gaps = {}});
    return builder.finish({{.name = "orders", .id = fixed_uuid("orders")}, {.name = "audit", .id = {}}});
  }();
  return built;
}

const BuiltSegments& new_segments() {
  static const BuiltSegments built = [] {
    SegmentsBuilder builder;
    builder.add({.topic = 0, .partition = 0, .from = 12, .to = 15, .blocks = {new_orders()}, .gaps = {}});
    return builder.finish({{.name = "orders", .id = fixed_uuid("orders")}});
  }();
  return built;
}

std::vector<TestRecord> all_old_orders() {
  std::vector<TestRecord> out;
  for (const auto& block : old_orders()) out.insert(out.end(), block.begin(), block.end());
  return out;
}

CatalogueExtent whole(std::uint32_t stream, const Extent& extent) {
  return {.stream = stream,
          .from = extent.from,
          .to = extent.to,
          .records = extent.records,
          .digest = extent.digest,
          .extent = extent};
}

// The extent pages: orders 0, whose log begins at 2 by now, orders 7, audit 0.
std::vector<std::vector<CatalogueExtent>> pages() {
  const std::vector<Extent>& old = old_segments().directory.extents;
  CatalogueExtent trimmed = whole(kOldStream, old[0]);
  trimmed.from = 2;
  const std::vector<TestRecord> rest = in_window(all_old_orders(), 2, 12);
  trimmed.records = rest.size();
  trimmed.digest = digest_of(rest);
  return {{trimmed, whole(kNewStream, new_segments().directory.extents[0])},
          {whole(kOldStream, old[1])},
          {whole(kOldStream, old[2])}};
}

Bytes page_bytes(const std::vector<CatalogueExtent>& page) {
  Bytes out;
  ByteWriter writer(out);
  for (const CatalogueExtent& extent : page) write_catalogue_extent(writer, extent);
  return out;
}

nlohmann::ordered_json hex_or_null(const std::optional<std::string>& text) {
  return text ? nlohmann::ordered_json(to_hex(as_bytes(*text))) : nlohmann::ordered_json();
}

nlohmann::ordered_json json_of(const TestRecord& record) {
  nlohmann::ordered_json headers = nlohmann::ordered_json::array();
  for (const TestHeader& header : record.headers)
    headers.push_back({to_hex(as_bytes(header.name)), hex_or_null(header.value)});
  return {{"offset", record.offset},
          {"timestamp_ms", record.timestamp_ms},
          {"timestamp_type", static_cast<int>(record.timestamp_type)},
          {"key", hex_or_null(record.key)},
          {"value", hex_or_null(record.value)},
          {"headers", headers}};
}

}  // namespace

std::vector<ArchivedPartition> archived_partitions() {
  std::vector<TestRecord> orders = in_window(all_old_orders(), 2, 12);
  for (const TestRecord& record : new_orders()) orders.push_back(record);
  return {{{"orders", 0}, orders}, {{"orders", 7}, {}}, {{"audit", 0}, audit()}};
}

std::vector<std::string> topic_stream_labels() {
  return {"catalogue", "segments-" + fixed_uuid("old topics session").hex(),
          "segments-" + fixed_uuid("topics session").hex()};
}

std::map<std::string, Bytes> topic_streams() {
  Bytes catalogue;
  ByteWriter writer(catalogue);
  for (const std::vector<CatalogueExtent>& page : pages()) writer.raw(page_bytes(page));
  writer.raw(encode_catalogue_end(topic_catalogue(), writer.size()));
  const std::vector<std::string> labels = topic_stream_labels();
  return {{labels[0], catalogue}, {labels[1], old_segments().stream}, {labels[2], new_segments().stream}};
}

TopicCatalogue topic_catalogue() {
  const CataloguePartition orders_0{.number = 0,
                                    .state = PartitionState::kPartial,
                                    .log_start = 2,
                                    .last_stable = 16,
                                    .high_watermark = 18,
                                    .lost_offsets = 0,
                                    .records = 8,
                                    .from = 2,
                                    .to = 15,
                                    .extents_place = 0,
                                    .extents = 2};
  const CataloguePartition orders_7{.number = 7,
                                    .state = PartitionState::kComplete,
                                    .log_start = 40,
                                    .last_stable = 45,
                                    .high_watermark = 45,
                                    .lost_offsets = 40,
                                    .records = 0,
                                    .from = 40,
                                    .to = 45,
                                    .extents_place = 2 * kCatalogueExtentBytes,
                                    .extents = 1};
  const CataloguePartition audit_0{.number = 0,
                                   .state = PartitionState::kHistory,
                                   .log_start = 3,
                                   .last_stable = 4,
                                   .high_watermark = 4,
                                   .lost_offsets = 3,
                                   .records = 1,
                                   .from = 3,
                                   .to = 4,
                                   .extents_place = 3 * kCatalogueExtentBytes,
                                   .extents = 1};
  return {
      .topics = {{.name = "audit", .generation = 2, .id = {}, .replication = 1, .configs = {}, .partitions = {audit_0}},
                 {.name = "orders",
                  .generation = 1,
                  .id = fixed_uuid("orders"),
                  .replication = 3,
                  .configs = {{.name = "cleanup.policy", .value = "compact", .source = ConfigSource::kTopic},
                              {.name = "retention.ms", .value = "", .source = ConfigSource::kBroker},
                              {.name = "secret", .value = {}, .source = ConfigSource::kUnknown}},
                  .partitions = {orders_0, orders_7}}},
      .groups = {{.name = "billing",
                  .offsets = {{.partition = {"orders", 0}, .offset = 13, .metadata = "caf\xe9"},
                              {.partition = {"orders", 7}, .offset = 45, .metadata = ""}}},
                 {.name = "idle", .offsets = {}}},
      .cluster = {.id = "MkU3OEVBNTcwNTJENDM2Qg",
                  .client = "librdkafka 2.0.2",
                  .brokers = 3,
                  .captured_ns = kNowMs * 1'000'000,
                  .groups_ns = kNowMs * 1'000'000 - 456'789,
                  .read_uncommitted = false,
                  .history = "live"}};
}

Bytes record_block() {
  const Bytes& stream = old_segments().stream;
  const auto header = decode_record_block_header(stream);
  DRS_ASSERT(header.ok(), "a golden record block does not decode");
  return {stream.begin(), stream.begin() + header->bytes};
}

Bytes extent_index() {
  const Extent& extent = old_segments().directory.extents[0];
  const ByteView index = ByteView(old_segments().stream).subspan(extent.index_place, extent.index_bytes);
  return {index.begin(), index.end()};
}

Bytes extent_page() {
  return page_bytes(pages().front());
}

std::string expected_topics_json() {
  nlohmann::ordered_json json;
  const std::map<std::string, Bytes> streams = topic_streams();
  for (const std::string& label : topic_stream_labels())
    json["streams"].push_back(
        {{"label", label}, {"bytes", streams.at(label).size()}, {"sha256", sha256(streams.at(label)).hex()}});
  for (const ArchivedPartition& entry : archived_partitions()) {
    nlohmann::ordered_json records = nlohmann::ordered_json::array();
    for (const TestRecord& record : entry.records) records.push_back(json_of(record));
    json["partitions"].push_back({{"topic", entry.partition.topic},
                                  {"partition", entry.partition.partition},
                                  {"digest", digest_of(entry.records).stored().hex()},
                                  {"records", records}});
  }
  return json.dump(2) + "\n";
}

}  // namespace drs::golden
