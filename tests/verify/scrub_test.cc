#include "verify/scrub.h"

#include <gtest/gtest.h>

#include "engine/format/manifest.h"
#include "engine/format/names.h"
#include "engine/repository/damage.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

class ScrubTest : public StoredRepositoryTest {};

TEST_F(ScrubTest, NamesTheObjectAndWhatItsBytesHashTo) {
  flip(stored_.pack_first, 90);
  const auto report = run_scrub(stored_);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings[0].object, stored_.pack_first);
  EXPECT_EQ(report->findings[0].severity, Finding::Severity::kDamage);
  EXPECT_NE(report->findings[0].problem.find("SHA-256"), std::string::npos);
}

TEST_F(ScrubTest, MarksADamagedPackAndTakesTheMarkBackOnceItIsWhole) {
  flip(stored_.pack_first, 90);
  auto report = run_scrub(stored_, {.read_only = false});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->marked, 1U);
  ASSERT_TRUE(is_marked(stored_.pack_first_digest));
  EXPECT_EQ(decode_damaged(stored_.object(marks_of(stored_.pack_first_digest).front()))->found_by, "scrub");
  EXPECT_EQ(run_scrub(stored_, {.read_only = false})->marked, 0U);  // it is marked already

  flip(stored_.pack_first, 90);
  report = run_scrub(stored_, {.read_only = false});
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->findings.empty()) << described(report->findings);
  EXPECT_EQ(report->unmarked, 1U);
  EXPECT_FALSE(is_marked(stored_.pack_first_digest));
}

TEST_F(ScrubTest, LeavesTheMarkOfVerifyOnAPackThatHashesRight) {
  const auto store = stored_.store();
  ASSERT_TRUE(mark_damaged(*store, stored_.clock, stored_.pack_first_digest,
                           {.found_by = "verify", .problem = "a block does not decode"})
                  .ok());
  EXPECT_EQ(run_scrub(stored_, {.read_only = false})->unmarked, 0U);
  EXPECT_TRUE(is_marked(stored_.pack_first_digest));
}

TEST_F(ScrubTest, LeavesNoTraceWhenReadOnly) {
  flip(stored_.pack_first, 90);
  const auto names = stored_.names();
  EXPECT_EQ(run_scrub(stored_, {.read_only = true})->marked, 0U);
  EXPECT_EQ(stored_.names(), names);
}

TEST_F(ScrubTest, ReportsWhatIsListedAgainAndNotThereAndCountsNoByteOfIt) {
  const auto whole = run_scrub(stored_);
  for (const std::string& name : stored_.names()) {
    const auto report = run_scrub(HookStore(stored_.store(), only_listed({name})), stored_.clock);
    ASSERT_TRUE(report.ok()) << name << ": " << report.error().message;
    ASSERT_EQ(report->findings.size(), 1U) << name << ": " << described(report->findings);
    EXPECT_EQ(report->findings[0].object, name);
    EXPECT_EQ(report->findings[0].severity, is_hint(name) ? Finding::Severity::kWarning : Finding::Severity::kDamage)
        << name;
    EXPECT_EQ(report->objects, whole->objects - 1) << name;
    EXPECT_EQ(report->bytes, whole->bytes - stored_.object(name).size()) << name;
  }
}

TEST_F(ScrubTest, MarksAPackThatIsListedAgainAndNotThere) {
  const auto report =
      run_scrub(HookStore(stored_.store(), only_listed({stored_.pack_first})), stored_.clock, {.read_only = false});
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->marked, 1U);
  EXPECT_TRUE(is_marked(stored_.pack_first_digest));
}

TEST_F(ScrubTest, WhatIsRemovedWhileItRunsIsNoDamage) {
  const auto hook = std::make_shared<StoreHook>();
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && !key.starts_with("config/")) stored_.objects->erase(std::string(key));
    return std::nullopt;
  };
  const auto report = run_scrub(HookStore(stored_.store(), hook), stored_.clock);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->findings.empty()) << described(report->findings);
  EXPECT_EQ(report->objects, 2U);
}

TEST_F(ScrubTest, DoesNotReadWhatIsListedAsLongerThanItCanBe) {
  const auto lengthen = [&](ObjectInfo& info) {
    if (info.key.starts_with("packs/") || info.key.starts_with("index/")) info.size_bytes = UINT64_MAX;
  };
  const auto report = run_scrub(HookStore(stored_.store(), only_listed({}), lengthen), stored_.clock);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->findings.size(), 5U) << described(report->findings);
  EXPECT_EQ(report->objects, stored_.names().size() - 5);
}

TEST_F(ScrubTest, CountsNamesThatItDoesNotKnow) {
  stored_.objects->insert("lost+found", Bytes(3), 0);
  stored_.objects->insert("packs/zz/1", Bytes(3), 0);
  const auto report = run_scrub(stored_);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->unknown_names, 2U);
  EXPECT_TRUE(report->findings.empty());
}

TEST_F(ScrubTest, SaysThatThereIsNoRepository) {
  for (const std::string& name : stored_.names()) stored_.objects->erase(name);
  EXPECT_EQ(run_scrub(stored_).error().code, ErrorCode::kNoRepository);
}

TEST_F(ScrubTest, GivesTheSameAnswerOnSeveralThreads) {
  flip(stored_.pack_first, 90);
  flip(stored_.manifest_1, 20);
  flip(stored_.index_second, 20);
  const auto one = run_scrub(stored_, {.threads = 1});
  const auto four = run_scrub(stored_, {.threads = 4});
  ASSERT_TRUE(one.ok() && four.ok());
  EXPECT_EQ(one->findings.size(), 3U);
  EXPECT_EQ(described(one->findings), described(four->findings));
  EXPECT_EQ(one->bytes, four->bytes);
}

TEST_F(ScrubTest, CountsItsProgressToTheTotal) {
  ProgressCounters progress;
  CancelToken cancel;
  const auto store = stored_.store();
  ASSERT_TRUE(scrub(*store, stored_.clock, {}, progress, cancel).ok());
  EXPECT_GT(progress.total_bytes.load(), 0U);
  EXPECT_EQ(progress.bytes.load(), progress.total_bytes.load());
}

TEST_F(ScrubTest, StopsWhenCancelled) {
  ProgressCounters progress;
  CancelToken cancel;
  cancel.cancel();
  const auto store = stored_.store();
  EXPECT_EQ(scrub(*store, stored_.clock, {}, progress, cancel).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace drs::test
