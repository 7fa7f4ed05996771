#include "tests/engine/format/malformed_topics.h"

#include <algorithm>

#include "engine/format/record_block.h"
#include "tests/engine/format/changed_bytes.h"
#include "tests/engine/format/decoders.h"
#include "tests/engine/format/golden_topics.h"

namespace drs::golden {
namespace {

// Adds a change of the golden record block: it has three records at 0, 1 and 2, and a value that is null.
void add_record_blocks(const Bytes& block, const AddInput& add) {
  constexpr std::size_t kFirstOffsetAt = 16;
  constexpr std::size_t kRecordsAt = 32;
  constexpr std::size_t kLeastAt = 36;
  constexpr std::size_t kColumnsAt = kRecordBlockHeaderBytes - 4 * kRecordColumns;
  constexpr std::size_t kOffsetsAt = kRecordBlockHeaderBytes;
  constexpr std::size_t kTimesAt = kOffsetsAt + 2;  // the offsets are one run
  add("record_block__truncated__truncated", truncated(block, 1));
  add("record_block__header-truncated__truncated", truncated(block, block.size() - kRecordBlockHeaderBytes + 1));
  add("record_block__left-over-bytes__corrupt", with_more(block));
  add("record_block__layout-0__corrupt", with_u8(block, 4, 0));
  add("record_block__layout-2__format-too-new", with_u8(block, 4, 2));
  add("record_block__reserved-byte__corrupt", with_u8(block, 5, 1));
  add("record_block__12-columns__corrupt", with_u8(block, 6, 12));
  add("record_block__first-offset-negative__corrupt", with_u8(block, kFirstOffsetAt + 7, 0x80));
  add("record_block__last-offset-before-the-first__corrupt", with_u8(block, kFirstOffsetAt, 3));
  add("record_block__no-records__corrupt", with_u8(block, kRecordsAt, 0));
  add("record_block__more-records-than-offsets__corrupt", with_u8(block, kRecordsAt, 4));
  add("record_block__least-timestamp__corrupt", with_u8(block, kLeastAt, static_cast<Byte>(block[kLeastAt] - 1)));
  add("record_block__greatest-timestamp__corrupt",
      with_u8(block, kLeastAt + 8, static_cast<Byte>(block[kLeastAt + 8] + 1)));
  add("record_block__columns-do-not-sum__corrupt", with_u8(block, kColumnsAt, 3));
  add("record_block__column-longer-than-the-block__corrupt", with_u32(block, kColumnsAt, 0xFFFFFFF0));
  add("record_block__overlong-block__corrupt", with_u32(block, 0, 0x40000001));
  add("record_block__run-skips-before-the-first__corrupt", with_u8(block, kOffsetsAt, 1));
  add("record_block__run-of-no-records__corrupt", with_u8(block, kOffsetsAt + 1, 0));
  add("record_block__run-of-4-records__corrupt", with_u8(block, kOffsetsAt + 1, 4));
  const Bytes two_runs = {0, 1, 0, 2};  // of records that follow each other
  add("record_block__runs-that-are-one__corrupt",
      with_u32(with_u32(spliced(block, kOffsetsAt, 2, two_runs), 0, static_cast<std::uint32_t>(block.size()) + 2),
               kColumnsAt, 4));
  const std::size_t types_at = kTimesAt + block[kColumnsAt + 4];
  add("record_block__timestamp-type-3__corrupt", with_u8(block, types_at, 3));
  add("record_block__null-key-with-bytes__corrupt", with_u8(block, types_at + 2, 0));
  add("record_block__value-longer-than-its-column__corrupt", with_u8(block, types_at + 2 + 3, 0x7F));
  add("record_block__more-headers-than-bytes__corrupt", with_u8(block, types_at + 2 + 6, 0x7F));
}

void add_extent_indexes(const Bytes& index, const AddInput& add) {
  add("extent_index__truncated__truncated", truncated(index, 1));
  add("extent_index__left-over-bytes__corrupt", with_more(index));
  add("extent_index__16385-blocks__corrupt", spliced(index, 0, 1, {0x81, 0x80, 0x01}));
  add("extent_index__more-blocks-than-bytes__truncated", spliced(index, 0, 1, {0x80, 0x20}));
  add("extent_index__non-minimal-varint__truncated", spliced(index, 0, 1, {0x82, 0x00}));
  add("extent_index__block-of-1-byte__corrupt", spliced(index, 2, 2, {1}));
  add("extent_index__place-of-65-bits__corrupt",
      spliced(index, 1, 1, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}));
  constexpr std::size_t kOffsetAt = 4;  // after count, place and a length of two bytes
  add("extent_index__offset-2-63__corrupt",
      spliced(index, kOffsetAt, 1, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}));
  add("extent_index__no-records__corrupt", with_u8(index, kOffsetAt + 2, 0));
  add("extent_index__more-records-than-offsets__corrupt", with_u8(index, kOffsetAt + 2, 4));
  const Bytes span_and_records = {0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0x83, 0x80, 0x80, 0x80, 0x10};  // 2^40, 2^32 + 3
  add("extent_index__more-records-than-bytes__corrupt", spliced(index, kOffsetAt + 1, 2, span_and_records));
  const std::size_t gaps_at = index.size() - 3 * 3 - 1;
  add("extent_index__digest-of-128-bits__corrupt", with_u8(index, gaps_at - 1, 0x80));
  add("extent_index__257-gaps__corrupt", spliced(index, gaps_at, 1, {0x81, 0x02}));
  add("extent_index__more-gaps-than-bytes__truncated", with_u8(index, gaps_at, 4));
  add("extent_index__empty-gap__corrupt", with_u8(index, gaps_at + 2, 0));
  add("extent_index__gap-cause-5__format-too-new", with_u8(index, gaps_at + 3, 5));
}

