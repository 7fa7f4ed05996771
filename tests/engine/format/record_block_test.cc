#include "engine/format/record_block.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/codecs/test_records.h"

namespace drs {
namespace {

Bytes encoded(RecordBlockBuilder& builder) {
  Bytes block(builder.header().bytes);
  builder.encode(block);
  return block;
}

Bytes block_of(const std::vector<TestRecord>& records) {
  RecordBlockBuilder builder;
  builder.begin(3, 12);
  for (const TestRecord& record : records) {
    const RecordView view(record);
    EXPECT_TRUE(builder.has_room_for(view.record()));
    builder.add(view.record());
  }
  return encoded(builder);
}

Result<std::vector<TestRecord>> records_of(ByteView block) {
  DRS_ASSIGN_OR_RETURN(RecordBlockReader reader, RecordBlockReader::open(block));
  std::vector<TestRecord> records;
  while (true) {
    DRS_ASSIGN_OR_RETURN(const Record* record, reader.next());
    if (record == nullptr) break;
    records.push_back(copy_of(*record));
  }
  EXPECT_TRUE(reader.next().ok() && *reader.next() == nullptr);
  return records;
}

std::vector<TestRecord> arbitrary_records(std::uint64_t seed) {
  ArbitraryRecords source(seed);
  return source.records(1 + source.below(60));
}

TestRecord record_at(std::int64_t offset) {
  return {.offset = offset, .timestamp_ms = 1000 + offset, .key = "key", .value = "value", .headers = {{"h", "1"}}};
}

// A block with the columns given, and a header that fits them.
Bytes forged(RecordBlockHeader header, const std::array<Bytes, kRecordColumns>& columns) {
  Bytes out;
  ByteWriter writer(out);
  header.bytes = kRecordBlockHeaderBytes;
  for (const Bytes& column : columns) header.bytes += static_cast<std::uint32_t>(column.size());
  writer.u32(header.bytes);
  writer.u8(1);
  writer.u8(0);
  writer.u16(kRecordColumns);
  writer.u32(header.topic);
  writer.u32(header.partition);
  writer.i64(header.first_offset);
  writer.i64(header.last_offset);
  writer.u32(header.records);
  writer.i64(header.least_ms);
  writer.i64(header.greatest_ms);
  for (const Bytes& column : columns) writer.u32(static_cast<std::uint32_t>(column.size()));
  for (const Bytes& column : columns) writer.raw(column);
  return out;
}

// Three records at 10, 11 and 13 with the timestamps 5, 4 and 4, keys of one byte and null values; the last one has a
// header.
struct Forgery {
  RecordBlockHeader header{
      .topic = 1, .partition = 2, .first_offset = 10, .last_offset = 13, .records = 3, .least_ms = 4, .greatest_ms = 5};
  std::array<Bytes, kRecordColumns> columns = {{{0, 2, 1, 1},
                                                {10, 1, 0},
                                                {1, 1, 2, 2},
                                                {2, 2, 2},
                                                {0, 0, 0},
                                                {0, 0, 1},
                                                {1, 3},
                                                {'h'},
                                                {'v', 'w'},
                                                {'a', 'b', 'c'},
                                                {}}};
  [[nodiscard]] Bytes bytes() const { return forged(header, columns); }
};

TEST(RecordBlock, RoundTripsAnyRecords) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const std::vector<TestRecord> records = arbitrary_records(seed);
    const Bytes block = block_of(records);
    const auto decoded = records_of(block);
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == records);
    RC_ASSERT(block_of(records) == block);
  }));
}

TEST(RecordBlock, StatesItsRecordsInItsHeader) {
  const Bytes block = block_of({record_at(10), record_at(11), record_at(13)});
  const auto header = decode_record_block_header(ByteView(block).first(kRecordBlockHeaderBytes));
  ASSERT_TRUE(header.ok()) << header.error().message;
  EXPECT_EQ(header->bytes, block.size());
  EXPECT_EQ(header->topic, 3U);
  EXPECT_EQ(header->partition, 12U);
  EXPECT_EQ(header->first_offset, 10);
  EXPECT_EQ(header->last_offset, 13);
  EXPECT_EQ(header->records, 3U);
  EXPECT_EQ(header->least_ms, 1010);
  EXPECT_EQ(header->greatest_ms, 1013);
}

