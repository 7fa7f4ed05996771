// Sweeps that read packs: what they read, in which order, what they find, and what they record for the next one.
#include "verify/sweep.h"

#include <gmock/gmock.h>

#include "engine/format/names.h"
#include "io/failpoint.h"
#include "sinks/object_io.h"
#include "tests/verify/sweep_fixture.h"

namespace drs::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::chrono::hours kHour{1};

TEST_F(SweepTest, ReadsAllThenNothingUntilTheProofIsOld) {
  SweepOutcome run = sweep();
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
  EXPECT_EQ(run.sweep.due_packs, 3U);
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_EQ(run.report.bytes_read, run.report.packs_bytes);
  EXPECT_EQ(run.report.blocks_decoded, 7U);
  EXPECT_EQ(run.report.chunks_checked, 8U);
  EXPECT_EQ(run.sweep.left_packs, 0U);
  EXPECT_FALSE(run.sweep.budget_used);
  EXPECT_TRUE(run.sweep.coverage.complete());
  EXPECT_EQ(run.sweep.coverage.decoded_bytes, run.report.packs_bytes);
  EXPECT_EQ(run.sweep.records, 2U);  // of the packs, and of the structure
  EXPECT_EQ(records().size(), 2U);

  run = sweep();
  EXPECT_EQ(run.sweep.due_packs, 0U);
  EXPECT_EQ(run.report.packs_read, 0U);
  EXPECT_EQ(run.sweep.records, 0U);
  EXPECT_TRUE(run.sweep.coverage.complete());

  clock_.move(std::chrono::days(31));
  run = sweep();
  EXPECT_EQ(run.report.packs_read, 3U);
}

TEST_F(SweepTest, OfManyThreadsRecordsTheSame) {
  options_.threads = 4;
  options_.memory_bytes = 256 * kMiB;
  options_.record_every = std::chrono::nanoseconds(0);  // after each pack
  const SweepOutcome run = sweep();
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_TRUE(run.sweep.coverage.complete());
  EXPECT_GE(run.sweep.records, 2U);
  EXPECT_EQ(sweep().report.packs_read, 0U);
}

TEST_F(SweepTest, NamesTheStreamThatDamageAffectsAndProvesAllButThatPack) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  const SweepOutcome run = sweep();
  ASSERT_NE(run.about(stored_.pack_first), nullptr) << described(run.report.findings);
  EXPECT_EQ(run.about(stored_.pack_first)->severity, Finding::Severity::kDamage);
  EXPECT_EQ(run.sweep.damaged_packs, 1U);
  EXPECT_TRUE(run.sweep.structure_checked);
  ASSERT_EQ(run.report.damaged_snapshots.size(), 2U);
  for (const DamagedSnapshot& snapshot : run.report.damaged_snapshots) {
    EXPECT_EQ(snapshot.stream, "db");
    EXPECT_GT(snapshot.bytes, 0U);
  }
  ASSERT_EQ(run.report.hit_streams.size(), 1U);
  EXPECT_EQ(run.report.hit_streams[0].stream, "db");
  EXPECT_TRUE(is_marked(stored_.pack_first_digest));
  EXPECT_TRUE(proof_of(stored_.pack_first_digest).damaged);
  EXPECT_EQ(proof_of(stored_.pack_first_digest).read_ns, 0);
  EXPECT_GT(proof_of(stored_.pack_second_digest).decoded_ns, 0);
  EXPECT_EQ(run.sweep.coverage.proven_packs, 2U);
  EXPECT_EQ(run.sweep.coverage.damaged_packs, 1U);
  EXPECT_EQ(evidence().structure_ns(), 0) << "a structure with damage is not recorded as whole";
}

TEST_F(SweepTest, ReadsADamagedPackAgainUntilItIsIntactAndTakesItsMarkBack) {
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);
  sweep();
  EXPECT_EQ(proof_of(stored_.pack_second_digest).read_ns, 0);
  clock_.move(kHour);
  SweepOutcome again;
  EXPECT_EQ(packs_read(&again).front(), stored_.pack_second);
  EXPECT_EQ(again.report.packs_read, 1U);
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);
  clock_.move(kHour);
  const SweepOutcome run = sweep();
  EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
  EXPECT_EQ(run.report.unmarked, 1U);
  EXPECT_FALSE(is_marked(stored_.pack_second_digest));
  EXPECT_FALSE(proof_of(stored_.pack_second_digest).damaged);
  EXPECT_TRUE(run.sweep.coverage.complete());
}

