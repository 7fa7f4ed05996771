// The directory of a segment stream: which records it holds, and where (FORMAT.md "Segment stream"). A segment stream
// holds what one run of an archive read:
//   record blocks and extent indexes, as they are complete . topic table . extent table . trailer
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codecs/record_digest.h"
#include "engine/format/kinds.h"
#include "io/base/result.h"

namespace drs {

// Stored. Why offsets between two records hold none.
enum class GapCause : std::uint8_t {
  kUnknown = 0,      // read again by a fresh client, and still without an explanation
  kCompaction = 1,   // the topic is compacted
  kTransaction = 2,  // markers of transactions, and records of aborted ones
  kCompactionOrTransaction = 3,
  kRetention = 4,  // deleted before they could be read
};
std::string_view gap_cause_name(GapCause cause);  // "unknown", "compaction", ...

struct Gap {
  std::int64_t from = 0;
  std::uint64_t offsets = 0;  // never 0
  GapCause cause = GapCause::kUnknown;
  friend bool operator==(const Gap&, const Gap&) = default;
};

// One record block of an extent.
struct RecordBlockEntry {
  std::uint64_t place = 0;  // offset in the segment stream
  std::uint32_t bytes = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::uint32_t records = 0;
  std::int64_t least_ms = 0;
  std::int64_t greatest_ms = 0;
  RecordDigest digest;
  friend bool operator==(const RecordBlockEntry&, const RecordBlockEntry&) = default;
};

// An extent has at most this many record blocks, so that its index is one short read and little memory; a longer run
// of records has several extents. It keeps its largest gaps.
inline constexpr std::size_t kExtentBlocksMax = 4096;
inline constexpr std::size_t kExtentGapsMax = 256;
struct ExtentIndex {
  std::vector<RecordBlockEntry> blocks;  // offsets and places grow
  std::vector<Gap> gaps;                 // sorted by offset
  friend bool operator==(const ExtentIndex&, const ExtentIndex&) = default;
};

// The records of a partition with offsets in [from, to) that a segment stream holds: all that existed when it was read.
struct Extent {
  std::uint32_t topic = 0;  // number in the topic table of its segment stream
  std::uint32_t partition = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;  // payload_bytes of its records, summed
  std::int64_t least_ms = 0;        // 0 without records, as are greatest_ms and the last record
  std::int64_t greatest_ms = 0;
  std::uint64_t missing_offsets = 0;  // to - from - records
  std::uint32_t gaps = 0;             // also those that the index does not keep
  RecordDigest digest;
  std::int64_t last_offset = 0;  // of the last record
  RecordHash last_hash;
  std::uint64_t index_place = 0;  // of its index in the stream
  std::uint32_t index_bytes = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};
inline constexpr std::size_t kExtentBytes = 120;

inline constexpr std::size_t kTopicNameBytesMax = 249;  // of Kafka
struct SegmentTopic {
  std::string name;
  Uuid id;  // zeros: the client could not ask for it
  friend bool operator==(const SegmentTopic&, const SegmentTopic&) = default;
};

// Topic table and extent table.
struct SegmentDirectory {
  std::vector<SegmentTopic> topics;
  std::vector<Extent> extents;  // in the order in which their records ended
  friend bool operator==(const SegmentDirectory&, const SegmentDirectory&) = default;
};

// The last bytes of a segment stream.
inline constexpr std::size_t kSegmentTrailerBytes = 48;
struct SegmentTrailer {
  std::uint64_t topics_place = 0;
  std::uint64_t extents_place = 0;
  std::uint64_t end_place = 0;  // of the trailer itself
  FixedBytes<16> xxh3;          // of the tables
};

Bytes encode_extent_index(const ExtentIndex& index);
// Errors: kTruncated, kCorrupt (places or offsets that do not grow, too many entries), kFormatTooNew (an unknown cause
// of a gap).
Result<ExtentIndex> decode_extent_index(ByteView bytes);

void write_extent(ByteWriter& writer, const Extent& extent);
// `what` names the object in errors. Errors: kTruncated, kCorrupt (sums that do not hold).
Result<Extent> read_extent(ByteReader& reader, std::string_view what);

// Returns topic table, extent table and trailer, to be placed at `place` of the stream.
Bytes encode_segment_directory(const SegmentDirectory& directory, std::uint64_t place);
// `stream_bytes`: the length of the stream, of which `bytes` are the last kSegmentTrailerBytes. Errors: kTruncated,
// kCorrupt, kFormatTooNew.
Result<SegmentTrailer> decode_segment_trailer(ByteView bytes, std::uint64_t stream_bytes);
// `bytes`: the stream from trailer.topics_place to trailer.end_place. Errors: kTruncated, kCorrupt.
Result<SegmentDirectory> decode_segment_directory(const SegmentTrailer& trailer, ByteView bytes);

}  // namespace drs