TEST(RecordBlock, HasTheBytesOfItsDescription) {
  const Forgery forgery;
  const auto records = records_of(forgery.bytes());
  ASSERT_TRUE(records.ok()) << records.error().message;
  const auto at = [](std::int64_t offset, std::int64_t timestamp_ms, TimestampType type, std::string key) {
    return TestRecord{
        .offset = offset, .timestamp_ms = timestamp_ms, .timestamp_type = type, .key = key, .value = {}, .headers = {}};
  };
  TestRecord last = at(13, 4, TimestampType::kLogAppendTime, "c");
  last.headers = {{"h", "vw"}};
  EXPECT_EQ(*records, (std::vector{at(10, 5, TimestampType::kCreateTime, "a"),
                                   at(11, 4, TimestampType::kLogAppendTime, "b"), last}));
  RecordBlockBuilder builder;
  builder.begin(1, 2);
  for (const TestRecord& record : *records) builder.add(RecordView(record).record());
  EXPECT_EQ(encoded(builder), forgery.bytes());
}

TEST(RecordBlock, StartsOverAfterEncode) {
  RecordBlockBuilder builder;
  builder.begin(3, 12);
  const std::vector<TestRecord> first = arbitrary_records(1);
  for (const TestRecord& record : first) builder.add(RecordView(record).record());
  encoded(builder);
  EXPECT_TRUE(builder.empty());
  builder.begin(3, 12);
  const std::vector<TestRecord> second = arbitrary_records(2);
  for (const TestRecord& record : second) builder.add(RecordView(record).record());
  EXPECT_EQ(encoded(builder), block_of(second));
}

TEST(RecordBlock, FillsUpToItsBound) {
  for (const std::size_t value_bytes : {0U, 100U, 3'000U, 100'000U}) {
    RecordBlockBuilder builder;
    builder.begin(0, 0);
    TestRecord record{.timestamp_ms = 0, .key = {}, .value = std::string(value_bytes, 'v'), .headers = {}};
    while (builder.has_room_for(RecordView(record).record())) {
      builder.add(RecordView(record).record());
      record.offset += 2;
    }
    const std::uint32_t bytes = builder.header().bytes;
    EXPECT_LE(bytes, kRecordBlockBytesMax);
    EXPECT_GT(bytes, kRecordBlockBytesMax - value_bytes - 120);
    EXPECT_TRUE(records_of(encoded(builder)).ok());
  }
}

TEST(RecordBlock, HoldsOneRecordOfAnySize) {
  TestRecord record = record_at(7);
  record.value = std::string(3 * kRecordBlockBytesMax, 'v');
  record.headers.push_back({"long", std::string(2 * kRecordBlockBytesMax, 'h')});
  RecordBlockBuilder builder;
  builder.begin(0, 0);
  const RecordView view(record);
  EXPECT_TRUE(builder.has_room_for(view.record()));
  builder.add(view.record());
  EXPECT_FALSE(builder.has_room_for(RecordView(record_at(8)).record()));
  const auto decoded = records_of(encoded(builder));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, std::vector{record});
  builder.begin(0, 0);  // its memory was released
  builder.add(RecordView(record_at(8)).record());
  EXPECT_TRUE(records_of(encoded(builder)).ok());
}

TEST(RecordBlock, TakesOffsetsUpToTheLast) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const std::vector<TestRecord> records = {record_at(0), record_at(kLast - 2000), record_at(kLast - 1999)};
  std::vector<TestRecord> moved = records;
  for (TestRecord& record : moved) record.timestamp_ms = 0;
  moved.push_back(moved.back());
  moved.back().offset = kLast;
  const auto decoded = records_of(block_of(moved));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, moved);
}

TEST(RecordBlock, RefusesAHeaderThatNoWriterWrites) {
  const Bytes good = Forgery().bytes();
  constexpr std::size_t kColumnsAt = kRecordBlockHeaderBytes - 4 * kRecordColumns;
  struct Change {
    std::size_t at;
    Byte value;
    ErrorCode code;
  };
  const Change changes[] = {
      {0, 1, ErrorCode::kCorrupt},                  // length
      {4, 0, ErrorCode::kCorrupt},                  // layout
      {4, 2, ErrorCode::kFormatTooNew},             // layout
      {5, 1, ErrorCode::kCorrupt},                  // the 0 behind it
      {6, 12, ErrorCode::kCorrupt},                 // number of columns
      {23, 0x80, ErrorCode::kCorrupt},              // first offset is negative
      {16, 12, ErrorCode::kCorrupt},                // three records from 12 to 13
      {31, 0x80, ErrorCode::kCorrupt},              // last offset before the first
      {32, 0, ErrorCode::kCorrupt},                 // no records
      {32, 1, ErrorCode::kCorrupt},                 // one record with two offsets
      {36, 6, ErrorCode::kCorrupt},                 // least timestamp
      {kColumnsAt, 5, ErrorCode::kCorrupt},         // length of a column
      {kColumnsAt + 3, 0xFF, ErrorCode::kCorrupt},  // length of a column
      {3, 0x40, ErrorCode::kCorrupt},               // longer than any block
  };
  for (const Change& change : changes) {
    Bytes block = good;
    block[change.at] = change.value;
    const auto header = decode_record_block_header(block);
    ASSERT_FALSE(header.ok()) << change.at;
    EXPECT_EQ(header.error().code, change.code) << change.at << ": " << header.error().message;
  }
  EXPECT_EQ(decode_record_block_header(ByteView(good).first(95)).error().code, ErrorCode::kTruncated);
  Forgery long_block;
  long_block.columns[10].resize(kRecordBlockBytesMax);
  EXPECT_EQ(decode_record_block_header(long_block.bytes()).error().code, ErrorCode::kCorrupt);
}

