// Packs whose tables are damaged: `verify --read-data` reads their blocks to find out which are intact.
#include "verify/tableless_packs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/format/pack.h"
#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

class TablelessPacksTest : public StoredRepositoryTest {
 protected:
  void flip_table(const std::string& pack) { flip(pack, stored_.object(pack).size() - kPackFooterBytes - 1); }
};

TEST_F(TablelessPacksTest, TakeNoBlockThatTheIndexLocatesAndThatDecodes) {
  flip_table(stored_.pack_second);
  for (const bool rebuild : {false, true}) {
    const CheckRun run = run_verify(stored_, {.rebuild = rebuild});
    const Finding* finding = run.about(stored_.pack_second);
    ASSERT_NE(finding, nullptr);
    EXPECT_EQ(finding->severity, Finding::Severity::kDamage);
    EXPECT_THAT(finding->problem, testing::HasSubstr("its table cannot be read"));
    EXPECT_THAT(finding->problem, testing::HasSubstr("blocks that the index locates in it, 3 still decode"));
    EXPECT_EQ(finding->affected_count, 0U);
    EXPECT_TRUE(run.report.damaged_snapshots.empty());
    EXPECT_TRUE(run.report.hit_streams.empty());
    EXPECT_EQ(run.report.snapshots_rebuilt, rebuild ? 3U : 0U);
  }
  EXPECT_EQ(run_verify(stored_, {.read_only = false}).report.marked, 1U);
}

TEST_F(TablelessPacksTest, TakeTheBlocksThatDoNotDecode) {
  flip_table(stored_.pack_first);
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(stored_.pack_first);
  ASSERT_NE(finding, nullptr);
  EXPECT_THAT(finding->problem, testing::HasSubstr("it, 2 still decode, the first that does not: "));
  ASSERT_EQ(run.report.damaged_snapshots.size(), 2U);  // db 1 and db 2
  EXPECT_EQ(run.report.damaged_snapshots[0].bytes, stored_.block_x.record.raw_bytes);
}

TEST_F(TablelessPacksTest, TakeEveryBlockThatNoIndexLocates) {
  flip_table(stored_.pack_second);
  ASSERT_TRUE(stored_.objects->erase(stored_.index_second));
  const CheckRun run = run_verify(stored_);
  EXPECT_NE(run.about(stored_.pack_second), nullptr);
  EXPECT_EQ(run.report.damaged_snapshots.size(), 2U) << described(run.report.findings);  // db 2 and gone 3
}

}  // namespace
}  // namespace drs::test
