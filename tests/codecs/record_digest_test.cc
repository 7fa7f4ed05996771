#include "codecs/record_digest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "tests/codecs/test_bytes.h"
#include "tests/codecs/test_records.h"

namespace drs {
namespace {

RecordHash hash_of(const TestRecord& record) {
  Bytes scratch;
  return record_hash(RecordView(record).record(), scratch);
}

RecordDigest digest_of(std::span<const TestRecord> records) {
  RecordDigest digest;
  for (const TestRecord& record : records) digest.add(hash_of(record));
  return digest;
}

RecordDigest digest_number(std::uint64_t number) {
  FixedBytes<16> stored;
  std::memcpy(stored.data.data(), &number, sizeof number);
  return RecordDigest::of_stored(stored);
}

FixedBytes<16> all_but_top_bit(Byte top) {
  FixedBytes<16> bytes;
  bytes.data.fill(0xFF);
  bytes.data[15] = top;
  return bytes;
}

std::vector<TestRecord> arbitrary_records(std::uint64_t seed) {
  ArbitraryRecords source(seed);
  return source.records(source.below(40));
}

struct Vector {
  TestRecord record;
  std::string_view row;  // hex; empty: too long to be printed
  std::string_view hash;
  std::string_view digest;  // of this record and those before
};

// Computed in Python from the definition in FORMAT.md "Digest of records", with integers of any size.
std::vector<Vector> vectors() {
  return {{{.offset = 5,
            .timestamp_ms = 1'700'000'000'123,
            .key = "user-17",
            .value = R"({"n":1})",
            .headers = {{"trace", "abc"}, {"trace", {}}}},
           "7b68e5cf8b01000008000000757365722d3137080000007b226e223a317d0200000005000000747261636504000000616263"
           "05000000747261636500000000",
           "b37b17165ea2d5a92e4f061f74c95849",
           "b37b17165ea2d5a92e4f061f74c95849"},
          {{.timestamp_ms = -1, .key = {}, .value = {}, .headers = {}},
           "ffffffffffffffff000000000000000000000000",
           "1d57fe948d75a97efa1ab2a6a8422f7c",
           "0ac709975318a2b4789038812443c06f"},
          {{.timestamp_ms = std::numeric_limits<std::int64_t>::min(), .key = "", .value = "", .headers = {{"", ""}}},
           "00000000000000800100000001000000010000000000000001000000",
           "6f1eba9ea742e4d3dfc0ae9578eb143f",
           "34e5316b48ff042fbc7f2139120d9c1e"},
          {{.timestamp_ms = std::numeric_limits<std::int64_t>::max(),
            .key = "k",
            .value = std::string(100'000, 'x'),
            .headers = {}},
           "",
           "382c40a1a233d17c8c9bd7dc49a9b661",
           "9cd618cdc2eea83838635f711bb56664"}};
}

TEST(RecordDigest, GivesTheValuesOfAnotherImplementation) {
  RecordDigest digest;
  Bytes row;
  for (const Vector& vector : vectors()) {
    const RecordView view(vector.record);
    encode_record_row(view.record(), row);
    if (!vector.row.empty()) {
      EXPECT_EQ(to_hex(row), vector.row);
    }
    EXPECT_EQ(record_hash(view.record(), row).hex(), vector.hash);
    digest.add(record_hash(view.record(), row));
    EXPECT_EQ(digest.stored().hex(), vector.digest);
  }
}

TEST(RecordDigest, TakesItsBaseFromASha256) {
  RecordDigest one = digest_number(1);
  one.append(RecordDigest(), 1);
  FixedBytes<16> expected;
  std::memcpy(expected.data.data(), sha256(as_bytes("drstream record digest")).data.data(), 16);
  ASSERT_EQ(expected.data[15], 0x9D);
  ASSERT_EQ(expected.data[0], 0xE1);  // the top bit, 2^127, counts as 1
  expected.data[15] = 0x1D;
  expected.data[0] = 0xE2;
  EXPECT_EQ(one.stored().hex(), expected.hex());
}

TEST(RecordDigest, OfNoRecordsIsZero) {
  EXPECT_TRUE(RecordDigest().stored().is_zero());
  RecordDigest digest;
  digest.append(RecordDigest(), 1'000'000);
  EXPECT_EQ(digest, RecordDigest());
}

TEST(RecordDigest, HashesLongRowsInPiecesWithTheSameResult) {
  for (const std::size_t bytes : {65'500U, 65'515U, 65'516U, 65'517U, 200'000U}) {
    const TestRecord record{.key = "key", .value = std::string(bytes, 'v'), .headers = {{"h", "1"}, {"i", {}}}};
    const RecordView view(record);
    Bytes row;
    encode_record_row(view.record(), row);
    RecordDigest whole;
    whole.add(xxh3_128(row));  // reduces it
    EXPECT_EQ(whole.stored(), hash_of(record)) << bytes;
  }
}

TEST(RecordDigest, IsTheSameForAnyBatching) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed, const std::vector<std::uint8_t>& cuts) {
    const std::vector<TestRecord> records = arbitrary_records(seed);
    const std::span<const TestRecord> all(records);
    RecordDigest joined;
    std::size_t at = 0;
    for (const std::uint8_t cut : cuts) {
      const std::size_t count = std::min<std::size_t>(cut % 8, all.size() - at);
      joined.append(digest_of(all.subspan(at, count)), count);
      at += count;
    }
    joined.append(digest_of(all.subspan(at)), all.size() - at);
    RC_ASSERT(joined == digest_of(records));
  }));
}

