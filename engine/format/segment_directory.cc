#include "engine/format/segment_directory.h"

#include <limits>

#include "codecs/xxh3.h"
#include "engine/format/corrupt.h"
#include "engine/format/record_block.h"
#include "engine/format/stored_digest.h"
#include "engine/format/stream_trailer.h"
#include "engine/format/varint.h"

namespace drs {
namespace {

constexpr std::string_view kIndex = "extent index";
constexpr std::string_view kDirectory = "segment directory";
constexpr std::string_view kTrailer = "trailer of a segment stream";
constexpr TrailerMagic kMagic{.text = "drs-seg", .version = 1};
constexpr std::size_t kBlockEntryBytesMin = 7 + RecordDigest::kBytes;
constexpr std::size_t kGapBytesMin = 3;
constexpr std::size_t kIndexBytesMin = 2;
constexpr std::size_t kTopicBytesMin = 2 + 1 + Uuid::kBytes;
constexpr auto kGapCauseMax = static_cast<std::uint8_t>(GapCause::kRetention);
constexpr std::uint64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();

void write_block_entry(ByteWriter& writer, const RecordBlockEntry& entry, const RecordBlockEntry& before) {
  const auto offset = static_cast<std::uint64_t>(entry.first_offset);
  writer.varint(entry.place - (before.place + before.bytes));
  writer.varint(entry.bytes);
  writer.varint(offset - (static_cast<std::uint64_t>(before.last_offset) + 1));
  writer.varint(static_cast<std::uint64_t>(entry.last_offset) - offset);
  writer.varint(entry.records);
  writer.varint(zigzag(entry.least_ms));
  writer.varint(static_cast<std::uint64_t>(wrapped_difference(entry.greatest_ms, entry.least_ms)));
  writer.raw(entry.digest.stored().view());
}

// What the first entry is stored as the difference to: its place from 0, its offset from 0.
RecordBlockEntry before_the_first() {
  RecordBlockEntry entry;
  entry.last_offset = -1;
  return entry;
}

// An entry as decoded, before range checks.
struct WideEntry {
  std::uint64_t gap_bytes, bytes, skipped, span, records, least, duration;
};

Result<RecordBlockEntry> check_entry(const WideEntry& wide, const RecordBlockEntry& before, std::size_t number) {
  const auto wrong = [&](const auto&... parts) { return corrupt(kIndex, ": block ", number, ": ", parts...); };
  const std::size_t bytes_max = wide.records == 1 ? kRecordBytesMax : kRecordBlockBytesMax;
  if (wide.bytes < kRecordBlockHeaderBytes || wide.bytes > bytes_max)
    return wrong(wide.bytes, " bytes, expected ", kRecordBlockHeaderBytes, " to ", bytes_max);
  const std::uint64_t end_before = before.place + before.bytes;
  if (wide.gap_bytes > std::numeric_limits<std::uint64_t>::max() - end_before - wide.bytes)
    return wrong("its place exceeds 64 bits");
  const std::uint64_t next_offset = static_cast<std::uint64_t>(before.last_offset) + 1;
  if (wide.skipped > kOffsetMax - next_offset || wide.span > kOffsetMax - next_offset - wide.skipped)
    return wrong("its offsets exceed 63 bits");
  if (wide.records == 0 || wide.records - 1 > wide.span || (wide.records == 1 && wide.span != 0))
    return wrong(wide.records, " records cannot have ", wide.span, " and one offsets");
  if (wide.records > wide.bytes) return wrong(wide.records, " records cannot have ", wide.bytes, " bytes");
  RecordBlockEntry entry;
  entry.place = end_before + wide.gap_bytes;
  entry.bytes = static_cast<std::uint32_t>(wide.bytes);
  entry.first_offset = static_cast<std::int64_t>(next_offset + wide.skipped);
  entry.last_offset = entry.first_offset + static_cast<std::int64_t>(wide.span);
  entry.records = static_cast<std::uint32_t>(wide.records);
  entry.least_ms = unzigzag(wide.least);
  entry.greatest_ms = wrapped_sum(entry.least_ms, static_cast<std::int64_t>(wide.duration));
  if (entry.greatest_ms < entry.least_ms) return wrong("its timestamps exceed 64 bits");
  return entry;
}

Result<std::vector<RecordBlockEntry>> read_block_entries(ByteReader& reader) {
  const std::uint64_t count = reader.varint();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > kExtentBlocksMax)
    return corrupt(kIndex, ": ", count, " blocks, at most ", kExtentBlocksMax, " are allowed");
  if (count > reader.remaining() / kBlockEntryBytesMin) return too_many(kIndex, "blocks", count, reader.remaining());
  std::vector<RecordBlockEntry> entries(count);
  RecordBlockEntry before = before_the_first();
  for (std::size_t i = 0; i < count; ++i) {
    if (before.last_offset == std::numeric_limits<std::int64_t>::max())
      return corrupt(kIndex, ": block ", i, " follows the last offset");
    const WideEntry wide{.gap_bytes = reader.varint(),
                         .bytes = reader.varint(),
                         .skipped = reader.varint(),
                         .span = reader.varint(),
                         .records = reader.varint(),
                         .least = reader.varint(),
                         .duration = reader.varint()};
    DRS_RETURN_IF_ERROR(reader.check());
    DRS_ASSIGN_OR_RETURN(entries[i], check_entry(wide, before, i));
    DRS_ASSIGN_OR_RETURN(entries[i].digest, read_record_digest(reader, kIndex));
    before = entries[i];
  }
  return entries;
}

Result<std::vector<Gap>> read_gaps(ByteReader& reader) {
  const std::uint64_t count = reader.varint();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > kExtentGapsMax) return corrupt(kIndex, ": ", count, " gaps, at most ", kExtentGapsMax, " are allowed");
  if (count > reader.remaining() / kGapBytesMin) return too_many(kIndex, "gaps", count, reader.remaining());
  std::vector<Gap> gaps(count);
  std::uint64_t end = 0;
  for (Gap& gap : gaps) {
    const std::uint64_t skipped = reader.varint();
    gap.offsets = reader.varint();
    const std::uint8_t cause = reader.u8();
    DRS_RETURN_IF_ERROR(reader.check());
    if (cause > kGapCauseMax) return too_new(kIndex, ": cause of a gap is ", cause, ", known are 0 to ", kGapCauseMax);
    gap.cause = static_cast<GapCause>(cause);
    if (gap.offsets == 0) return corrupt(kIndex, ": a gap without offsets");
    if (skipped > kOffsetMax - end || gap.offsets > kOffsetMax - end - skipped)
      return corrupt(kIndex, ": a gap exceeds 63 bits");
    gap.from = static_cast<std::int64_t>(end + skipped);
    end += skipped + gap.offsets;
  }
  return gaps;
}

