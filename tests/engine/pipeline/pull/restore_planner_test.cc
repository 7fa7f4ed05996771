#include "engine/pipeline/pull/restore_planner.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>
#include <utility>

#include "io/base/bytes.h"

namespace drs {
namespace {

BlockId block_id(std::uint64_t counter) {
  return {Uuid{}, counter};
}

// Recipe parts of `runs_per_part` runs of 100 bytes; run i comes from block uses[i], at offset i.
std::vector<RecipePart> parts_of(const std::vector<std::uint64_t>& uses, std::size_t runs_per_part) {
  std::vector<RecipePart> parts;
  for (std::size_t at = 0; at < uses.size(); at += runs_per_part) {
    RecipePart part;
    part.stream_offset_bytes = at * 100;
    std::map<std::uint64_t, std::uint32_t> places;
    for (std::size_t i = at; i < std::min(at + runs_per_part, uses.size()); ++i) {
      const auto [place, added] = places.try_emplace(uses[i], static_cast<std::uint32_t>(part.blocks.size()));
      if (added) part.blocks.push_back(block_id(uses[i]));
      part.runs.push_back({.block = place->second, .offset_bytes = static_cast<std::uint32_t>(i), .bytes = 100});
      part.stream_bytes += 100;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<PlanStep> plan(const std::vector<RecipePart>& parts, RestorePlannerOptions options) {
  RestorePlanner planner(options);
  std::vector<PlanStep> steps;
  std::size_t next_part = 0;
  while (true) {
    while (planner.wants_part() && next_part < parts.size()) planner.add_part(parts[next_part++]);
    if (next_part == parts.size()) planner.finish();
    auto step = planner.next();
    if (!step) return steps;
    steps.push_back(*step);
  }
}

std::size_t fetches_of(const std::vector<PlanStep>& steps) {
  return static_cast<std::size_t>(
      std::count_if(steps.begin(), steps.end(), [](const PlanStep& step) { return step.fetch.has_value(); }));
}

std::size_t lru_fetches(const std::vector<std::uint64_t>& uses, std::size_t slots) {
  std::list<std::uint64_t> cache;
  std::size_t fetches = 0;
  for (const std::uint64_t use : uses) {
    const auto at = std::find(cache.begin(), cache.end(), use);
    if (at != cache.end()) {
      cache.splice(cache.begin(), cache, at);
      continue;
    }
    ++fetches;
    cache.push_front(use);
    if (cache.size() > slots) cache.pop_back();
  }
  return fetches;
}

// The fewest fetches that any policy needs, found by trying every victim.
std::size_t fewest_fetches(const std::vector<std::uint64_t>& uses, std::size_t at, std::vector<std::uint64_t> cache,
                           std::size_t slots) {
  for (; at < uses.size(); ++at) {
    if (std::find(cache.begin(), cache.end(), uses[at]) != cache.end()) continue;
    if (cache.size() < slots) {
      cache.push_back(uses[at]);
      return 1 + fewest_fetches(uses, at + 1, cache, slots);
    }
    std::size_t fewest = uses.size() + 1;
    for (std::uint64_t& victim : cache) {
      const std::uint64_t kept = std::exchange(victim, uses[at]);
      fewest = std::min(fewest, 1 + fewest_fetches(uses, at + 1, cache, slots));
      victim = kept;
    }
    return fewest;
  }
  return 0;
}

TEST(RestorePlanner, FetchesEveryBlockOnceWhenSlotsSuffice) {
  const auto steps = plan(parts_of({1, 2, 1, 3, 2, 1}, 2), {.slots = 3});
  EXPECT_EQ(fetches_of(steps), 3U);
  EXPECT_FALSE(steps[2].fetch);
  EXPECT_EQ(steps[2].run.fetch, 1U);
  EXPECT_EQ(steps[3].run.stream_offset_bytes, 300U);
}

TEST(RestorePlanner, OverwritesTheBlockThatIsNeededFurthestInTheFuture) {
  const auto steps = plan(parts_of({1, 2, 3, 2, 1}, 100), {.slots = 2});
  ASSERT_TRUE(steps[2].fetch);
  EXPECT_EQ(steps[2].fetch->slot, steps[0].fetch->slot);
  EXPECT_EQ(steps[2].fetch->runs_before, 1U);
  EXPECT_EQ(fetches_of(steps), 4U);
}

TEST(RestorePlanner, SeesUsesInThePartAfterThisOne) {
  // Within the first part blocks 1 and 2 are equal; only the second part shows which one to keep.
  EXPECT_EQ(fetches_of(plan(parts_of({1, 2, 3, 1, 1, 1}, 3), {.slots = 2})), 3U);
  EXPECT_EQ(fetches_of(plan(parts_of({2, 1, 3, 1, 1, 1}, 3), {.slots = 2})), 3U);
}

TEST(RestorePlanner, LeavesSlotsAloneThatWereUsedJustNowAndStaysWithinFewWhenNothingComesAgain) {
  std::vector<std::uint64_t> once(100);
  for (std::size_t i = 0; i < once.size(); ++i) once[i] = i;
  for (const PlanStep& step : plan(parts_of(once, 1000), {.slots = 50, .read_ahead = 4})) {
    ASSERT_TRUE(step.fetch);
    EXPECT_LE(step.fetch->runs_before + 4, std::max<std::uint64_t>(step.fetch->sequence, 4));
    EXPECT_LE(step.fetch->slot, 5U);
  }
}

TEST(RestorePlanner, NeverReadsASlotThatHoldsAnotherBlock) {
  const bool holds = rc::check("every run finds its block", [] {
    const auto uses = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 20));
    const auto per_part = *rc::gen::inRange<std::size_t>(1, 30);
    const auto slots = *rc::gen::inRange<std::uint32_t>(1, 12);
    const auto read_ahead = *rc::gen::inRange<std::uint32_t>(0, 6);
    const auto steps = plan(parts_of(uses, per_part), {.slots = slots, .read_ahead = read_ahead});
    RC_ASSERT(steps.size() == uses.size());
    std::vector<std::uint64_t> held(slots, ~0ULL);
    std::vector<std::uint64_t> used_until(slots, 0);
    std::uint64_t sequence = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const PlanStep& step = steps[i];
      if (step.fetch) {
        RC_ASSERT(step.fetch->sequence == ++sequence);
        RC_ASSERT(step.fetch->runs_before == used_until[step.fetch->slot]);
        RC_ASSERT(step.fetch->runs_before <= i);
        RC_ASSERT(step.fetch->block == block_id(uses[i]));
        held[step.fetch->slot] = step.fetch->block.counter;
      }
      RC_ASSERT(held[step.run.slot] == uses[i]);
      RC_ASSERT(step.run.offset_bytes == i);
      RC_ASSERT(step.run.stream_offset_bytes == i * 100);
      used_until[step.run.slot] = i + 1;
    }
  });
  EXPECT_TRUE(holds);
}

TEST(RestorePlanner, NeedsTheFewestFetchesPossible) {
  const bool holds = rc::check("as few as the best of all policies", [] {
    const auto size = *rc::gen::inRange<std::size_t>(0, 14);
    const auto uses = *rc::gen::container<std::vector<std::uint64_t>>(size, rc::gen::inRange<std::uint64_t>(0, 6));
    const auto slots = *rc::gen::inRange<std::uint32_t>(1, 4);
    const std::size_t fetches = fetches_of(plan(parts_of(uses, 100), {.slots = slots}));
    RC_ASSERT(fetches == fewest_fetches(uses, 0, {}, slots));
    RC_ASSERT(fetches <= lru_fetches(uses, slots));
  });
  EXPECT_TRUE(holds);
}

TEST(RestorePlanner, ClipsAPartToARange) {
  auto part = parts_of({1, 2, 3, 4}, 4).front();
  part.stream_offset_bytes = 1000;
  clip_recipe_part(part, 1150, 1310);
  EXPECT_EQ(part.stream_offset_bytes, 1150U);
  EXPECT_EQ(part.stream_bytes, 160U);
  ASSERT_EQ(part.runs.size(), 3U);
  EXPECT_EQ(part.runs[0].offset_bytes, 51U);
  EXPECT_EQ(part.runs[0].bytes, 50U);
  EXPECT_EQ(part.runs[1].bytes, 100U);
  EXPECT_EQ(part.runs[2].offset_bytes, 3U);
  EXPECT_EQ(part.runs[2].bytes, 10U);
}

// A stream of 16 KiB chunks in 1 MiB blocks after many generations. Each generation changed chunks in random places and
// wrote the live chunks of sparse blocks anew.
class ScatteredStream {
 public:
  static constexpr std::uint32_t kChunks = 65536;
  static constexpr std::uint32_t kChunksPerBlock = 64;
  static constexpr std::uint32_t kChunkBytes = 16 * kKiB;

