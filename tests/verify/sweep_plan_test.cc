#include "verify/sweep_plan.h"

#include <gmock/gmock.h>

#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr WallNs kNow = 1'000'000;

Digest name(std::uint32_t first) {
  Digest out;
  for (int i = 0; i < 4; ++i) out.data.at(static_cast<std::size_t>(i)) = static_cast<Byte>(first >> (24 - 8 * i));
  return out;
}

PackProof proven(WallNs read_ns, WallNs decoded_ns = 0) {
  return {.read_ns = read_ns, .decoded_ns = decoded_ns};
}

SweepScope scope(ProofLevel level, WallNs proven_since_ns) {
  return {.level = level, .proven_since_ns = proven_since_ns, .shard = {}};
}

TEST(SweepShard, EachNameIsInExactlyOneAndEachIsAnArcOfTheRing) {
  for (const std::uint32_t count : {1U, 2U, 3U, 7U, 4096U}) {
    std::uint32_t before = 1;
    for (std::uint64_t first = 0; first <= 0xFFFFFFFF; first += 0x3FFFF) {
      std::vector<std::uint32_t> in;
      for (std::uint32_t number = 1; number <= count && in.size() < 2; ++number)
        if (SweepShard{number, count}.contains(name(static_cast<std::uint32_t>(first)))) in.push_back(number);
      ASSERT_EQ(in.size(), 1U) << first << " of " << count;
      ASSERT_GE(in.front(), before) << "a shard goes on behind another one";
      before = in.front();
      if (count == 4096) first += 0x3FFFFFF;  // 4096 questions each
    }
    EXPECT_TRUE((SweepShard{1, count}.contains(name(0))));
    EXPECT_TRUE((SweepShard{count, count}.contains(name(0xFFFFFFFF))));
  }
}

TEST(SweepPlan, ReadsWhatWasNeverProvenThenWhatWasProvenLongestAgo) {
  std::vector<PackInfo> packs(7);
  for (std::size_t i = 0; i < packs.size(); ++i) packs[i].name = name(static_cast<std::uint32_t>(i));
  packs[5].condemned = true;
  packs[6].marked = true;
  const std::vector<PackProof> proofs = {proven(800),       proven(300), proven(0),  proven(500),
                                         {.damaged = true}, proven(0),   proven(999)};
  EXPECT_THAT(due_packs(packs, proofs, scope(ProofLevel::kDigest, kNow)), ElementsAre(2, 1, 3, 0, 4, 6));
  // Damaged and marked packs come last, and are not left out although they were proven since.
  EXPECT_THAT(due_packs(packs, proofs, scope(ProofLevel::kDigest, 500)), ElementsAre(2, 1, 4, 6));
}

TEST(SweepPlan, ADigestThatWasComparedIsNoProofOfBlocks) {
  const std::vector<PackInfo> packs(2);
  const std::vector<PackProof> proofs = {proven(900, 100), proven(900, 900)};
  EXPECT_THAT(due_packs(packs, proofs, scope(ProofLevel::kDecoded, 500)), ElementsAre(0));
  EXPECT_TRUE(due_packs(packs, proofs, scope(ProofLevel::kDigest, 500)).empty());
}

TEST(SweepPlan, OfShardsTogetherHasEveryPackOnce) {
  std::vector<PackInfo> packs(300);
  for (std::size_t i = 0; i < packs.size(); ++i) packs[i].name = name(static_cast<std::uint32_t>(i * 14'316'557));
  const std::vector<PackProof> proofs(packs.size());
  std::vector<int> times(packs.size(), 0);
  for (std::uint32_t number = 1; number <= 4; ++number) {
    const auto due = due_packs(packs, proofs, {.proven_since_ns = kNow, .shard = {number, 4}});
    EXPECT_NEAR(static_cast<double>(due.size()), 75, 5);
    for (const std::size_t at : due) ++times[at];
  }
  EXPECT_THAT(times, testing::Each(1));
}

class SweepSnapshotsTest : public StoredRepositoryTest {
 protected:
  SweepSnapshotsTest() : repository_(*stored_.open()), catalog_(*load_snapshots(*repository_)) {}
  [[nodiscard]] Digest manifest(const std::string& name) const {
    for (const Snapshot& snapshot : catalog_.live)
      if (snapshot.name == name) return snapshot.digest;
    ADD_FAILURE() << name;
    return {};
  }
  std::vector<std::string> due(const std::vector<RebuiltSnapshot>& rebuilt, const SweepShard& shard = {}) {
    Verified record;
    record.rebuilt = rebuilt;
    Evidence evidence(kNow);
    evidence.add(record, 0);
    std::vector<std::string> names;
    for (const Snapshot* const snapshot : due_snapshots(catalog_, evidence, {.proven_since_ns = 500, .shard = shard}))
      names.push_back(snapshot->name);
    return names;
  }
  const std::unique_ptr<Repository> repository_;
  const SnapshotCatalog catalog_;
};

TEST_F(SweepSnapshotsTest, TheNewestOfEachStreamIsRebuiltBeforeAllOthers) {
  const auto first = due({});
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first[2], stored_.manifest_1);
  EXPECT_THAT(first, UnorderedElementsAre(stored_.manifest_1, stored_.manifest_2, stored_.manifest_3));
}

TEST_F(SweepSnapshotsTest, OneThatWasNotWellIsDueAgainAfterThoseThatWereTriedLongerAgo) {
  const std::vector<RebuiltSnapshot> rebuilt = {{manifest(stored_.manifest_1), false, 900},
                                                {manifest(stored_.manifest_2), true, 400},
                                                {manifest(stored_.manifest_3), true, 600}};
  EXPECT_THAT(due(rebuilt), ElementsAre(stored_.manifest_2, stored_.manifest_1));
  EXPECT_THAT(due({{manifest(stored_.manifest_1), true, 300},
                   {manifest(stored_.manifest_2), true, 400},
                   {manifest(stored_.manifest_3), true, 200}}),
              ElementsAre(stored_.manifest_3, stored_.manifest_1, stored_.manifest_2));
}

TEST_F(SweepSnapshotsTest, ShardsTogetherHaveEverySnapshotOnce) {
  std::vector<std::string> all;
  for (std::uint32_t number = 1; number <= 3; ++number)
    for (const std::string& name : due({}, {number, 3})) all.push_back(name);
  EXPECT_THAT(all, UnorderedElementsAre(stored_.manifest_1, stored_.manifest_2, stored_.manifest_3));
}

}  // namespace
}  // namespace drs::test
