#include "engine/format/pack.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "codecs/xxh3.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

constexpr CryptoBackend kBackend = CryptoBackend::kOpenssl;

// A valid table, and the offset at which it begins in its pack.
struct Table {
  std::vector<TableBlock> blocks;
  std::uint64_t offset_bytes = kEnvelopeBytes;
};

Table arbitrary_table(std::uint64_t seed) {
  Table table;
  std::uint64_t state = seed;
  const auto next = [&state](std::uint64_t below) {  // Knuth's MMIX generator
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  const std::size_t count = next(20);
  for (std::size_t i = 0; i < count; ++i) {
    TableBlock block;
    BlockRecord& record = block.record;
    record.id = {.session = golden::fixed_uuid("session " + std::to_string(next(3))), .counter = next(4) << 40 | i};
    record.kind = next(4) == 0 ? BlockKind::kRecipe : BlockKind::kData;
    record.codec = static_cast<Codec>(next(3));
    record.ordinal = i * 3 + next(3);
    record.xxh3 = xxh3_128(as_bytes(std::to_string(seed + i)));
    if (record.kind == BlockKind::kData) {
      const std::size_t chunks = 1 + next(30);
      for (std::size_t c = 0; c < chunks; ++c) {
        block.chunks.push_back({.id = golden::fixed_digest(std::to_string(next(1 << 30))),
                                .bytes = static_cast<std::uint16_t>(1 + next(30'000))});
        record.raw_bytes += block.chunks.back().bytes;
      }
    } else {
      record.raw_bytes = static_cast<std::uint32_t>(1 + next(kBlockBytesMax));
    }
    record.chunk_count = static_cast<std::uint16_t>(block.chunks.size());
    if (record.raw_bytes < 2) record.codec = Codec::kRaw;
    record.sealed_bytes = static_cast<std::uint32_t>(record.raw_bytes + kSealBytes);
    if (record.codec != Codec::kRaw) record.sealed_bytes -= static_cast<std::uint32_t>(1 + next(record.raw_bytes - 1));
    table.offset_bytes += next(2) * 4096;  // a gap
    record.offset_bytes = static_cast<std::uint32_t>(table.offset_bytes);
    table.offset_bytes += record.sealed_bytes;
    table.blocks.push_back(std::move(block));
  }
  return table;
}

ErrorCode table_error(const std::vector<TableBlock>& blocks, std::uint64_t offset_bytes) {
  const auto decoded = decode_pack_table(encode_pack_table(blocks), offset_bytes);
  EXPECT_FALSE(decoded.ok());
  return decoded.ok() ? ErrorCode::kInternal : decoded.error().code;
}

TEST(PackTable, RoundTrips) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const Table table = arbitrary_table(seed);
    const auto decoded = decode_pack_table(encode_pack_table(table.blocks), table.offset_bytes);
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == table.blocks);
  }));
}

TEST(PackTable, RefusesASealThatReachesIntoTheTable) {
  const golden::BuiltPack pack = golden::build_pack("raw pack", golden::raw_pack_blocks());
  const BlockRecord& last = pack.table.back().record;
  const std::uint64_t end_bytes = std::uint64_t{last.offset_bytes} + last.sealed_bytes;
  EXPECT_TRUE(decode_pack_table(encode_pack_table(pack.table), end_bytes).ok());
  EXPECT_EQ(table_error(pack.table, end_bytes - 1), ErrorCode::kCorrupt);
}