TEST(RecordDigest, AppendIsAssociative) {
  EXPECT_TRUE(rc::check([](std::array<std::uint64_t, 3> low, std::array<std::uint64_t, 3> high, std::uint64_t b_records,
                           std::uint64_t c_records) {
    std::array<RecordDigest, 3> parts;
    for (std::size_t i = 0; i < 3; ++i) {
      FixedBytes<16> stored;
      const std::uint64_t top = high[i] >> 1;
      std::memcpy(stored.data.data(), &low[i], 8);
      std::memcpy(stored.data.data() + 8, &top, 8);
      parts[i] = RecordDigest::of_stored(stored);
    }
    RecordDigest left = parts[0];
    left.append(parts[1], b_records / 2);
    left.append(parts[2], c_records / 2);
    RecordDigest right = parts[1];
    right.append(parts[2], c_records / 2);
    RecordDigest all = parts[0];
    all.append(right, b_records / 2 + c_records / 2);
    RC_ASSERT(left == all);
  }));
}

TEST(RecordDigest, DependsOnTheOrderAndOnEachField) {
  const TestRecord record{.offset = 7, .timestamp_ms = 5, .key = "k", .value = "v", .headers = {{"a", "1"}, {"b", {}}}};
  std::vector<TestRecord> changed(12, record);
  changed[0].timestamp_ms = 6;
  changed[1].key = "l";
  changed[2].key.reset();
  changed[3].key = "";
  changed[4].value = "w";
  changed[5].value.reset();
  changed[6].headers[0].name = "c";
  changed[7].headers[0].value = "2";
  changed[8].headers[1].value = "";
  std::swap(changed[9].headers[0], changed[9].headers[1]);
  changed[10].headers.pop_back();
  changed[11].key = "kv", changed[11].value = "";
  std::set<RecordHash> hashes = {hash_of(record)};
  for (const TestRecord& other : changed) {
    EXPECT_TRUE(hashes.insert(hash_of(other)).second) << hashes.size();
    EXPECT_NE(digest_of(std::vector{record, other}), digest_of(std::vector{other, record}));
  }
}

TEST(RecordDigest, IgnoresTheOffsetAndTheTypeOfTheTimestamp) {
  TestRecord record{.offset = 7, .timestamp_ms = 5, .key = "k", .value = "v", .headers = {}};
  const RecordHash before = hash_of(record);
  record.offset = 8;
  record.timestamp_type = TimestampType::kLogAppendTime;
  EXPECT_EQ(hash_of(record), before);
}

TEST(RecordDigest, ANumberFromThePrimeOnIsNoDigestAndStaysThat) {
  for (const Byte top : {Byte{0x7F}, Byte{0xFF}}) {
    const RecordDigest none = RecordDigest::of_stored(all_but_top_bit(top));
    EXPECT_NE(none, RecordDigest());
    RecordDigest more = none;
    more.add(hash_of({}));
    EXPECT_EQ(more, none);
    more.append(RecordDigest(), 5);
    EXPECT_EQ(more, none);
    RecordDigest before;
    before.append(none, 5);
    EXPECT_EQ(before, none);
  }
}

TEST(RecordDigest, KeepsTheLargestNumberAndReducesHashes) {
  FixedBytes<16> largest = all_but_top_bit(0x7F);
  largest.data[0] = 0xFE;  // 2^127 - 2
  EXPECT_EQ(RecordDigest::of_stored(largest).stored(), largest);
  RecordDigest digest;
  digest.add(largest);
  EXPECT_EQ(digest.stored(), largest);
  digest = {};
  digest.add(all_but_top_bit(0x7F));
  EXPECT_TRUE(digest.stored().is_zero());
  digest.add(all_but_top_bit(0xFF));  // 2^128 - 1 = 1
  EXPECT_EQ(digest, digest_number(1));
}

}  // namespace
}  // namespace drs