Result<void> check_last_record(const Extent& extent, std::string_view what) {
  if (extent.records == 0) {
    if (extent.payload_bytes != 0 || extent.least_ms != 0 || extent.greatest_ms != 0 || extent.last_offset != 0 ||
        !extent.last_hash.is_zero() || extent.digest != RecordDigest())
      return corrupt(what, ": an extent without records describes some");
    return {};
  }
  if (extent.least_ms > extent.greatest_ms)
    return corrupt(what, ": timestamps from ", extent.least_ms, " to ", extent.greatest_ms);
  if (extent.last_offset < extent.from || extent.last_offset >= extent.to ||
      static_cast<std::uint64_t>(extent.last_offset - extent.from) < extent.records - 1)
    return corrupt(what, ": the last of ", extent.records, " records has the offset ", extent.last_offset,
                   " in an extent from ", extent.from, " to ", extent.to);
  return {};
}

Result<void> check_extent(const Extent& extent, std::string_view what) {
  if (extent.from < 0 || extent.to < extent.from)
    return corrupt(what, ": an extent from ", extent.from, " to ", extent.to);
  const auto offsets = static_cast<std::uint64_t>(extent.to - extent.from);
  if (extent.records > offsets || extent.missing_offsets != offsets - extent.records)
    return corrupt(what, ": an extent of ", offsets, " offsets has ", extent.records, " records and ",
                   extent.missing_offsets, " missing offsets");
  if (extent.gaps > extent.missing_offsets || (extent.gaps == 0 && extent.missing_offsets != 0))
    return corrupt(what, ": ", extent.gaps, " gaps of ", extent.missing_offsets, " missing offsets");
  if (extent.index_bytes < kIndexBytesMin ||
      extent.index_place > std::numeric_limits<std::uint64_t>::max() - extent.index_bytes)
    return corrupt(what, ": an extent index of ", extent.index_bytes, " bytes at ", extent.index_place);
  return check_last_record(extent, what);
}

