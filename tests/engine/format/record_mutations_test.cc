// Mutated record blocks against each layer that protects records: the decoder, the index of the extent with its digest
// and gaps (what `verify --read-data` compares), and the seal and digest of the block (what every reader checks).
//
//   DRSTREAM_TEST_FULL=1 format_test --gtest_filter='RecordMutations.*'     a million mutated blocks, about a minute
//   DRSTREAM_TEST_SEED=N                                                    others than those of seed 1
//   DRSTREAM_TEST_PART=I/N                                                  a part of them
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <tuple>
#include <utility>

#include "engine/format/pack.h"
#include "engine/format/record_block_proof.h"
#include "tests/campaign.h"
#include "tests/codecs/test_records.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

constexpr std::size_t kColumnsAt = kRecordBlockHeaderBytes - 4 * kRecordColumns;  // their lengths
constexpr std::uint32_t kTopic = 3, kPartition = 12;

Bytes block_of(const std::vector<TestRecord>& records) {
  RecordBlockBuilder builder;
  builder.begin(kTopic, kPartition);
  for (const TestRecord& record : records) builder.add(RecordView(record).record());
  Bytes block(builder.header().bytes);
  builder.encode(block);
  return block;
}

// An extent of one record block.
struct Original {
  std::vector<TestRecord> records;
  Bytes block;
  Extent extent;
  ExtentIndex index;
  [[nodiscard]] const RecordBlockEntry& entry() const { return index.blocks.front(); }
};

Original original_of(std::uint64_t seed) {
  ArbitraryRecords source(seed);
  Original original;
  original.records = source.records(1 + source.below(seed % 8 == 0 ? 300 : 20));
  original.block = block_of(original.records);
  const RecordBlockHeader header = *decode_record_block_header(original.block);
  original.extent.topic = kTopic;
  original.extent.partition = kPartition;
  original.index.blocks.push_back({.bytes = header.bytes,
                                   .first_offset = header.first_offset,
                                   .last_offset = header.last_offset,
                                   .records = header.records,
                                   .least_ms = header.least_ms,
                                   .greatest_ms = header.greatest_ms,
                                   .digest = {}});
  std::int64_t next = header.first_offset;
  Bytes row;
  for (const TestRecord& record : original.records) {
    if (record.offset > next) original.index.gaps.push_back({next, static_cast<std::uint64_t>(record.offset - next)});
    next = record.offset + 1;
    original.index.blocks.front().digest.add(record_hash(RecordView(record).record(), row));
  }
  return original;
}

std::vector<Original> originals() {
  std::vector<Original> all;
  for (std::uint64_t seed = 0; seed < 64; ++seed) all.push_back(original_of(seed));
  return all;
}

