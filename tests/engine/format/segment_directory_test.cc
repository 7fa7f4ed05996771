#include "engine/format/segment_directory.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "engine/format/record_block.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kTimeMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kTimeMax = std::numeric_limits<std::int64_t>::max();

RecordDigest digest(std::string_view label) {
  RecordDigest out;
  out.add(golden::fixed_uuid(label));
  return out;
}

ExtentIndex index() {
  const RecordBlockEntry first{.place = 0,
                               .bytes = 1000,
                               .first_offset = 0,
                               .last_offset = 9,
                               .records = 10,
                               .least_ms = kTimeMin,
                               .greatest_ms = kTimeMax,
                               .digest = digest("first")};
  const RecordBlockEntry second{.place = 5000,
                                .bytes = 2000,
                                .first_offset = 12,
                                .last_offset = 200,
                                .records = 100,
                                .least_ms = -1,
                                .greatest_ms = -1,
                                .digest = digest("second")};
  return {.blocks = {first, second},
          .gaps = {{.from = 10, .offsets = 2, .cause = GapCause::kRetention},
                   {.from = 100, .offsets = 89, .cause = GapCause::kCompactionOrTransaction}}};
}

Extent extent() {
  return {.topic = 1,
          .partition = 7,
          .from = 100,
          .to = 200,
          .records = 90,
          .payload_bytes = 12'345,
          .least_ms = -1,
          .greatest_ms = 1'700'000'000'000,
          .missing_offsets = 10,
          .gaps = 3,
          .digest = digest("extent"),
          .last_offset = 198,
          .last_hash = digest("last").stored(),
          .index_place = 4'000,
          .index_bytes = 60};
}

Extent empty_extent() {
  Extent out;
  out.partition = 8;
  out.from = 5;
  out.to = 9;
  out.missing_offsets = 4;
  out.gaps = 1;
  out.index_place = 10;
  out.index_bytes = 6;
  return out;
}

SegmentDirectory directory() {
  return {.topics = {{.name = "orders", .id = golden::fixed_uuid("orders")}, {.name = std::string(249, 'x'), .id = {}}},
          .extents = {extent(), empty_extent()}};
}

struct Placed {
  Bytes bytes;  // tables and trailer
  std::uint64_t place = 4'060;
  [[nodiscard]] std::uint64_t end() const { return place + bytes.size(); }
  [[nodiscard]] ByteView tables() const { return ByteView(bytes).first(bytes.size() - kSegmentTrailerBytes); }
  [[nodiscard]] ByteView trailer() const { return ByteView(bytes).last(kSegmentTrailerBytes); }
};

Placed placed(const SegmentDirectory& source) {
  Placed out;
  out.bytes = encode_segment_directory(source, out.place);
  return out;
}

Result<SegmentDirectory> decoded(const Placed& source) {
  DRS_ASSIGN_OR_RETURN(const SegmentTrailer trailer, decode_segment_trailer(source.trailer(), source.end()));
  return decode_segment_directory(trailer, source.tables());
}

ErrorCode extent_error(const Extent& source) {
  Bytes bytes;
  ByteWriter writer(bytes);
  write_extent(writer, source);
  ByteReader reader(bytes, "test");
  const auto got = read_extent(reader, "test");
  EXPECT_FALSE(got.ok());
  return got.ok() ? ErrorCode::kInternal : got.error().code;
}

TEST(ExtentIndex, RoundTrips) {
  for (const ExtentIndex& source : {index(), ExtentIndex()}) {
    const auto got = decode_extent_index(encode_extent_index(source));
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(*got, source);
  }
}

TEST(ExtentIndex, RoundTripsAnyBlocksThatGrow) {
  EXPECT_TRUE(rc::check([](const std::vector<std::array<std::uint32_t, 4>>& seeds, std::int64_t least_ms) {
    ExtentIndex source;
    std::uint64_t place = 0;
    std::int64_t offset = 0;
    for (const auto& [skipped, bytes, span, records] : seeds) {
      RecordBlockEntry entry;
      entry.place = place += skipped;
      entry.bytes = static_cast<std::uint32_t>(kRecordBlockHeaderBytes) + bytes % 1'000'000;
      entry.first_offset = offset += skipped % 3;
      entry.last_offset = entry.first_offset + span;
      entry.records = span == 0 ? 1 : 2 + records % std::min(span, 90U);  // fewer than bytes
      entry.least_ms = least_ms / 2;
      entry.greatest_ms = least_ms / 2 + span;
      place += entry.bytes;
      offset = entry.last_offset + 1;
      source.blocks.push_back(entry);
      if (skipped % 2 == 0) source.gaps.push_back({.from = entry.first_offset, .offsets = 1, .cause = {}});
    }
    const auto got = decode_extent_index(encode_extent_index(source));
    RC_ASSERT(got.ok());
    RC_ASSERT(*got == source);
  }));
}