void add_extent_pages(const Bytes& page, const AddInput& add) {
  constexpr std::size_t kPageAt = 4 + 4;
  constexpr std::size_t kWindowAt = kPageAt + 4;  // after the stream
  constexpr std::size_t kExtentAt = kWindowAt + 8 + 8 + 8 + 16;
  constexpr std::size_t kSecondAt = kPageAt + kCatalogueExtentBytes;
  const auto swapped = [&] {
    Bytes out = page;
    std::rotate(out.begin() + kPageAt, out.begin() + kSecondAt, out.end());
    return out;
  };
  add("extent_page__truncated__truncated", truncated(page, 1));
  add("extent_page__part-of-an-extent__truncated", with_u8(page, 4, 3));
  add("extent_page__another-partition__corrupt", with_u8(page, 0, 1));
  add("extent_page__stream-0__corrupt", with_u8(page, kPageAt, 0));
  add("extent_page__windows-out-of-order__corrupt", swapped());
  add("extent_page__window-behind-its-extent__corrupt", with_u8(page, kWindowAt + 8, 13));
  add("extent_page__window-backwards__corrupt", with_u8(page, kWindowAt, 13));
  add("extent_page__window-with-too-many-records__corrupt", with_u8(page, kWindowAt + 16, 8));
  add("extent_page__window-with-too-few-records__corrupt", with_u8(page, kWindowAt + 16, 4));
  add("extent_page__digest-of-the-whole__corrupt",
      with_u8(page, kSecondAt + 4 + 24, static_cast<Byte>(page[kSecondAt + 4 + 24] ^ 1)));
  add("extent_page__extent-with-too-many-records__corrupt", with_u8(page, kExtentAt + 24, 13));
  add("extent_page__extent-without-gaps__corrupt", with_u8(page, kExtentAt + 64, 0));
  add("extent_page__extent-with-its-last-record-outside__corrupt", with_u8(page, kExtentAt + 84, 12));
  add("extent_page__extent-without-an-index__corrupt", with_u8(page, kExtentAt + 116, 0));
}

// What both kinds of trailers have in common.
void add_trailers(const std::string& decoder, const Bytes& input, std::size_t trailer_bytes, const AddInput& add) {
  const std::size_t trailer_at = input.size() - trailer_bytes;
  const auto add_named = [&](const std::string& what, Bytes bytes) { add(decoder + "__" + what, std::move(bytes)); };
  add_named("truncated__corrupt", truncated(input, 1));
  add_named("shorter-than-a-trailer__truncated", truncated(input, trailer_at - 8 + 1));
  add_named("wrong-magic__corrupt", with_u8(input, trailer_at, 'D'));
  add_named("version-0__corrupt", with_u8(input, trailer_at + 7, 0));
  add_named("version-2__format-too-new", with_u8(input, trailer_at + 7, 2));
  add_named("end-elsewhere__corrupt", with_u8(input, trailer_at + 24, static_cast<Byte>(input[trailer_at + 24] + 1)));
  add_named("tables-backwards__corrupt", with_u8(input, trailer_at + 15, 1));
  add_named("checksum__corrupt", with_u8(input, input.size() - 1, static_cast<Byte>(input.back() ^ 1)));
}

void add_segment_directories(const Bytes& input, const AddInput& add) {
  add_trailers("segment_directory", input, kSegmentTrailerBytes, add);
  const auto changed = [&](std::size_t at, Byte value) {
    return with_checksum(with_u8(input, at, value), kSegmentTrailerBytes);
  };
  constexpr std::size_t kTopicsAt = 8;
  const std::size_t extents_at = kTopicsAt + 4 + (2 + 6 + 16) + (2 + 5 + 16);  // orders, audit
  add("segment_directory__more-topics-than-bytes__truncated", changed(kTopicsAt, 9));
  add("segment_directory__topic-left-over__corrupt", changed(kTopicsAt, 1));
  add("segment_directory__topic-without-a-name__corrupt", changed(kTopicsAt + 4, 0));
  add("segment_directory__more-extents-than-bytes__truncated", changed(extents_at, 4));
  add("segment_directory__extent-left-over__corrupt", changed(extents_at, 2));
  add("segment_directory__extent-of-topic-2__corrupt", changed(extents_at + 4, 2));
  add("segment_directory__index-in-the-tables__corrupt", changed(extents_at + 4 + 116, 0xFF));
  add("segment_directory__missing-offsets__corrupt", changed(extents_at + 4 + 56, 4));
}

