// The committed archive of topics: this code must write exactly these bytes and read the same records from them. This
// must never change.
#include "tests/engine/format/golden_topics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/format/record_block.h"

namespace drs {
namespace {

Bytes read_file(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(DRS_GOLDEN_DIRECTORY) / "v1-topics" / name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A segment stream with its directory, checked.
struct Segments {
  Bytes bytes;
  SegmentDirectory directory;
};

Segments open_segments(const std::string& label) {
  Segments out{.bytes = read_file(label), .directory = {}};
  const ByteView bytes(out.bytes);
  const auto trailer = decode_segment_trailer(bytes.last(kSegmentTrailerBytes), bytes.size());
  EXPECT_TRUE(trailer.ok());
  const auto directory = decode_segment_directory(
      *trailer, bytes.subspan(trailer->topics_place, trailer->end_place - trailer->topics_place));
  EXPECT_TRUE(directory.ok());
  out.directory = *directory;
  return out;
}

// The records of a window, whose digests are checked.
std::vector<TestRecord> records_of(const Segments& segments, const CatalogueExtent& entry) {
  const Extent& extent = entry.extent;
  EXPECT_TRUE(std::ranges::find(segments.directory.extents, extent) != segments.directory.extents.end());
  const auto index = decode_extent_index(ByteView(segments.bytes).subspan(extent.index_place, extent.index_bytes));
  EXPECT_TRUE(index.ok());
  std::vector<TestRecord> out;
  RecordDigest of_extent;
  RecordDigest of_window;
  Bytes scratch;
  for (const RecordBlockEntry& block : index->blocks) {
    auto reader = RecordBlockReader::open(ByteView(segments.bytes).subspan(block.place, block.bytes));
    EXPECT_TRUE(reader.ok());
    RecordDigest of_block;
    for (auto record = reader->next(); record.ok() && *record != nullptr; record = reader->next()) {
      const RecordHash hash = record_hash(**record, scratch);
      of_block.add(hash);
      if ((*record)->offset < entry.from || (*record)->offset >= entry.to) continue;
      of_window.add(hash);
      out.push_back(copy_of(**record));
    }
    EXPECT_EQ(of_block, block.digest);
    EXPECT_EQ(reader->header().records, block.records);
    of_extent.append(of_block, block.records);
  }
  EXPECT_EQ(of_extent, extent.digest);
  EXPECT_EQ(of_window, entry.digest);
  return out;
}

const CataloguePartition& partition_of(const TopicCatalogue& catalogue, const TopicPartition& wanted) {
  for (const CatalogueTopic& topic : catalogue.topics)
    for (const CataloguePartition& partition : topic.partitions)
      if (topic.name == wanted.topic && partition.number == wanted.partition) return partition;
  ADD_FAILURE() << "no partition " << wanted.partition << " of " << wanted.topic;
  static const CataloguePartition none;
  return none;
}

TEST(GoldenTopics, TheWriterReproducesTheStreams) {
  for (const auto& [label, stream] : golden::topic_streams()) EXPECT_EQ(read_file(label), stream) << label;
  EXPECT_EQ(as_text(read_file("expected.json")), golden::expected_topics_json());
}

TEST(GoldenTopics, TheCatalogueDecodes) {
  const Bytes stream = read_file("catalogue");
  const auto trailer = decode_catalogue_trailer(ByteView(stream).last(kCatalogueTrailerBytes), stream.size());
  ASSERT_TRUE(trailer.ok()) << trailer.error().message;
  const auto catalogue = decode_catalogue(
      *trailer, ByteView(stream).subspan(trailer->sections_place, trailer->end_place - trailer->sections_place));
  ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
  EXPECT_EQ(*catalogue, golden::topic_catalogue());
}

TEST(GoldenTopics, EachPartitionGivesItsRecords) {
  const Bytes stream = read_file("catalogue");
  const TopicCatalogue catalogue = golden::topic_catalogue();
  std::vector<Segments> segments(1);  // stream 0 is the catalogue
  for (std::size_t i = 1; i < golden::topic_stream_labels().size(); ++i)
    segments.push_back(open_segments(golden::topic_stream_labels()[i]));
  for (const golden::ArchivedPartition& expected : golden::archived_partitions()) {
    const CataloguePartition& partition = partition_of(catalogue, expected.partition);
    const auto page = decode_extent_page(
        ByteView(stream).subspan(partition.extents_place, partition.extents * kCatalogueExtentBytes), partition.number);
    ASSERT_TRUE(page.ok()) << page.error().message;
    std::vector<TestRecord> records;
    for (const CatalogueExtent& entry : *page)
      for (TestRecord& record : records_of(segments[entry.stream], entry)) records.push_back(std::move(record));
    EXPECT_EQ(records, expected.records);
    EXPECT_EQ(records.size(), partition.records);
  }
}

}  // namespace
}  // namespace drs