Result<std::vector<SegmentTopic>> read_topics(ByteView table) {
  ByteReader reader(table, kDirectory);
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > reader.remaining() / kTopicBytesMin) return too_many(kDirectory, "topics", count, reader.remaining());
  std::vector<SegmentTopic> topics(count);
  for (SegmentTopic& topic : topics) {
    topic.name = reader.short_string();
    topic.id = reader.fixed<16>();
    DRS_RETURN_IF_ERROR(reader.check());
    if (topic.name.empty() || topic.name.size() > kTopicNameBytesMax)
      return corrupt(kDirectory, ": a topic's name has ", topic.name.size(), " bytes, expected 1 to ",
                     kTopicNameBytesMax);
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return topics;
}

Result<std::vector<Extent>> read_extents(ByteView table, std::size_t topics, std::uint64_t indexes_end) {
  ByteReader reader(table, kDirectory);
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > reader.remaining() / kExtentBytes) return too_many(kDirectory, "extents", count, reader.remaining());
  std::vector<Extent> extents(count);
  for (Extent& extent : extents) {
    DRS_ASSIGN_OR_RETURN(extent, read_extent(reader, kDirectory));
    if (extent.topic >= topics) return corrupt(kDirectory, ": an extent of topic ", extent.topic, " of ", topics);
    if (extent.index_place + extent.index_bytes > indexes_end)
      return corrupt(kDirectory, ": an extent index of ", extent.index_bytes, " bytes at ", extent.index_place,
                     ", the topic table begins at ", indexes_end);
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  return extents;
}

}  // namespace

std::string_view gap_cause_name(GapCause cause) {
  switch (cause) {
    case GapCause::kUnknown: return "unknown";
    case GapCause::kCompaction: return "compaction";
    case GapCause::kTransaction: return "transaction";
    case GapCause::kCompactionOrTransaction: return "compaction or transaction";
    case GapCause::kRetention: return "retention";
  }
  return "unknown";
}

Bytes encode_extent_index(const ExtentIndex& index) {
  DRS_ASSERT(index.blocks.size() <= kExtentBlocksMax && index.gaps.size() <= kExtentGapsMax,
             "an extent index exceeds its bounds");
  Bytes out;
  ByteWriter writer(out);
  writer.varint(index.blocks.size());
  RecordBlockEntry before = before_the_first();
  for (const RecordBlockEntry& entry : index.blocks) {
    DRS_ASSERT(entry.place >= before.place + before.bytes && entry.first_offset > before.last_offset,
               "the places or offsets of record blocks do not grow");
    write_block_entry(writer, entry, before);
    before = entry;
  }
  writer.varint(index.gaps.size());
  std::uint64_t end = 0;
  for (const Gap& gap : index.gaps) {
    const auto from = static_cast<std::uint64_t>(gap.from);
    DRS_ASSERT(gap.from >= 0 && from >= end && gap.offsets != 0, "gaps are empty or not sorted");
    writer.varint(from - end);
    writer.varint(gap.offsets);
    writer.u8(static_cast<std::uint8_t>(gap.cause));
    end = from + gap.offsets;
  }
  return out;
}

Result<ExtentIndex> decode_extent_index(ByteView bytes) {
  ByteReader reader(bytes, kIndex);
  ExtentIndex index;
  DRS_ASSIGN_OR_RETURN(index.blocks, read_block_entries(reader));
  DRS_ASSIGN_OR_RETURN(index.gaps, read_gaps(reader));
  DRS_RETURN_IF_ERROR(reader.finish());
  return index;
}

