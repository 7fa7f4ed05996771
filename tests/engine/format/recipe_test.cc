#include "engine/format/recipe.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>
#include <set>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

RecipePart arbitrary_part(const std::vector<std::tuple<std::uint8_t, std::uint64_t, std::uint16_t>>& seeds) {
  RecipePart part;
  part.stream_offset_bytes = 1'000'000'007;
  std::set<BlockId> seen;
  for (const auto& [session, counter, length] : seeds) {
    const BlockId block{.session = golden::fixed_uuid(std::to_string(session % 4)), .counter = counter};
    if (!seen.insert(block).second) continue;
    part.blocks.push_back(block);
    const std::uint32_t place = static_cast<std::uint32_t>(part.blocks.size() - 1);
    part.runs.push_back({.block = place / 2,
                         .chunk_first = length % 3U,
                         .chunk_count = 1,
                         .offset_bytes = length % 3U == 0 ? 0U : length % 3U * 100,
                         .bytes = length + 1U});
    part.stream_bytes += part.runs.back().bytes;
  }
  return part;
}

TEST(RecipePart, RoundTrips) {
  EXPECT_TRUE(rc::check([](const std::vector<std::tuple<std::uint8_t, std::uint64_t, std::uint16_t>>& seeds) {
    const RecipePart part = arbitrary_part(seeds);
    const auto decoded = decode_recipe_part(encode_recipe_part(part));
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == part);
  }));
}

TEST(RecipePart, GrowsByNoMoreThanItsBoundsSay) {
  RecipePart part;
  const std::size_t empty_bytes = encode_recipe_part(part).size();
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  part.blocks = {{.session = golden::fixed_uuid("a"), .counter = kHuge}};
  EXPECT_LE(encode_recipe_part(part).size(), empty_bytes + kDictionaryEntryBytesMax);
  const std::size_t without_run_bytes = encode_recipe_part(part).size();
  // A block number that no part reaches; the other fields are the largest that a reader accepts.
  part.runs = {{.block = kBlockBytesMax,
                .chunk_first = 65'534,
                .chunk_count = 65'535,
                .offset_bytes = kBlockBytesMax,
                .bytes = kBlockBytesMax}};
  EXPECT_LE(encode_recipe_part(part).size(), without_run_bytes + kRunBytesMax);
}

TEST(RecipePart, RefusesRunsThatNoBlockCouldHold) {
  const std::function<void(drs::Run&)> changes[] = {
      [](drs::Run& r) { r.block = 3; },
      [](drs::Run& r) { r.chunk_count = 0; },
      [](drs::Run& r) { r.bytes = 0; },
      [](drs::Run& r) { r.bytes = 24; },            // fewer bytes than chunks
      [](drs::Run& r) { r.offset_bytes = 1; },      // the first chunk begins at 0
      [](drs::Run& r) { r.chunk_first = 5; },       // the sixth chunk does not begin at 0
      [](drs::Run& r) { r.chunk_first = 65'535; },  // more chunks than a block can have
      [](drs::Run& r) { r.bytes = kBlockBytesMax + 1; },
      [](drs::Run& r) { r.bytes = ~std::uint64_t{0}; },
      [](drs::Run& r) { r.chunk_first = 5, r.offset_bytes = kBlockBytesMax - 10; },  // ends outside the block
  };
  for (const auto& change : changes) {
    RecipePart part = golden::recipe_part();
    change(part.runs[0]);
    part.stream_bytes = 0;
    for (const drs::Run& run : part.runs) part.stream_bytes += run.bytes;
    const auto decoded = decode_recipe_part(encode_recipe_part(part));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(decoded.error().message.starts_with("recipe part: run 0: ")) << decoded.error().message;
  }
}

TEST(RecipePart, RefusesAStreamThatDoesNotFit64Bits) {
  RecipePart part = golden::recipe_part();
  part.stream_offset_bytes = ~std::uint64_t{0} - part.stream_bytes + 1;
  EXPECT_EQ(decode_recipe_part(encode_recipe_part(part)).error().code, ErrorCode::kCorrupt);
  part.stream_offset_bytes -= 1;
  EXPECT_TRUE(decode_recipe_part(encode_recipe_part(part)).ok());
}

TEST(RecipePart, RefusesABlockTwice) {
  RecipePart part = golden::recipe_part();
  part.blocks[2] = part.blocks[1];
  EXPECT_EQ(decode_recipe_part(encode_recipe_part(part)).error().code, ErrorCode::kCorrupt);
}

TEST(RecipePart, LongerThanABlockIsRefused) {
  EXPECT_EQ(decode_recipe_part(Bytes(kBlockBytesMax + 1)).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace drs