void add_catalogues(const Bytes& input, const AddInput& add) {
  add_trailers("catalogue", input, kCatalogueTrailerBytes, add);
  const std::size_t trailer_at = input.size() - kCatalogueTrailerBytes;
  const std::size_t table_at = trailer_at - 3 * 24;
  const auto changed = [&](std::size_t at, Byte value) {
    return with_checksum(with_u8(input, at, value), kCatalogueTrailerBytes);
  };
  add("catalogue__two-sections__corrupt", with_u8(input, trailer_at + 32, 2));
  add("catalogue__reserved-bytes-of-the-trailer__corrupt", with_u8(input, trailer_at + 40, 1));
  add("catalogue__reserved-bytes-of-a-section__corrupt", changed(table_at + 2, 1));
  add("catalogue__section-0__corrupt", changed(table_at, 0));
  add("catalogue__no-section-of-the-cluster__corrupt", changed(table_at + 48, 4));
  add("catalogue__sections-out-of-order__corrupt", changed(table_at + 24, 1));
  add("catalogue__section-elsewhere__corrupt", changed(table_at + 8, static_cast<Byte>(input[table_at + 8] + 1)));
  add("catalogue__section-longer-than-all__corrupt", changed(table_at + 23, 1));
  constexpr std::size_t kTopicsAt = 8;
  constexpr std::size_t kAuditAt = kTopicsAt + 4;
  constexpr std::size_t kAuditPartitionAt = kAuditAt + 2 + 5 + 4 + 16 + 2 + 4 + 4;
  constexpr std::size_t kOrdersAt = kAuditPartitionAt + 73;
  constexpr std::size_t kConfigAt = kOrdersAt + 2 + 6 + 4 + 16 + 2 + 4;
  constexpr std::size_t kConfigSourceAt = kConfigAt + 2 + 14 + 4 + 7;
  add("catalogue__more-topics-than-bytes__truncated", changed(kTopicsAt + 3, 1));
  add("catalogue__topic-without-a-name__corrupt", changed(kAuditAt, 0));
  add("catalogue__topics-unsorted__corrupt", changed(kAuditAt + 2, 'z'));
  add("catalogue__generation-0__corrupt", changed(kAuditAt + 2 + 5, 0));
  add("catalogue__partition-state-3__format-too-new", changed(kAuditPartitionAt + 4, 3));
  add("catalogue__partition-with-too-many-records__corrupt", changed(kAuditPartitionAt + 37, 2));
  add("catalogue__partition-without-extents__corrupt", changed(kAuditPartitionAt + 69, 0));
  add("catalogue__extents-outside-the-pages__corrupt", changed(kAuditPartitionAt + 69, 2));
  add("catalogue__config-source-6__format-too-new", changed(kConfigSourceAt, 6));
  add("catalogue__config-source-default__corrupt", changed(kConfigSourceAt, 5));
  add("catalogue__configs-unsorted__corrupt", changed(kConfigAt + 2, 's'));
  add("catalogue__flag-of-uncommitted-records__corrupt", changed(table_at - 2 - 4 - 1, 2));
}

}  // namespace

std::map<std::string, Bytes> well_formed_topic_inputs() {
  const std::map<std::string, Bytes> streams = topic_streams();
  const std::vector<std::string> labels = topic_stream_labels();
  const auto end_of = [&](const std::string& label, std::size_t bytes) {
    const Bytes& stream = streams.at(label);
    return framed_u64(stream.size(), ByteView(stream).last(bytes));
  };
  // From the tables of the older segment stream, and from the sections of the catalogue.
  const auto trailer =
      decode_segment_trailer(ByteView(streams.at(labels[1])).last(kSegmentTrailerBytes), streams.at(labels[1]).size());
  const std::size_t tables_bytes = streams.at(labels[1]).size() - trailer->topics_place;
  const std::size_t pages_bytes = 4 * kCatalogueExtentBytes;
  return {{"record_block/golden", record_block()},
          {"extent_index/golden", extent_index()},
          {"extent_index/empty", encode_extent_index({})},
          {"extent_page/golden", framed_u64(std::uint64_t{2} << 32, extent_page())},
          {"segment_directory/golden", end_of(labels[1], tables_bytes)},
          {"segment_directory/whole", end_of(labels[2], streams.at(labels[2]).size())},
          {"catalogue/golden", end_of(labels[0], streams.at(labels[0]).size() - pages_bytes)},
          {"catalogue/whole", end_of(labels[0], streams.at(labels[0]).size())}};
}

void add_malformed_topic_inputs(const std::map<std::string, Bytes>& good, const AddInput& add) {
  add_record_blocks(good.at("record_block/golden"), add);
  add_extent_indexes(good.at("extent_index/golden"), add);
  add_extent_pages(good.at("extent_page/golden"), add);
  add_segment_directories(good.at("segment_directory/golden"), add);
  add_catalogues(good.at("catalogue/golden"), add);
}

}  // namespace drs::golden