class Mutator {
 public:
  Mutator(const std::vector<Original>& originals, std::uint64_t seed) : originals_(originals), random_(seed) {}

  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : static_cast<std::size_t>(random_() % bound); }
  const Original& any() { return originals_[below(originals_.size())]; }

  Bytes mutate(const Original& original) {
    switch (below(4)) {
      case 0: return changed(original.block);
      case 1: return with_right_lengths(changed(original.block));
      case 2: return with_a_changed_column(original.block);
      default: return block_of(with_a_changed_record(original.records));
    }
  }

  // One to three changes to bytes.
  Bytes changed(Bytes bytes) {
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) change(bytes);
    return bytes;
  }

 private:
  void change(Bytes& bytes) {
    if (bytes.empty()) return bytes.push_back(static_cast<Byte>(random_()));
    const std::size_t at = below(bytes.size());
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t left = bytes.size() - at;
    const std::size_t length = 1 + below(std::min<std::size_t>(left, 16));
    switch (below(9)) {
      case 0: *place ^= static_cast<Byte>(1U << below(8)); break;
      case 1: *place = static_cast<Byte>(random_()); break;
      case 2: bytes[below(std::min(bytes.size(), kRecordBlockHeaderBytes))] ^= static_cast<Byte>(1U << below(8)); break;
      case 3: bytes.erase(place, place + static_cast<std::ptrdiff_t>(length)); break;
      case 4: bytes.insert(place, length, static_cast<Byte>(random_())); break;
      case 5: bytes.resize(at); break;
      case 6: {  // a piece of another block, at the same place
        const Bytes& other = any().block;
        for (std::size_t i = at; i < std::min({bytes.size(), other.size(), at + length}); ++i) bytes[i] = other[i];
        break;
      }
      case 7: {  // swapped fields
        const std::size_t field = std::size_t{1} << below(4);
        const std::size_t other = below(bytes.size());
        if (at + field > bytes.size() || other + field > bytes.size()) break;
        if (at < other ? at + field > other : other + field > at) break;
        std::swap_ranges(place, place + static_cast<std::ptrdiff_t>(field),
                         bytes.begin() + static_cast<std::ptrdiff_t>(other));
        break;
      }
      default: {  // a length or a count
        constexpr std::uint64_t kValues[] = {0, 1, 2, 0x7F, 0x80, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, ~std::uint64_t{0}};
        const std::uint64_t value = kValues[below(std::size(kValues))];
        std::memcpy(&*place, &value, std::min(std::size_t{1} << below(4), left));
      }
    }
  }

  static void put_u32(Bytes& bytes, std::size_t at, std::uint64_t value) {
    const auto number = static_cast<std::uint32_t>(value);
    std::memcpy(bytes.data() + at, &number, sizeof number);
  }
  static std::uint64_t u32_at(const Bytes& bytes, std::size_t at) {
    std::uint32_t number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
  }

  // Makes the length in the header right, and the sum of the columns' lengths by one of them.
  Bytes with_right_lengths(Bytes block) {
    if (block.size() < kRecordBlockHeaderBytes) return block;
    put_u32(block, 0, block.size());
    const std::size_t column_at = kColumnsAt + 4 * below(kRecordColumns);
    std::uint64_t others = kRecordBlockHeaderBytes;
    for (std::size_t i = kColumnsAt; i < kRecordBlockHeaderBytes; i += 4)
      if (i != column_at) others += u32_at(block, i);
    if (others <= block.size()) put_u32(block, column_at, block.size() - others);
    return block;
  }

  // Changes the content of a column, or swaps two; header and lengths fit.
  Bytes with_a_changed_column(const Bytes& block) {
    std::array<Bytes, kRecordColumns> columns;
    auto at = block.begin() + kRecordBlockHeaderBytes;
    for (std::size_t i = 0; i < kRecordColumns; ++i) {
      const auto end = at + static_cast<std::ptrdiff_t>(u32_at(block, kColumnsAt + 4 * i));
      columns[i].assign(at, end);
      at = end;
    }
    if (below(8) == 0)
      std::swap(columns[below(kRecordColumns)], columns[below(kRecordColumns)]);
    else
      change(columns[below(kRecordColumns)]);
    Bytes out(block.begin(), block.begin() + kRecordBlockHeaderBytes);
    if (below(4) == 0) out[kRecordBlockHeaderBytes - 1 - below(kRecordBlockHeaderBytes - 8)] ^= 1;
    for (std::size_t i = 0; i < kRecordColumns; ++i) {
      put_u32(out, kColumnsAt + 4 * i, columns[i].size());
      out.insert(out.end(), columns[i].begin(), columns[i].end());
    }
    put_u32(out, 0, out.size());
    return out;
  }

  // What a writer with a fault would write: a block without any fault in its form.
  std::vector<TestRecord> with_a_changed_record(std::vector<TestRecord> records) {
    TestRecord& record = records[below(records.size())];
    TestRecord& other = records[below(records.size())];
    switch (below(10)) {
      case 0: std::swap(record.key, record.value); break;
      case 1: std::swap(record.value, other.value); break;
      case 2: std::swap(record.timestamp_ms, other.timestamp_ms); break;
      case 3: std::swap(record.headers, other.headers); break;
      case 4: std::ranges::reverse(record.headers); break;
      case 5: record.key = record.key ? std::nullopt : std::optional<std::string>(""); break;
      case 6: record.timestamp_type = static_cast<TimestampType>(below(3)); break;
      case 7: {  // a byte of one value becomes one of the next
        if (record.value && other.value && !record.value->empty()) {
          const char last = record.value->back();
          record.value->pop_back();
          other.value->insert(other.value->begin(), last);
        }
        break;
      }
      case 8: {  // within the gap behind it
        TestRecord* const next = &record == &records.back() ? nullptr : &record + 1;
        if (next != nullptr && &record != &records.front() && record.offset + 1 < next->offset) ++record.offset;
        break;
      }
      default: {  // the contents of another one, twice
        const std::int64_t offset = record.offset;
        record = TestRecord(other);
        record.offset = offset;
      }
    }
    return records;
  }

  const std::vector<Original>& originals_;
  std::mt19937_64 random_;
};