TEST(ExtentIndex, EndsAtTheLastOffset) {
  ExtentIndex source = index();
  source.blocks[1].last_offset = kOffsetMax;
  source.gaps[1] = {.from = 100, .offsets = static_cast<std::uint64_t>(kOffsetMax) - 100, .cause = GapCause::kUnknown};
  const auto got = decode_extent_index(encode_extent_index(source));
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(*got, source);
}

TEST(ExtentIndex, RefusesBlocksThatNoStreamHolds) {
  const std::function<void(ExtentIndex&)> changes[] = {
      [](ExtentIndex& i) { i.blocks[0].bytes = kRecordBlockHeaderBytes - 1; },
      [](ExtentIndex& i) {
        i.blocks[0].bytes = kRecordBlockBytesMax + 1, i.blocks[1].place = kRecordBlockBytesMax + 1;
      },
      [](ExtentIndex& i) { i.blocks[0].records = 0; },
      [](ExtentIndex& i) { i.blocks[0].records = 1; },
      [](ExtentIndex& i) { i.blocks[0].records = 11; },
      [](ExtentIndex& i) { i.blocks[1].place = ~std::uint64_t{0} - 100; },
      [](ExtentIndex& i) { i.blocks[1].least_ms = 0; },  // greatest is -1
      [](ExtentIndex& i) { i.gaps[0].cause = static_cast<GapCause>(4), i.gaps[1].offsets = ~std::uint64_t{0}; },
      [](ExtentIndex& i) { i.blocks[1].digest = RecordDigest::of_stored(golden::fixed_uuid("too large")); },
  };
  for (std::size_t n = 0; n < std::size(changes); ++n) {
    ExtentIndex source = index();
    changes[n](source);
    const auto got = decode_extent_index(encode_extent_index(source));
    ASSERT_FALSE(got.ok()) << n;
    EXPECT_EQ(got.error().code, ErrorCode::kCorrupt) << n << ": " << got.error().message;
  }
}

TEST(ExtentIndex, RefusesMoreRecordsThanBytes) {
  const auto with_records = [](std::uint64_t records) {
    Bytes bytes;
    ByteWriter writer(bytes);
    for (const std::uint64_t field : {std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{500}, std::uint64_t{0},
                                      std::uint64_t{1} << 40, records, std::uint64_t{0}, std::uint64_t{0}})
      writer.varint(field);
    writer.raw(digest("block").stored().view());
    writer.varint(0);  // gaps
    return bytes;
  };
  EXPECT_TRUE(decode_extent_index(with_records(100)).ok());
  for (const std::uint64_t records : {std::uint64_t{501}, (std::uint64_t{1} << 32) + 100}) {
    const auto got = decode_extent_index(with_records(records));
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.error().code, ErrorCode::kCorrupt);
  }
}

TEST(ExtentIndex, AnUnknownCauseOfAGapIsTooNew) {
  ExtentIndex source = index();
  source.gaps[0].cause = static_cast<GapCause>(5);
  EXPECT_EQ(decode_extent_index(encode_extent_index(source)).error().code, ErrorCode::kFormatTooNew);
}

TEST(ExtentIndex, ChecksCountsBeforeItTakesMemory) {
  const auto code = [](Bytes bytes) { return decode_extent_index(bytes).error().code; };
  EXPECT_EQ(code({}), ErrorCode::kTruncated);
  EXPECT_EQ(code({0}), ErrorCode::kTruncated);
  EXPECT_EQ(code({0, 1, 0, 0}), ErrorCode::kTruncated);         // one gap
  EXPECT_EQ(code({0, 1, 0, 0, 0}), ErrorCode::kCorrupt);        // without offsets
  EXPECT_EQ(code({0, 0x81, 2, 0, 0, 0}), ErrorCode::kCorrupt);  // 257 gaps
  EXPECT_EQ(code({0x80, 0x20, 0, 0}), ErrorCode::kTruncated);   // 4,096 blocks
  EXPECT_EQ(code({0x81, 0x20, 0, 0}), ErrorCode::kCorrupt);     // 4,097 blocks
  EXPECT_EQ(code({0, 0, 0}), ErrorCode::kCorrupt);
}

