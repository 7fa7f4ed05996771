#include "engine/pipeline/push/recipe_builder.h"

#include <gtest/gtest.h>

#include <random>

namespace drs {
namespace {

constexpr std::uint32_t kChunkBytes = 16 * kKiB;
constexpr std::size_t kChunksPerBlock = kBlockBytesMax / kChunkBytes;

Uuid session_of(std::uint64_t number) {
  Uuid session;
  for (std::size_t i = 0; i < 8; ++i) session.data[i] = static_cast<Byte>(number >> (8 * i));
  return session;
}

// A stream of runs of `run_chunks` chunks, each from a random block of 200 TB that were pushed in 100 sessions: hardly
// any block is used twice.
class ScatteredStream {
 public:
  explicit ScatteredStream(std::uint32_t run_chunks) : run_chunks_(run_chunks) {}
  // Adds runs to `builder` until it returns a finished part.
  RecipePart next_part(RecipeBuilder& builder) {
    for (;;) {
      const BlockId block{session_of(random_() % 100), random_() % 200'000'000};
      const auto first = static_cast<std::uint32_t>(random_() % (kChunksPerBlock - run_chunks_ + 1));
      std::optional<RecipePart> finished;
      for (std::uint32_t i = first; i < first + run_chunks_; ++i)
        if (auto part = builder.add({block, i, i * kChunkBytes}, kChunkBytes)) finished = std::move(part);
      if (finished) return *std::move(finished);
    }
  }

 private:
  const std::uint32_t run_chunks_;
  std::mt19937_64 random_{5};
};

TEST(RecipeBuilder, ClosesAPartWhenItsEncodingIsFull) {
  RecipeLimits limits;
  limits.small_parts = 2;
  for (const std::uint32_t run_chunks : {1U, 4U, 60U}) {
    RecipeBuilder builder(limits);
    ScatteredStream stream(run_chunks);
    for (const std::size_t bytes_max : {limits.small_part_bytes_max, limits.small_part_bytes_max, kBlockBytesMax}) {
      const Bytes encoded = encode_recipe_part(stream.next_part(builder));
      EXPECT_LE(encoded.size(), bytes_max);
      EXPECT_GT(encoded.size() + 64, bytes_max);
    }
  }
}

// The last run of a part may grow after its bytes were counted.
TEST(RecipeBuilder, KeepsItsBoundWhateverTheLastRunBecomes) {
  RecipeLimits limits;
  limits.small_part_bytes_max = 200;
  std::mt19937_64 random(7);
  RecipeBuilder builder(limits);
  std::size_t parts = 0;
  while (parts < 2000) {
    const BlockId block{session_of(random()), random()};
    const std::uint32_t first = random() % 2 == 0 ? 0 : static_cast<std::uint32_t>(random() % 30'000);
    const auto count = static_cast<std::uint32_t>(1 + random() % 200);
    for (std::uint32_t i = first; i < first + count; ++i)
      if (const auto part = builder.add({block, i, i * 16}, 16)) {
        ASSERT_LE(encode_recipe_part(*part).size(), limits.small_part_bytes_max);
        ++parts;
      }
  }
}

TEST(RecipeBuilder, ClosesAPartBeforeItHasMoreRunsThanARestorePlansFor) {
  RecipeLimits limits;
  limits.small_parts = 0;
  RecipeBuilder builder(limits);
  std::optional<RecipePart> part;
  for (std::uint32_t i = 0; !part; ++i) part = builder.add({{session_of(1), i % 2}, 0, 0}, 1);
  EXPECT_EQ(part->runs.size(), limits.part_runs_max);
}

TEST(RecipeBuilder, DescribesTwoHundredTerabytesAtFourChunksARunBeforeAnythingMustBeStoredAnew) {
  constexpr std::uint32_t kRunChunks = 4;
  const RecipeLimits limits;
  RecipeLimits large = limits;
  large.small_parts = 0;
  RecipeBuilder small_builder(limits);
  RecipeBuilder large_builder(large);
  const RecipePart small_part = ScatteredStream(kRunChunks).next_part(small_builder);
  const RecipePart large_part = ScatteredStream(kRunChunks).next_part(large_builder);
  EXPECT_EQ(large_part.blocks.size(), large_part.runs.size());

  EXPECT_GE(small_part.stream_bytes * limits.small_parts +
                large_part.stream_bytes * (limits.parts_scattered_max - limits.small_parts),
            std::uint64_t{200'000'000'000'000});
  // The bound computed directly: the bytes of one run, times the runs of 200 TB, divided among 65,536 parts.
  const std::uint64_t runs = std::uint64_t{200'000'000'000'000} / (kRunChunks * kChunkBytes);
  const std::size_t run_bytes = encode_recipe_part(large_part).size() / large_part.runs.size() + 1;
  EXPECT_LE(runs * run_bytes / kManifestPartsMax, kBlockBytesMax);
}

}  // namespace
}  // namespace drs