  void add_generation(double churn, double sparse_below) {
    std::vector<std::uint32_t> used(block_chunks_.size());
    for (const Place& place : chunks_) ++used[place.block];
    std::uint32_t open = ~0U;
    for (Place& place : chunks_) {
      const bool sparse = place.block < used.size() && used[place.block] < sparse_below * block_chunks_[place.block];
      if (!sparse && unit_(random_) >= churn) continue;
      if (open == ~0U || block_chunks_[open] == kChunksPerBlock) {
        open = static_cast<std::uint32_t>(block_chunks_.size());
        block_chunks_.push_back(0);
      }
      place = {open, block_chunks_[open]++};
    }
  }

  [[nodiscard]] std::vector<RecipePart> recipe(std::size_t runs_per_part) const {
    std::vector<RecipePart> parts;
    std::map<std::uint32_t, std::uint32_t> places;
    std::uint64_t offset_bytes = 0;
    for (std::size_t i = 0; i < chunks_.size(); offset_bytes += kChunkBytes) {
      if (parts.empty() || parts.back().runs.size() == runs_per_part) {
        parts.emplace_back().stream_offset_bytes = offset_bytes;
        places.clear();
      }
      RecipePart& part = parts.back();
      const Place first = chunks_[i];
      const auto [place, added] = places.try_emplace(first.block, static_cast<std::uint32_t>(part.blocks.size()));
      if (added) part.blocks.push_back(block_id(first.block));
      Run run{.block = place->second, .chunk_first = first.chunk, .offset_bytes = first.chunk * kChunkBytes};
      for (; i < chunks_.size() && chunks_[i].block == first.block && chunks_[i].chunk == first.chunk + run.chunk_count;
           ++i) {
        ++run.chunk_count;
        run.bytes += kChunkBytes;
      }
      offset_bytes += run.bytes - kChunkBytes;
      part.stream_bytes += run.bytes;
      part.runs.push_back(run);
    }
    return parts;
  }