void write_extent(ByteWriter& writer, const Extent& extent) {
  writer.u32(extent.topic);
  writer.u32(extent.partition);
  writer.i64(extent.from);
  writer.i64(extent.to);
  writer.u64(extent.records);
  writer.u64(extent.payload_bytes);
  writer.i64(extent.least_ms);
  writer.i64(extent.greatest_ms);
  writer.u64(extent.missing_offsets);
  writer.u32(extent.gaps);
  writer.raw(extent.digest.stored().view());
  writer.i64(extent.last_offset);
  writer.raw(extent.last_hash.view());
  writer.u64(extent.index_place);
  writer.u32(extent.index_bytes);
}

Result<Extent> read_extent(ByteReader& reader, std::string_view what) {
  Extent extent;
  extent.topic = reader.u32();
  extent.partition = reader.u32();
  extent.from = reader.i64();
  extent.to = reader.i64();
  extent.records = reader.u64();
  extent.payload_bytes = reader.u64();
  extent.least_ms = reader.i64();
  extent.greatest_ms = reader.i64();
  extent.missing_offsets = reader.u64();
  extent.gaps = reader.u32();
  DRS_ASSIGN_OR_RETURN(extent.digest, read_record_digest(reader, what));
  extent.last_offset = reader.i64();
  DRS_ASSIGN_OR_RETURN(const RecordDigest last, read_record_digest(reader, what));
  extent.last_hash = last.stored();
  extent.index_place = reader.u64();
  extent.index_bytes = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  DRS_RETURN_IF_ERROR(check_extent(extent, what));
  return extent;
}

Bytes encode_segment_directory(const SegmentDirectory& directory, std::uint64_t place) {
  Bytes out;
  ByteWriter writer(out);
  writer.u32(static_cast<std::uint32_t>(directory.topics.size()));
  for (const SegmentTopic& topic : directory.topics) {
    DRS_ASSERT(!topic.name.empty() && topic.name.size() <= kTopicNameBytesMax, "the length of a topic's name");
    writer.short_string(topic.name);
    writer.raw(topic.id.view());
  }
  const std::uint64_t extents_place = place + out.size();
  writer.u32(static_cast<std::uint32_t>(directory.extents.size()));
  for (const Extent& extent : directory.extents) write_extent(writer, extent);
  const std::uint64_t end_place = place + out.size();
  const Xxh3Digest xxh3 = xxh3_128(out);
  kMagic.write(writer);
  writer.u64(place);
  writer.u64(extents_place);
  writer.u64(end_place);
  writer.raw(xxh3.view());
  return out;
}

Result<SegmentTrailer> decode_segment_trailer(ByteView bytes, std::uint64_t stream_bytes) {
  ByteReader reader(bytes, kTrailer);
  DRS_RETURN_IF_ERROR(kMagic.read(reader, kTrailer));
  SegmentTrailer trailer;
  trailer.topics_place = reader.u64();
  trailer.extents_place = reader.u64();
  trailer.end_place = reader.u64();
  trailer.xxh3 = reader.fixed<16>();
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check_trailer_place(trailer.end_place, stream_bytes, kSegmentTrailerBytes, kTrailer));
  if (trailer.topics_place > trailer.extents_place || trailer.extents_place > trailer.end_place)
    return corrupt(kTrailer, ": its tables begin at ", trailer.topics_place, " and ", trailer.extents_place,
                   " and end at ", trailer.end_place);
  return trailer;
}

Result<SegmentDirectory> decode_segment_directory(const SegmentTrailer& trailer, ByteView bytes) {
  DRS_RETURN_IF_ERROR(check_trailed(bytes, trailer.end_place - trailer.topics_place, trailer.xxh3, kDirectory));
  const std::size_t topics_bytes = trailer.extents_place - trailer.topics_place;
  SegmentDirectory directory;
  DRS_ASSIGN_OR_RETURN(directory.topics, read_topics(bytes.first(topics_bytes)));
  DRS_ASSIGN_OR_RETURN(directory.extents,
                       read_extents(bytes.subspan(topics_bytes), directory.topics.size(), trailer.topics_place));
  return directory;
}

}  // namespace drs