Result<std::vector<TestRecord>> decoded(ByteView block, RecordBlockProof* proof = nullptr) {
  DRS_ASSIGN_OR_RETURN(RecordBlockReader reader, RecordBlockReader::open(block));
  std::vector<TestRecord> records;
  for (;;) {
    DRS_ASSIGN_OR_RETURN(const Record* const record, reader.next());
    if (record == nullptr) return records;
    if (proof != nullptr) proof->add(*record);
    records.push_back(copy_of(*record));
  }
}

bool equal_but_for_types(std::vector<TestRecord> a, const std::vector<TestRecord>& b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) a[i].timestamp_type = b[i].timestamp_type;
  return a == b;
}

std::size_t trials_of(const test::CampaignPart& part) {
  return (test::is_full_run() ? 1'000'000 : 20'000) / part.parts;
}

// How far mutated blocks came.
struct Counts {
  std::size_t undecodable = 0;  // refused by the decoder alone
  std::size_t undescribed = 0;  // by what the index says of the header
  std::size_t disproved = 0;    // by the digest or a gap
  std::size_t equal = 0;        // the original's records
  std::size_t retyped = 0;      // but for the types of timestamps
};

TEST(RecordMutations, AreRefusedOrHoldTheOriginalRecords) {
  const std::vector<Original> all = originals();
  const auto part = test::campaign_part();
  Mutator mutator(all, test::campaign_seed() + part.index);
  Counts counts;
  for (std::size_t i = 0; i < trials_of(part); ++i) {
    const Original& original = mutator.any();
    const Bytes block = mutator.mutate(original);  // exactly as long, so that AddressSanitizer detects reads past it
    const auto header = decode_record_block_header(block);
    RecordBlockProof proof(original.index, original.entry());
    const auto records = decoded(block, &proof);
    if (!records.ok()) {
      ++counts.undecodable;
      continue;
    }
    ASSERT_TRUE(header.ok());
    if (!is_described_by(*header, original.extent, original.entry())) {
      ++counts.undescribed;
    } else if (!proof.holds()) {
      ++counts.disproved;
    } else if (*records == original.records) {
      ++counts.equal;
      ASSERT_TRUE(block == original.block) << "mutation " << i;
    } else {
      ++counts.retyped;
      ASSERT_TRUE(equal_but_for_types(*records, original.records)) << "mutation " << i << ": " << to_hex(block);
    }
  }
  std::printf(
      "%zu were refused by the decoder, %zu by the index, %zu by digest or gaps; %zu were the original, %zu had "
      "other types of timestamps\n",
      counts.undecodable, counts.undescribed, counts.disproved, counts.equal, counts.retyped);
  for (const std::size_t count : {counts.undecodable, counts.undescribed, counts.disproved, counts.retyped})
    EXPECT_GT(count, trials_of(part) / 1000) << "this layer was hardly reached";
}

// What every reader of a block checks, before a record block is decoded.
class SealedBlock {
 public:
  SealedBlock(const Bytes& block, Codec codec) : compressor_(*Compressor::make({codec, codec == Codec::kZstd}, kMiB)) {
    std::tie(record_.codec, stored_) = compressed(block);
    record_.raw_bytes = static_cast<std::uint32_t>(block.size());
    record_.ordinal = sealer_.next_ordinal();
    record_.xxh3 = xxh3_128(block);
    sealed_ = seal(stored_);
  }
  [[nodiscard]] std::pair<Codec, Bytes> compressed(const Bytes& plain) {
    Bytes out(plain.size());
    const Compressor::Output output = *compressor_.compress(plain, out);
    if (output.codec == Codec::kRaw) return {Codec::kRaw, plain};
    out.resize(output.bytes);
    return {output.codec, out};
  }
  [[nodiscard]] const Bytes& stored() const { return stored_; }  // compressed, if that makes it shorter
  [[nodiscard]] const Bytes& sealed() const { return sealed_; }
  [[nodiscard]] Bytes seal(const Bytes& stored) const {
    Bytes sealed(stored.size() + kSealBytes);
    sealer_.seal(record_.label(), stored, sealed);
    return sealed;
  }
  [[nodiscard]] Result<Bytes> read(const Bytes& sealed, Decompressor& decompressor) const {
    BlockRecord record = record_;
    record.sealed_bytes = static_cast<std::uint32_t>(sealed.size());
    Bytes plain(record.raw_bytes);
    Bytes scratch(sealed.size());
    DRS_RETURN_IF_ERROR(decode_block(opener_, record, sealed, decompressor, scratch, plain));
    return plain;
  }

 private:
  Compressor compressor_;
  ObjectSealer sealer_{golden::keys(), ObjectKind::kPack, "", CryptoBackend::kOpenssl};
  ObjectOpener opener_ = *ObjectOpener::make(golden::keys(), sealer_.envelope(), "", CryptoBackend::kOpenssl);
  BlockRecord record_;
  Bytes stored_, sealed_;
};

TEST(RecordMutations, AreRefusedByTheBlockThatHoldsThem) {
  const std::vector<Original> all = originals();
  const auto part = test::campaign_part();
  Mutator mutator(all, test::campaign_seed() + part.index);
  Decompressor decompressor = *Decompressor::make();
  std::vector<std::unique_ptr<SealedBlock>> blocks;
  for (const Original& original : all)
    for (const Codec codec : {Codec::kRaw, Codec::kZstd, Codec::kLz4})
      blocks.push_back(std::make_unique<SealedBlock>(original.block, codec));
  for (std::size_t i = 0; i < trials_of(part) / 4; ++i) {
    const std::size_t number = mutator.below(blocks.size());
    const Original& original = all[number / 3];
    SealedBlock& block = *blocks[number];
    Bytes sealed;
    switch (mutator.below(3)) {  // the later ones have the right key
      case 0: sealed = mutator.changed(block.sealed()); break;
      case 1: sealed = block.seal(mutator.changed(block.stored())); break;
      default: sealed = block.seal(block.compressed(mutator.mutate(original)).second); break;
    }
    const auto plain = block.read(sealed, decompressor);
    ASSERT_TRUE(!plain.ok() || *plain == original.block) << "mutation " << i;
  }
  for (std::size_t number = 0; number < blocks.size(); ++number) {
    const auto plain = blocks[number]->read(blocks[number]->sealed(), decompressor);
    ASSERT_TRUE(plain.ok()) << plain.error().message;
    EXPECT_EQ(*decoded(*plain), all[number / 3].records);
  }
}

}  // namespace
}  // namespace drs