TEST(RecordBlock, RefusesAnotherLengthThanItStates) {
  Bytes block = Forgery().bytes();
  EXPECT_EQ(RecordBlockReader::open(ByteView(block).first(block.size() - 1)).error().code, ErrorCode::kTruncated);
  block.push_back(0);
  EXPECT_EQ(RecordBlockReader::open(block).error().code, ErrorCode::kCorrupt);
}

TEST(RecordBlock, RefusesColumnsThatNoWriterWrites) {
  const Bytes longest = {0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1};
  const Bytes too_long = {0, 2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 1};
  struct Change {
    std::size_t column;
    Bytes bytes;
    std::string_view what;
  };
  const Change changes[] = {
      {0, {0, 1, 0, 1, 1, 1}, "two runs where one is enough"},
      {0, {1, 2, 1, 1}, "skips before the first run"},
      {0, {0, 0, 1, 2}, "an empty run"},
      {0, {0, 3}, "ends before the last offset"},
      {0, {0, 4}, "more records than the block has"},
      {0, {0, 2, 2, 1}, "ends behind the last offset"},
      {0, {0, 2}, "ends early"},
      {0, {0, 2, 0x81, 0, 1}, "an overlong varint"},
      {0, {0, 2, 1, 1, 1}, "left over"},
      {0, longest, "skips 2^64 - 1 offsets"},
      {0, too_long, "a varint of 65 bits"},
      {1, {10, 1, 4}, "greatest timestamp"},
      {1, {10, 3, 0}, "least timestamp"},
      {1, {10, 1, 0, 0}, "left over"},
      {2, {1, 1, 3, 2}, "an unknown type"},
      {2, {1, 1, 1, 2}, "two runs where one is enough"},
      {2, {1, 0, 2, 3}, "an empty run"},
      {2, {1, 4}, "more records than the block has"},
      {3, {2, 2, 3}, "more bytes of keys than there are"},
      {3, {2, 2, 1}, "a byte of keys is left over"},
      {4, {0, 0, 2}, "more bytes of values than there are"},
      {5, {0, 0, 2}, "more headers than there are"},
      {5, {0, 0, 0}, "a header is left over"},
      {5, {0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, "2^64 - 1 headers"},
      {6, {2, 3}, "more bytes of names than there are"},
      {6, {0, 3}, "a byte of names is left over"},
      {6, {1, 4}, "more bytes of values than there are"},
      {6, {1, 0}, "bytes of values are left over"},
      {7, {'h', 'h'}, "a byte of names is left over"},
      {8, {}, "bytes of values are missing"},
      {10, {'x'}, "a value that belongs to no record"},
  };
  for (const Change& change : changes) {
    Forgery forgery;
    forgery.columns[change.column] = change.bytes;
    const auto records = records_of(forgery.bytes());
    ASSERT_FALSE(records.ok()) << change.column << ": " << change.what;
    EXPECT_EQ(records.error().code, ErrorCode::kCorrupt)
        << change.column << ": " << change.what << ": " << records.error().message;
  }
}

TEST(RecordBlock, StaysRefused) {
  Forgery forgery;
  forgery.columns[2] = {3, 3};
  const Bytes block = forgery.bytes();
  auto reader = RecordBlockReader::open(block);
  ASSERT_TRUE(reader.ok());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(reader->next().error().code, ErrorCode::kCorrupt);
}

TEST(RecordBlock, NeverDecodesToWhatEncodesToOtherBytes) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    ArbitraryRecords source(seed);
    Bytes block = block_of(source.records(1 + source.below(6)));
    const std::size_t at = source.below(block.size());
    const Byte before = block[at];
    for (unsigned value = 0; value <= 255; ++value) {
      block[at] = static_cast<Byte>(value);
      const Bytes exact = block;  // so that AddressSanitizer detects reads past its end
      const auto records = records_of(exact);
      if (value == before) RC_ASSERT(records.ok());
      if (!records.ok()) continue;
      RecordBlockBuilder builder;
      const auto header = decode_record_block_header(exact);
      builder.begin(header->topic, header->partition);
      for (const TestRecord& record : *records) builder.add(RecordView(record).record());
      RC_ASSERT(encoded(builder) == exact);
    }
  }));
}

}  // namespace
}  // namespace drs
