#include "engine/format/index.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

constexpr CryptoBackend kBackend = CryptoBackend::kOpenssl;

struct Sections {
  IndexSummary summary;
  std::vector<DirectoryEntry> directory;
  std::vector<Hook> hooks;
};

class IndexObject : public testing::Test {
 protected:
  static PackContents contents(const golden::BuiltPack& pack) { return golden::contents_of(pack.object, pack.table); }

  Bytes open(const Bytes& object, const SealLabel& label, std::uint64_t offset_bytes, std::size_t sealed_bytes) {
    const auto envelope = decode_envelope(object, ObjectKind::kIndex);
    const auto opener = ObjectOpener::make(golden::keys(), *envelope, "", kBackend);
    auto plain = opener->open(label, ByteView(object).subspan(offset_bytes, sealed_bytes));
    EXPECT_TRUE(plain.ok());
    return *std::move(plain);
  }

  Sections read(const Bytes& object) {
    Sections out;
    const auto footer = decode_index_footer(object, object.size());
    EXPECT_TRUE(footer.ok());
    const std::size_t summary_at = object.size() - kIndexFooterBytes - footer->summary_sealed_bytes;
    const auto summary = decode_index_summary(
        open(object, summary_label(*footer), summary_at, footer->summary_sealed_bytes), object.size());
    EXPECT_TRUE(summary.ok()) << summary.error().message;
    out.summary = *summary;
    const auto directory = decode_index_directory(
        open(object, directory_label(*summary), summary->directory_offset_bytes, summary->directory_sealed_bytes),
        *summary);
    EXPECT_TRUE(directory.ok()) << directory.error().message;
    out.directory = *directory;
    const auto hooks = decode_index_hooks(
        open(object, hooks_label(*summary), summary->hooks_offset_bytes, summary->hooks_sealed_bytes), *summary);
    EXPECT_TRUE(hooks.ok()) << hooks.error().message;
    out.hooks = *hooks;
    return out;
  }

  golden::BuiltPack raw_ = golden::build_pack("raw pack", golden::raw_pack_blocks());
  golden::BuiltPack old_ = golden::build_pack("compressed pack", golden::compressed_pack_blocks());
};

TEST_F(IndexObject, HoldsEveryBlockOfItsPacks) {
  const Bytes object = encode_index(golden::keys(), kBackend, {contents(raw_), contents(old_)}, 77);
  const Sections sections = read(object);
  EXPECT_EQ(sections.summary.created_ns, 77);
  EXPECT_EQ(sections.summary.packs, (std::vector<IndexedPack>{contents(raw_).pack, contents(old_).pack}));
  EXPECT_EQ(sections.summary.chunk_count, 46U);
  ASSERT_EQ(sections.directory.size(), 4U);
  std::size_t found = 0;
  for (std::uint32_t place = 0; place < 4; ++place) {
    const DirectoryEntry& entry = sections.directory[place];
    for (const TableBlock& block : entry.pack == 0 ? raw_.table : old_.table) {
      if (block.record.id != entry.record.id) continue;
      ++found;
      EXPECT_EQ(block.record, entry.record);
      if (block.chunks.empty()) {
        EXPECT_EQ(entry.list_offset_bytes, 0U);
        continue;
      }
      const Bytes plain = open(object, chunk_list_label(place, entry.record.chunk_count), entry.list_offset_bytes,
                               block.chunks.size() * kChunkEntryBytes + kSealBytes);
      const auto list = decode_chunk_list(plain, entry.record.raw_bytes);
      ASSERT_TRUE(list.ok()) << list.error().message;
      EXPECT_EQ(*list, block.chunks);
    }
  }
  EXPECT_EQ(found, 4U);
}

TEST_F(IndexObject, ListsExactlyTheHooks) {
  const Sections sections = read(encode_index(golden::keys(), kBackend, {contents(raw_)}, 0));
  std::vector<Hook> expected;
  for (std::size_t i = 0; i < raw_.table[0].chunks.size(); ++i) {
    const std::uint64_t word = chunk_word(raw_.table[0].chunks[i].id);
    if (word % 16 == 0) expected.push_back({.word = word, .block = 0, .chunk = static_cast<std::uint16_t>(i)});
  }
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(sections.hooks, expected);
}

TEST_F(IndexObject, MayHoldOneBlockInTwoPacks) {
  PackContents copy = contents(raw_);
  copy.pack.name = golden::fixed_digest("a copy");
  const Sections sections = read(encode_index(golden::keys(), kBackend, {contents(raw_), copy}, 0));
  ASSERT_EQ(sections.directory.size(), 4U);
  EXPECT_EQ(sections.directory[0].record, sections.directory[1].record);
  EXPECT_EQ(sections.directory[0].pack, 0U);
  EXPECT_EQ(sections.directory[1].pack, 1U);
  EXPECT_EQ(sections.summary.sessions.size(), 1U);
  EXPECT_EQ(sections.summary.sessions[0].block_count, 4U);
}

TEST_F(IndexObject, MayBeEmpty) {
  const Sections sections = read(encode_index(golden::keys(), kBackend, {}, 0));
  EXPECT_TRUE(sections.directory.empty());
  EXPECT_TRUE(sections.hooks.empty());
}

TEST_F(IndexObject, IsNoLongerThanItsBound) {
  EXPECT_LE(encode_index(golden::keys(), kBackend, {contents(raw_), contents(old_)}, 0).size(),
            index_bytes_max({.packs = 2, .sessions = 2, .blocks = 4, .chunks = 46}));
}