TEST(Extent, TakesItsFixedLength) {
  Bytes bytes;
  ByteWriter writer(bytes);
  write_extent(writer, extent());
  EXPECT_EQ(bytes.size(), kExtentBytes);
}

TEST(Extent, RefusesSumsThatDoNotHold) {
  const std::function<void(Extent&)> changes[] = {
      [](Extent& e) { e.from = -1; },
      [](Extent& e) { e.to = 99; },
      [](Extent& e) { e.records = 101; },
      [](Extent& e) { e.records = 89; },
      [](Extent& e) { e.missing_offsets = 9; },
      [](Extent& e) { e.gaps = 0; },
      [](Extent& e) { e.gaps = 11; },
      [](Extent& e) { e.least_ms = e.greatest_ms + 1; },
      [](Extent& e) { e.last_offset = 99; },
      [](Extent& e) { e.last_offset = 200; },
      [](Extent& e) { e.last_offset = 188; },
      [](Extent& e) { e.last_hash.data.fill(0xFF); },
      [](Extent& e) { e.index_bytes = 1; },
      [](Extent& e) { e.index_place = ~std::uint64_t{0}; },
      [](Extent& e) { e = empty_extent(), e.payload_bytes = 1; },
      [](Extent& e) { e = empty_extent(), e.least_ms = -1; },
      [](Extent& e) { e = empty_extent(), e.greatest_ms = 1; },
      [](Extent& e) { e = empty_extent(), e.last_offset = 5; },
      [](Extent& e) { e = empty_extent(), e.last_hash = digest("last").stored(); },
      [](Extent& e) { e = empty_extent(), e.digest = digest("extent"); },
  };
  for (std::size_t n = 0; n < std::size(changes); ++n) {
    Extent source = extent();
    changes[n](source);
    EXPECT_EQ(extent_error(source), ErrorCode::kCorrupt) << n;
  }
}

TEST(SegmentDirectory, RoundTrips) {
  for (const SegmentDirectory& source : {directory(), SegmentDirectory()}) {
    const auto got = decoded(placed(source));
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(*got, source);
  }
}

TEST(SegmentDirectory, DetectsEveryFlippedBit) {
  Placed good = placed(directory());
  for (std::size_t bit = 0; bit < good.bytes.size() * 8; ++bit) {
    Placed flipped = good;
    flipped.bytes[bit / 8] = static_cast<Byte>(flipped.bytes[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_FALSE(decoded(flipped).ok()) << bit;
  }
}

TEST(SegmentDirectory, RefusesWhatNoStreamHolds) {
  const std::function<void(SegmentDirectory&)> changes[] = {
      [](SegmentDirectory& d) { d.extents[0].topic = 2; },
      [](SegmentDirectory& d) { d.extents[0].index_bytes = 61; },
      [](SegmentDirectory& d) { d.extents[0].records = 91; },
  };
  for (const auto& change : changes) {
    SegmentDirectory source = directory();
    change(source);
    EXPECT_EQ(decoded(placed(source)).error().code, ErrorCode::kCorrupt);
  }
}

TEST(SegmentTrailer, RefusesOtherPlacesAndVersions) {
  const Placed good = placed(directory());
  struct Change {
    std::size_t at;
    Byte value;
    ErrorCode code;
  };
  for (const Change& change :
       {Change{0, 'D', ErrorCode::kCorrupt}, Change{7, 0, ErrorCode::kCorrupt}, Change{7, 2, ErrorCode::kFormatTooNew},
        Change{15, 1, ErrorCode::kCorrupt}, Change{23, 1, ErrorCode::kCorrupt}, Change{31, 1, ErrorCode::kCorrupt}}) {
    Bytes trailer(good.trailer().begin(), good.trailer().end());
    trailer[change.at] = change.value;
    EXPECT_EQ(decode_segment_trailer(trailer, good.end()).error().code, change.code) << change.at;
  }
  EXPECT_EQ(decode_segment_trailer(good.trailer(), good.end() + 1).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decode_segment_trailer(good.trailer(), 47).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decode_segment_trailer(good.trailer().first(47), good.end()).error().code, ErrorCode::kTruncated);
}

TEST(GapCause, HasAName) {
  EXPECT_EQ(gap_cause_name(GapCause::kUnknown), "unknown");
  EXPECT_EQ(gap_cause_name(GapCause::kCompactionOrTransaction), "compaction or transaction");
}

}  // namespace
}  // namespace drs