TEST_F(SweepTest, WithABudgetGoesOnWhereTheLastOneEndedAndBeginsWithTheOldestProof) {
  leave_out_structure();
  options_.budget_bytes = 1;  // one pack
  std::vector<std::string> order;
  for (std::uint64_t left = 3; left > 0; --left) {
    SweepOutcome run;
    const auto read = packs_read(&run);
    ASSERT_EQ(read.size(), 1U);
    order.push_back(read.front());
    EXPECT_EQ(run.sweep.due_packs, left);
    EXPECT_EQ(run.sweep.left_packs, left - 1);
    EXPECT_EQ(run.sweep.budget_used, left > 1);
    clock_.move(kHour);
  }
  EXPECT_THAT(order, UnorderedElementsAre(stored_.pack_first, stored_.pack_second, stored_.pack_orphan));
  EXPECT_TRUE(packs_read().empty());
  clock_.move(std::chrono::days(40));
  options_.budget_bytes = stored_.object(order[0]).size() + stored_.object(order[1]).size();
  EXPECT_THAT(packs_read(), ElementsAre(order[0], order[1]));
}

TEST_F(SweepTest, BeginsNoReadingAfterItsTime) {
  leave_out_structure();
  options_.budget_time = std::chrono::minutes(5);
  const SweepOutcome run = sweep([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && key.starts_with("packs/")) clock_.move(std::chrono::minutes(6));
    return std::nullopt;
  });
  EXPECT_EQ(run.report.packs_read, 1U);
  EXPECT_EQ(run.sweep.left_packs, 2U);
  EXPECT_TRUE(run.sweep.budget_used);
}

TEST_F(SweepTest, ThatIsStoppedKeepsWhatItHasProven) {
  std::string last;
  const SweepOutcome run = sweep([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || !key.starts_with("packs/")) return std::nullopt;
    if (!last.empty() && last != key) cancel_.cancel();
    last = key;
    return std::nullopt;
  });
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->code, ErrorCode::kCancelled);
  EXPECT_EQ(records().size(), 1U);
  int proven = 0;
  for (const std::string& pack : {stored_.pack_first, stored_.pack_second, stored_.pack_orphan})
    proven += proof_of(digest_of(pack)).decoded_ns > 0 ? 1 : 0;
  EXPECT_EQ(proven, 1);
  EXPECT_EQ(proof_of(digest_of(last)).read_ns, 0) << "this one was not read to its end";
}

TEST_F(SweepTest, ThatMayNotRecordSaysWhatRightsThatTakes) {
  const SweepOutcome run = sweep([&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "put" && key.starts_with("verified/")) return Error(ErrorCode::kDenied, "AccessDenied");
    return std::nullopt;
  });
  ASSERT_TRUE(run.error);
  EXPECT_EQ(run.error->code, ErrorCode::kDenied);
  EXPECT_THAT(run.error->message, HasSubstr("cannot be recorded under verified/"));
  EXPECT_THAT(run.error->message, HasSubstr("sweeper"));
  EXPECT_THAT(run.error->message, HasSubstr("--read-only"));
}

TEST_F(SweepTest, ThatOnlyReadsLeavesNoTrace) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  const std::vector<std::string> before = stored_.names();
  options_.read_only = true;
  for (const SweepLevel level : {SweepLevel::kDigest, SweepLevel::kDecode, SweepLevel::kRebuild}) {
    options_.level = level;
    const SweepOutcome run = sweep();
    ASSERT_FALSE(run.error) << run.error->message;
    EXPECT_TRUE(run.detected()) << static_cast<int>(level);
    EXPECT_EQ(run.sweep.records, 0U);
    EXPECT_EQ(run.report.marked, 0U);
    EXPECT_EQ(stored_.names(), before);
  }
}

TEST_F(SweepTest, ABitThatFlipsOnTheWayIsAWarningAndThePackIsProven) {
  for (const SweepLevel level : {SweepLevel::kDigest, SweepLevel::kDecode}) {
    options_.level = level;
    set_failpoints("scan.flip:1:eio", "");
    const SweepOutcome run = sweep();
    set_failpoints("", "");
    ASSERT_FALSE(run.error) << run.error->message;
    EXPECT_FALSE(run.detected()) << described(run.report.findings);
    ASSERT_EQ(run.report.findings.size(), 1U) << described(run.report.findings);
    EXPECT_TRUE(run.report.findings[0].object.starts_with("packs/"));
    EXPECT_EQ(run.sweep.unsteady_packs, 1U);
    EXPECT_EQ(run.sweep.damaged_packs, 0U);
    EXPECT_EQ(run.report.packs_read, 3U);
    EXPECT_TRUE(run.sweep.coverage.complete());
    EXPECT_FALSE(is_marked(parse_name(run.report.findings[0].object)->digest));
  }
}

TEST_F(SweepTest, OfDigestsDecodesNothingAndDoesNotProveBlocks) {
  leave_out_structure();
  options_.level = SweepLevel::kDigest;
  SweepOutcome run = sweep();
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_EQ(run.report.blocks_decoded, 0U);
  EXPECT_TRUE(run.sweep.coverage.complete());
  EXPECT_EQ(run.sweep.coverage.decoded_bytes, 0U);
  EXPECT_EQ(sweep().report.packs_read, 0U);
  options_.level = SweepLevel::kDecode;
  run = sweep();
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_EQ(run.sweep.coverage.decoded_bytes, run.sweep.coverage.bytes);
  options_.level = SweepLevel::kDigest;
  EXPECT_EQ(sweep().report.packs_read, 0U);
}