TEST_F(IndexObject, RefusesASummaryThatContradictsTheObject) {
  const Bytes object = encode_index(golden::keys(), kBackend, {contents(raw_), contents(old_)}, 0);
  const IndexSummary good = read(object).summary;
  ASSERT_TRUE(decode_index_summary(encode_index_summary(good), object.size()).ok());
  EXPECT_FALSE(decode_index_summary(encode_index_summary(good), object.size() + 1).ok());
  const std::function<void(IndexSummary&)> changes[] = {
      [](IndexSummary& s) { s.packs[1].name = s.packs[0].name; },
      [](IndexSummary& s) { s.packs[0].bytes = kPackBytesMax + 1; },
      [](IndexSummary& s) { std::swap(s.sessions[0], s.sessions[1]); },
      [](IndexSummary& s) { s.sessions[0].session = s.sessions[1].session; },
      [](IndexSummary& s) { s.sessions[0].counter_min = s.sessions[0].counter_max + 1; },
      [](IndexSummary& s) { s.sessions[0].block_count = 0; },
      [](IndexSummary& s) { s.sessions[0].block_count = 0xFFFFFFFF; },
      [](IndexSummary& s) { s.block_count = 5; },
      [](IndexSummary& s) { s.block_count = 0xFFFFFFFF; },
      [](IndexSummary& s) { s.directory_offset_bytes = ~std::uint64_t{0}; },
      [](IndexSummary& s) { s.directory_offset_bytes -= 1; },
      [](IndexSummary& s) { s.directory_sealed_bytes += 64; },
      [](IndexSummary& s) { s.hooks_offset_bytes += 1; },
      [](IndexSummary& s) { s.hooks_sealed_bytes += 1; },
      [](IndexSummary& s) { s.hooks_sealed_bytes = 0; },
  };
  for (const auto& change : changes) {
    IndexSummary summary = good;
    change(summary);
    const auto decoded = decode_index_summary(encode_index_summary(summary), object.size());
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt) << decoded.error().message;
  }
}

TEST_F(IndexObject, RefusesADirectoryThatContradictsItsSummary) {
  const Sections good = read(encode_index(golden::keys(), kBackend, {contents(raw_), contents(old_)}, 0));
  const auto refused = [&](const std::function<void(Sections&)>& change) {
    Sections sections = good;
    change(sections);
    const auto decoded =
        decode_index_directory(encode_index_directory(sections.directory, good.summary), sections.summary);
    return !decoded.ok() && decoded.error().code == ErrorCode::kCorrupt;
  };
  EXPECT_FALSE(refused([](Sections&) {}));
  EXPECT_TRUE(refused([](Sections& s) { std::swap(s.directory[0], s.directory[1]); }));
  EXPECT_TRUE(refused([](Sections& s) { s.directory[1] = s.directory[0]; }));
  EXPECT_TRUE(refused([](Sections& s) { s.directory[0].pack = 2; }));
  EXPECT_TRUE(refused([](Sections& s) { s.directory[0].list_offset_bytes += 1; }));
  EXPECT_TRUE(refused([](Sections& s) { s.directory.pop_back(); }));
  EXPECT_TRUE(refused([](Sections& s) { s.summary.chunk_count += 1; }));
  EXPECT_TRUE(refused([](Sections& s) { s.summary.directory_offset_bytes += 1; }));
  EXPECT_TRUE(refused([](Sections& s) { s.summary.sessions[0].counter_min += 1; }));
  EXPECT_TRUE(refused([](Sections& s) { s.summary.sessions[0].counter_max += 1; }));
  EXPECT_TRUE(refused([](Sections& s) { s.summary.sessions[1].counter_max += 1; }));
  EXPECT_TRUE(refused([](Sections& s) {
    s.summary.sessions[0].block_count += 1;
    s.summary.sessions[1].block_count -= 1;
  }));
  EXPECT_TRUE(refused([](Sections& s) { s.summary.packs[0].bytes = 100 + 36; }));
}

TEST_F(IndexObject, RefusesHooksThatContradictItsSummary) {
  const Sections good = read(encode_index(golden::keys(), kBackend, {contents(raw_), contents(old_)}, 0));
  ASSERT_GE(good.hooks.size(), 2U);
  const auto refused = [&](const std::function<void(std::vector<Hook>&)>& change) {
    std::vector<Hook> hooks = good.hooks;
    change(hooks);
    return !decode_index_hooks(encode_index_hooks(hooks), good.summary).ok();
  };
  EXPECT_FALSE(refused([](std::vector<Hook>&) {}));
  EXPECT_TRUE(refused([](std::vector<Hook>& h) { h[0].word += 1; }));
  EXPECT_TRUE(refused([](std::vector<Hook>& h) { h.back().block = 4; }));
  EXPECT_TRUE(refused([](std::vector<Hook>& h) { std::swap(h[0], h[1]); }));
  EXPECT_TRUE(refused([](std::vector<Hook>& h) { h[1] = h[0]; }));
  EXPECT_TRUE(refused([](std::vector<Hook>& h) { h.resize(47, h.back()); }));
}

TEST(IndexFooter, IsCheckedAgainstTheObject) {
  const auto footer = [](std::uint64_t ordinal, std::uint32_t sealed_bytes, std::uint64_t object_bytes) {
    Bytes bytes;
    ByteWriter writer(bytes);
    writer.u64(ordinal);
    writer.u32(sealed_bytes);
    return decode_index_footer(bytes, object_bytes);
  };
  EXPECT_TRUE(footer(2, 68, 194).ok());
  EXPECT_EQ(footer(2, 68, 193).error().code, ErrorCode::kTruncated);
  EXPECT_EQ(footer(2, 69, 194).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(footer(2, 67, 194).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(footer(1, 68, 194).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(footer(2, 68, kIndexBytesMax + 1).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace drs
