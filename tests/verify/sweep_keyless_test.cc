// Sweeps without a key: digests alone, and a cursor instead of records.
#include <gmock/gmock.h>

#include "sinks/object_io.h"
#include "tests/verify/sweep_fixture.h"

namespace drs::test {
namespace {

using testing::HasSubstr;

class CursorInMemory final : public SweepCursor {
 public:
  Result<std::vector<Verified>> load() override { return records; }
  Result<void> save(const std::vector<Verified>& saved) override {
    ++saves;
    records = saved;
    return {};
  }
  std::vector<Verified> records;
  int saves = 0;
};

class SweepKeylessTest : public SweepTest {
 protected:
  SweepKeylessTest() { options_.level = SweepLevel::kDigest; }
  SweepOutcome sweep_without_key(const StoreHook& hook = {}) {
    SweepOutcome out;
    const auto place = store(hook);
    ProgressCounters progress;
    auto report = sweep_keyless(*place, clock_, options_, cursor_, progress, cancel_);
    if (report.ok())
      out.sweep = *std::move(report);
    else
      out.error = report.error();
    if (out.sweep.ended) out.error = out.sweep.ended;
    out.report = out.sweep.checked;
    return out;
  }
  CursorInMemory cursor_;
};

TEST_F(SweepKeylessTest, ReadsAllThenNothingAndLeavesNoEvidence) {
  const std::vector<std::string> before = stored_.names();
  SweepOutcome run = sweep_without_key();
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_TRUE(run.sweep.coverage.complete());
  EXPECT_EQ(stored_.names(), before);
  run = sweep_without_key();
  EXPECT_EQ(run.report.packs_read, 0U);
  EXPECT_TRUE(run.sweep.coverage.complete());
  cursor_.records.clear();
  EXPECT_EQ(sweep_without_key().report.packs_read, 3U);
  EXPECT_EQ(sweep().report.packs_read, 3U) << "a sweep with the key knows nothing of a cursor";
}

TEST_F(SweepKeylessTest, WithABudgetGoesOnWhereItEnded) {
  options_.budget_bytes = 1;
  for (std::uint64_t left = 3; left > 0; --left) {
    const SweepOutcome run = sweep_without_key();
    EXPECT_EQ(run.report.packs_read, 1U);
    EXPECT_EQ(run.sweep.left_packs, left - 1);
  }
  EXPECT_EQ(sweep_without_key().report.packs_read, 0U);
}

TEST_F(SweepKeylessTest, MarksDamageAndReadsThatPackAgain) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  const SweepOutcome run = sweep_without_key();
  ASSERT_NE(run.about(stored_.pack_first), nullptr) << described(run.report.findings);
  EXPECT_EQ(run.about(stored_.pack_first)->severity, Finding::Severity::kDamage);
  EXPECT_THAT(run.about(stored_.pack_first)->problem, HasSubstr("SHA-256"));
  EXPECT_EQ(run.sweep.damaged_packs, 1U);
  EXPECT_EQ(run.report.marked, 1U);
  EXPECT_TRUE(is_marked(stored_.pack_first_digest));
  EXPECT_EQ(run.sweep.coverage.proven_packs, 2U);
  EXPECT_EQ(sweep_without_key().sweep.due_packs, 1U);
}

TEST_F(SweepKeylessTest, APackThatCannotBeSentIsDamageAndOneThatVanishesIsNot) {
  const auto all_of = [&](ErrorCode code) {
    return [this, code](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation == "get" && key == stored_.pack_orphan) return Error(code, "no such luck", EIO);
      return std::nullopt;
    };
  };
  options_.read_only = true;
  SweepOutcome run = sweep_without_key(all_of(ErrorCode::kNotFound));
  EXPECT_FALSE(run.detected()) << described(run.report.findings);
  run = sweep_without_key(all_of(ErrorCode::kIo));
  EXPECT_NE(run.about(stored_.pack_orphan), nullptr) << described(run.report.findings);
  EXPECT_FALSE(is_marked(digest_of(stored_.pack_orphan)));
  EXPECT_EQ(cursor_.saves, 0) << "--read-only";
}

TEST_F(SweepKeylessTest, NeedsTheLevelOfDigestsAndARepository) {
  options_.level = SweepLevel::kDecode;
  EXPECT_EQ(sweep_without_key().error->code, ErrorCode::kUsage);
  options_.level = SweepLevel::kDigest;
  for (const std::string& name : stored_.names()) stored_.objects->erase(name);
  EXPECT_EQ(sweep_without_key().error->code, ErrorCode::kNoRepository);
}

}  // namespace
}  // namespace drs::test