TEST_F(SweepTest, OfDigestsDoesNotUndoDamageThatOneOfBlocksHasFound) {
  leave_out_structure();
  const auto repository = stored_.open();
  PackWriter wrong((*repository)->keys(), Uuid());
  wrong.add_data_with_wrong_chunk_id({sample_bytes(100, 5)});
  wrong.store(*stored_.store());
  options_.level = SweepLevel::kDigest;
  EXPECT_FALSE(sweep().detected()) << "the SHA-256 is right";
  clock_.move(kHour);
  options_.level = SweepLevel::kDecode;
  EXPECT_TRUE(sweep().detected());
  EXPECT_TRUE(proof_of(wrong.digest).damaged);
  clock_.move(kHour);
  options_.level = SweepLevel::kDigest;
  const SweepOutcome run = sweep();
  EXPECT_EQ(run.report.packs_read, 1U);
  EXPECT_TRUE(proof_of(wrong.digest).damaged);
  EXPECT_TRUE(is_marked(wrong.digest));
}

TEST_F(SweepTest, ChecksTheStructureOnceInTwentyHours) {
  EXPECT_TRUE(sweep().sweep.structure_checked);
  clock_.move(std::chrono::hours(19));
  EXPECT_FALSE(sweep().sweep.structure_checked);
  clock_.move(std::chrono::hours(2));
  EXPECT_TRUE(sweep().sweep.structure_checked);
  EXPECT_FALSE(sweep().sweep.structure_checked);
  // At once where an index object names a pack that is not there.
  stored_.objects->erase(stored_.pack_second);
  const SweepOutcome run = sweep();
  EXPECT_NE(run.about(stored_.pack_second), nullptr) << described(run.report.findings);
  EXPECT_NE(evidence().structure_failed_ns(), 0);
  EXPECT_EQ(evidence().structure_ns(), 0);
  EXPECT_TRUE(run.sweep.structure_checked);
  EXPECT_TRUE(run.has(Finding::Severity::kDamage)) << described(run.report.findings);
  EXPECT_EQ(run.report.damaged_snapshots.size(), 2U);
  EXPECT_TRUE(sweep().sweep.structure_checked) << "what lacks something is not recorded as whole";
}

TEST_F(SweepTest, OfTwoShardsReadsEveryPackOnceAndOnlyTheFirstChecksTheStructure) {
  std::uint64_t read = 0;
  for (const std::uint32_t number : {2U, 1U}) {
    options_.shard = {number, 2};
    const SweepOutcome run = sweep();
    read += run.report.packs_read;
    EXPECT_EQ(run.sweep.structure_checked, number == 1);
    EXPECT_EQ(run.sweep.coverage.complete(), read == 3);
  }
  EXPECT_EQ(read, 3U);
  options_.shard = {};
  EXPECT_EQ(sweep().sweep.due_packs, 0U);
}

TEST_F(SweepTest, IgnoresARecordFromTheFuture) {
  MovedClock& clock = clock_;
  clock.move(std::chrono::days(300));
  EXPECT_EQ(sweep().report.packs_read, 3U);
  clock.move(-std::chrono::days(300));
  const SweepOutcome run = sweep();
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_TRUE(run.sweep.coverage.complete());
  EXPECT_LE(run.sweep.coverage.oldest_proof_ns, clock.wall_ns());
}

TEST_F(SweepTest, ADamagedRecordIsAWarningAndProvesNothing) {
  leave_out_structure();
  sweep();
  const auto before = records();
  ASSERT_EQ(before.size(), 2U);  // of packs, and of how much is proven
  for (const std::string& record : before) flip(record, stored_.object(record).size() / 2);
  const SweepOutcome run = sweep();
  for (const std::string& record : before) {
    ASSERT_NE(run.about(record), nullptr) << described(run.report.findings);
    EXPECT_EQ(run.about(record)->severity, Finding::Severity::kWarning);
  }
  EXPECT_FALSE(run.detected());
  EXPECT_EQ(run.report.packs_read, 3U);
}

TEST_F(SweepTest, APackThatIsPushedLaterIsNotProven) {
  leave_out_structure();
  sweep();
  clock_.move(std::chrono::days(1));
  const auto repository = stored_.open();
  PackWriter later((*repository)->keys(), Uuid());
  later.add_data({sample_bytes(100, 6)}, Codec::kRaw);
  later.store(*store());
  EXPECT_THAT(packs_read(), ElementsAre(pack_name(later.digest)));
  EXPECT_TRUE(packs_read().empty());
}

}  // namespace
}  // namespace drs::test
