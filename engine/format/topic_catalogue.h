// The catalogue of an archive of topics: stream 0 of its snapshot (FORMAT.md "Topic catalogue"). It says which topics
// and partitions the snapshot holds, and in which segment streams.
//   extent pages . sections . section table . trailer
// A reader loads the sections, and of the extent pages only those of the partitions that it wants.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/format/segment_directory.h"
#include "io/base/topic.h"

namespace drs {

// Part of an extent: the records with offsets in [from, to). A later archive names extents of earlier ones again;
// retention of the topic, or of the archive, makes the window smaller.
struct CatalogueExtent {
  std::uint32_t stream = 0;  // number in the manifest; at least 1
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::uint64_t records = 0;  // in the window
  RecordDigest digest;        // of the records in the window
  Extent extent;
  friend bool operator==(const CatalogueExtent&, const CatalogueExtent&) = default;
};
inline constexpr std::size_t kCatalogueExtentBytes = 4 + 8 + 8 + 8 + 16 + kExtentBytes;

// Stored.
enum class PartitionState : std::uint8_t {
  kComplete = 0,  // archived up to the last stable offset that the run captured
  kPartial = 1,   // the run ended earlier: --budget, or SIGTERM
  kHistory = 2,   // no longer in the cluster, or of an earlier generation
};

struct CataloguePartition {
  std::uint32_t number = 0;
  PartitionState state = PartitionState::kComplete;
  std::int64_t log_start = 0;  // when the run began, as are the next two
  std::int64_t last_stable = 0;
  std::int64_t high_watermark = 0;
  std::uint64_t lost_offsets = 0;  // deleted by retention since the last archive, before they could be read
  std::uint64_t records = 0;       // sums over the extents' windows
  std::int64_t from = 0;           // the archived offsets: [from, to)
  std::int64_t to = 0;
  std::uint64_t extents_place = 0;  // in the catalogue
  std::uint32_t extents = 0;
  friend bool operator==(const CataloguePartition&, const CataloguePartition&) = default;
};

struct CatalogueTopic {
  std::string name;
  std::uint32_t generation = 1;  // counts the topics of this name, each created after the one before was deleted
  Uuid id;                       // zeros: unknown
  std::uint16_t replication = 0;
  std::vector<TopicConfig> configs;            // sorted by name; those that are not the default
  std::vector<CataloguePartition> partitions;  // sorted by number
  friend bool operator==(const CatalogueTopic&, const CatalogueTopic&) = default;
};

struct CatalogueGroup {
  std::string name;
  std::vector<GroupOffset> offsets;  // sorted
  friend bool operator==(const CatalogueGroup&, const CatalogueGroup&) = default;
};

struct CatalogueCluster {
  std::string id;
  std::string client;  // "librdkafka 2.0.2"
  std::uint32_t brokers = 0;
  WallNs captured_ns = 0;  // when the ends were captured
  WallNs groups_ns = 0;    // when the offsets of groups were captured
  bool read_uncommitted = false;
  std::string history;  // "live", "all" or a time: "90d"
  friend bool operator==(const CatalogueCluster&, const CatalogueCluster&) = default;
};

struct TopicCatalogue {
  std::vector<CatalogueTopic> topics;  // sorted by name and generation
  std::vector<CatalogueGroup> groups;  // sorted by name
  CatalogueCluster cluster;
  friend bool operator==(const TopicCatalogue&, const TopicCatalogue&) = default;
};

// Stored. Unknown sections are ignored.
enum class CatalogueSection : std::uint16_t {
  kTopics = 1,
  kGroups = 2,
  kCluster = 3,
  // Reserved: 4 ACLs, 5 quotas, 6 users.
};

inline constexpr std::size_t kCatalogueTrailerBytes = 64;
struct CatalogueTrailer {
  std::uint64_t sections_place = 0;  // of the first section
  std::uint64_t table_place = 0;     // of the section table
  std::uint64_t end_place = 0;       // of the trailer itself
  std::uint32_t sections = 0;
  FixedBytes<16> xxh3;  // of the bytes from sections_place to end_place
};

void write_catalogue_extent(ByteWriter& writer, const CatalogueExtent& extent);
// A page: the extents of one partition, kCatalogueExtentBytes each. Errors: kTruncated, kCorrupt (windows that are
// outside their extent or do not follow each other; also of another partition than `partition`).
Result<std::vector<CatalogueExtent>> decode_extent_page(ByteView page, std::uint32_t partition);

// Returns sections, section table and trailer, to be placed at `place` of the stream, after the extent pages.
Bytes encode_catalogue_end(const TopicCatalogue& catalogue, std::uint64_t place);
// `stream_bytes`: the length of the stream, of which `bytes` are the last kCatalogueTrailerBytes. Errors: kTruncated,
// kCorrupt, kFormatTooNew.
Result<CatalogueTrailer> decode_catalogue_trailer(ByteView bytes, std::uint64_t stream_bytes);
// `bytes`: the stream from trailer.sections_place to trailer.end_place. Errors: kTruncated, kCorrupt, kFormatTooNew (an
// unknown state of a partition or source of a configuration).
Result<TopicCatalogue> decode_catalogue(const CatalogueTrailer& trailer, ByteView bytes);

}  // namespace drs
