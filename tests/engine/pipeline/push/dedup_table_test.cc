#include "engine/pipeline/push/dedup_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "engine/pipeline/memory_plan.h"

namespace drs {
namespace {

using Entry = std::tuple<std::uint32_t, std::uint16_t, std::uint16_t>;

std::multiset<Entry> found(const DedupTable& table, std::uint64_t word) {
  std::multiset<Entry> entries;
  table.find(word, [&](const ChunkHint& hint) {
    entries.insert({hint.unit, hint.block, hint.chunk});
    return false;
  });
  return entries;
}

// From the first size through several doublings, with slot counts that are not powers of two, to a full table.
TEST(DedupTable, KeepsEveryEntryWhileItGrows) {
  auto table = DedupTable::make(12 * 1'000'003);
  ASSERT_TRUE(table.ok());
  std::mt19937_64 random(5);
  std::vector<std::uint64_t> words;
  const auto place = [](std::size_t i) {
    return ChunkHint{static_cast<std::uint32_t>(i), static_cast<std::uint16_t>(i % 7),
                     static_cast<std::uint16_t>(i % 11)};
  };
  while (!table->full()) {
    words.push_back(random());
    table->insert(words.back(), place(words.size()));
    if (words.size() % 5 == 0) {  // make holes
      ASSERT_TRUE(table->erase(words.back(), place(words.size())));
      words.back() = random();
      table->insert(words.back(), place(words.size()));
    }
  }
  EXPECT_EQ(table->size(), words.size());
  EXPECT_EQ(table->size(), table->size_max());
  for (std::size_t i = 0; i < words.size(); ++i) {
    const ChunkHint hint = place(i + 1);
    ASSERT_TRUE(found(*table, words[i]).contains(Entry{hint.unit, hint.block, hint.chunk})) << i;
  }
}

// Few distinct fingerprints and a small table give long probe sequences that wrap around the end.
TEST(DedupTable, AgreesWithAMultimapUnderInsertEraseAndThin) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    std::mt19937 random(seed);
    auto table = DedupTable::make(12 * 97);
    ASSERT_TRUE(table.ok());
    std::multimap<std::uint32_t, Entry> model;
    unsigned shift = 0;
    for (int step = 0; step < 3000; ++step) {
      const std::uint64_t word = std::uint64_t{random() % 64} << shift | (std::uint64_t{random()} << 32);
      const auto fingerprint = static_cast<std::uint32_t>(word);
      const ChunkHint hint{static_cast<std::uint32_t>(random() % 3), static_cast<std::uint16_t>(random() % 3),
                           static_cast<std::uint16_t>(step % 50)};
      const Entry entry{hint.unit, hint.block, hint.chunk};
      if (random() % 5 < 3 && !table->full()) {
        table->insert(word, hint);
        model.emplace(fingerprint, entry);
      } else {
        const auto [first, last] = model.equal_range(fingerprint);
        const auto place = std::find_if(first, last, [&](const auto& item) { return item.second == entry; });
        ASSERT_EQ(table->erase(word, hint), place != last);
        if (place != last) model.erase(place);
      }
      if (step % 1000 == 999 && shift < 3) {
        ++shift;
        table->thin(shift);
        std::erase_if(model, [&](const auto& item) { return (item.first & ((1U << shift) - 1)) != 0; });
      }
      ASSERT_EQ(table->size(), model.size());
      std::multiset<Entry> expected;
      const auto [first, last] = model.equal_range(fingerprint);
      for (auto i = first; i != last; ++i) expected.insert(i->second);
      ASSERT_EQ(found(*table, word), expected);
    }
  }
}

TEST(DedupTable, IsFullAtThreeQuarters) {
  auto table = DedupTable::make(12 * 400);
  ASSERT_TRUE(table.ok());
  for (std::uint32_t i = 0; i < 300; ++i) {
    ASSERT_FALSE(table->full());
    table->insert(i * 0x9E3779B97F4A7C15ULL, {i, 0, 0});
  }
  EXPECT_TRUE(table->full());
}

TEST(DedupTable, IsNeverPlannedLargerThanItCanBe) {
  const auto plan = plan_push({.memory_bytes = 1024 * kGiB, .threads = 2}, CompressionChoice{});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->index_table_bytes, DedupTable::kBytesMax);
}

}  // namespace
}  // namespace drs