TEST(PackTable, RefusesBlocksThatNoPackCouldHold) {
  const golden::BuiltPack pack = golden::build_pack("raw pack", golden::raw_pack_blocks());
  const auto refuses = [&](auto&& change) {
    std::vector<TableBlock> blocks = pack.table;
    change(blocks);
    return table_error(blocks, kPackBytesMax) == ErrorCode::kCorrupt;
  };
  using Blocks = std::vector<TableBlock>;
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.raw_bytes = 0; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.raw_bytes = kBlockBytesMax + 1; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.sealed_bytes += 1; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.codec = Codec::kZstd; }));  // not shorter than raw
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.ordinal = b[0].record.ordinal; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.id = b[0].record.id; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.offset_bytes = b[0].record.offset_bytes + 1; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[1].record.offset_bytes = kEnvelopeBytes - 1; }));
  EXPECT_TRUE(refuses([](Blocks& b) { b[0].record.kind = BlockKind::kRecipe; }));  // with chunks
  EXPECT_TRUE(refuses([](Blocks& b) { b[0].chunks[3].bytes += 1; }));
  EXPECT_TRUE(refuses([](Blocks& b) {
    b[0].chunks[0].bytes = static_cast<std::uint16_t>(b[0].chunks[0].bytes + b[0].chunks[1].bytes);
    b[0].chunks[1].bytes = 0;
  }));
}

TEST(PackTable, SaysWhatIsWrongWhere) {
  golden::BuiltPack pack = golden::build_pack("raw pack", golden::raw_pack_blocks());
  pack.table[0].chunks[0].bytes += 5;
  const auto decoded = decode_pack_table(encode_pack_table(pack.table), kPackBytesMax);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().message, "pack table: chunks sum to 2505 bytes, expected 2500");
}

TEST(PackTail, HasThePredictedLength) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Table table = arbitrary_table(seed);
    std::size_t chunks = 0;
    std::vector<Uuid> sessions;
    for (const TableBlock& block : table.blocks) {
      chunks += block.chunks.size();
      if (std::ranges::find(sessions, block.record.id.session) == sessions.end())
        sessions.push_back(block.record.id.session);
    }
    ObjectSealer sealer(golden::keys(), ObjectKind::kPack, "", kBackend);
    EXPECT_EQ(encode_pack_tail(sealer, table.blocks).size(),
              pack_tail_bytes({.sessions = sessions.size(), .blocks = table.blocks.size(), .chunks = chunks}));
  }
}

class WholePack : public testing::Test {
 protected:
  Result<std::vector<TableBlock>> open(std::size_t tail_bytes) {
    const ByteView object = pack_.object;
    return open_pack_table(golden::keys(), kBackend, object.first(kEnvelopeBytes), object.last(tail_bytes),
                           object.size(), golden::config().chunks);
  }
  golden::BuiltPack pack_ = golden::build_pack("compressed pack", golden::compressed_pack_blocks());
};

// Two seals of one object with the same nonce break the encryption of both.
TEST_F(WholePack, WhoseTableHasTheOrdinalOfABlockIsRefused) {
  const Salt salt{};
  for (const std::uint64_t ordinal : {pack_.table[1].record.ordinal, std::uint64_t{99}}) {
    const ObjectSealer sealer(golden::keys(), ObjectKind::kPack, "", kBackend, &salt);
    Bytes object;
    encode_envelope(sealer.envelope(), object);
    object.resize(2000);  // space for the blocks, which this test does not open
    const Bytes table = encode_pack_table(pack_.table);
    sealer.append({SealKind::kPackTable, Codec::kRaw, ordinal, table.size()}, table, object);
    ByteWriter writer(object);
    writer.u64(ordinal);
    writer.u32(static_cast<std::uint32_t>(table.size() + kSealBytes));
    const auto opened = open_pack_table(golden::keys(), kBackend, ByteView(object).first(kEnvelopeBytes), object,
                                        object.size(), golden::config().chunks);
    ASSERT_EQ(opened.ok(), ordinal == 99) << (opened.ok() ? "" : opened.error().message);
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
    }
  }
}

TEST_F(WholePack, OpensItsTableFromEnoughOfItsEnd) {
  const std::size_t enough = pack_tail_bytes({.sessions = 1, .blocks = 2, .chunks = 6});
  for (const std::size_t tail_bytes : {pack_.object.size(), enough + 1, enough}) {
    const auto table = open(tail_bytes);
    ASSERT_TRUE(table.ok()) << table.error().message;
    EXPECT_EQ(*table, pack_.table);
  }
  EXPECT_EQ(open(enough - 1).error().code, ErrorCode::kTruncated);
}