  [[nodiscard]] double amplification(const std::vector<PlanStep>& steps) const {
    std::uint64_t decoded = 0;
    for (const PlanStep& step : steps) {
      if (step.fetch) decoded += block_chunks_[step.fetch->block.counter];
    }
    return static_cast<double>(decoded) / kChunks;
  }

 private:
  struct Place {
    std::uint32_t block;
    std::uint32_t chunk;
  };
  static std::vector<Place> first_generation() {
    std::vector<Place> chunks;
    for (std::uint32_t i = 0; i < kChunks; ++i) chunks.push_back({i / kChunksPerBlock, i % kChunksPerBlock});
    return chunks;
  }
  std::mt19937_64 random_{1};
  std::uniform_real_distribution<double> unit_{0, 1};
  std::vector<Place> chunks_ = first_generation();
  std::vector<std::uint32_t> block_chunks_ = std::vector<std::uint32_t>(kChunks / kChunksPerBlock, kChunksPerBlock);
};

TEST(RestorePlanner, DecodesLittleMoreThanItRestoresAfterThirtyScatteredGenerations) {
  ScatteredStream stream;
  for (int generation = 0; generation < 30; ++generation) stream.add_generation(0.11, 0.3);
  // --memory 96MiB has room for 60 blocks.
  for (const std::size_t runs_per_part : {100'000U, 10'000U}) {
    const auto parts = stream.recipe(runs_per_part);
    for (const std::uint32_t slots : {60U, 32U, 16U}) {
      const double amplification = stream.amplification(plan(parts, {.slots = slots, .read_ahead = slots / 10}));
      EXPECT_LE(amplification, 1.9) << parts.size() << " parts, " << slots << " slots";
    }
  }
}

}  // namespace
}  // namespace drs