// With the default chunk parameters a table has at most 1,024 blocks of 144 chunks: 5 MiB, whatever a footer states.
TEST(PackFooter, StatesNoTableLongerThanTheRepositorysChunksAllow) {
  const ChunkParameters chunks;
  EXPECT_EQ(pack_table_sealed_bytes_max(chunks), 8 + 16 + 1024 * (16 + 52 + 34 * (128 + 16)));
  for (const std::uint64_t over : {0ULL, 1ULL, 90ULL << 20}) {
    Bytes last;
    ByteWriter writer(last);
    writer.u64(1);
    writer.u32(static_cast<std::uint32_t>(pack_table_sealed_bytes_max(chunks) + over));
    const auto footer = decode_pack_footer(last, kPackBytesMax, chunks);
    ASSERT_EQ(footer.ok(), over == 0) << over;
    if (over == 0) continue;
    EXPECT_EQ(footer.error().code, ErrorCode::kCorrupt);
  }
}

TEST(PackTable, OfTheMostAndShortestChunksThatAPushMakesKeepsTheBound) {
  const ChunkParameters chunks;
  const std::size_t in_a_block = kBlockBytesMax / chunks.bytes_min + 1;
  EXPECT_LE(
      pack_tail_bytes({.sessions = kPackBlocksMax, .blocks = kPackBlocksMax, .chunks = kPackBlocksMax * in_a_block}) -
          kPackFooterBytes,
      pack_table_sealed_bytes_max(chunks));
}

TEST_F(WholePack, DetectsEveryChangeOfEnvelopeTableAndFooter) {
  const std::size_t tail_bytes = pack_tail_bytes({.sessions = 1, .blocks = 2, .chunks = 6});
  for (std::size_t at = 0; at < pack_.object.size(); ++at) {
    if (at >= kEnvelopeBytes && at < pack_.object.size() - tail_bytes) continue;
    pack_.object[at] ^= 1;
    EXPECT_FALSE(open(pack_.object.size()).ok()) << at;
    pack_.object[at] ^= 1;
  }
}

TEST_F(WholePack, DecodesItsBlocks) {
  const auto envelope = decode_envelope(pack_.object, ObjectKind::kPack);
  const auto opener = ObjectOpener::make(golden::keys(), *envelope, "", kBackend);
  auto decompressor = Decompressor::make();
  const std::vector<golden::PlainBlock> expected = golden::compressed_pack_blocks();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const BlockRecord& record = pack_.table[i].record;
    const ByteView sealed = ByteView(pack_.object).subspan(record.offset_bytes, record.sealed_bytes);
    Bytes scratch(record.sealed_bytes), plain(record.raw_bytes);
    const auto decoded = decode_block(*opener, record, sealed, *decompressor, scratch, plain);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(plain, expected[i].plain);

    BlockRecord other = record;
    other.xxh3.data[0] ^= 1;
    EXPECT_EQ(decode_block(*opener, other, sealed, *decompressor, scratch, plain).error().code, ErrorCode::kCorrupt);
    other = record;
    other.codec = record.codec == Codec::kZstd ? Codec::kLz4 : Codec::kZstd;
    EXPECT_EQ(decode_block(*opener, other, sealed, *decompressor, scratch, plain).error().code, ErrorCode::kCorrupt);
    other = record;
    other.raw_bytes -= 1;
    Bytes shorter(other.raw_bytes);
    EXPECT_EQ(decode_block(*opener, other, sealed, *decompressor, scratch, shorter).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(
        decode_block(*opener, record, sealed.first(sealed.size() - 1), *decompressor, scratch, plain).error().code,
        ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace drs
