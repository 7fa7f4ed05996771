#include "tools/output/report.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "engine/repository/write_session.h"

namespace drs {
namespace {

TEST(Report, AFailedPushSaysThatEarlierSnapshotsAreUntouched) {
  for (const ErrorCode code : {ErrorCode::kSource, ErrorCode::kLimitMissed, ErrorCode::kNoSpace, ErrorCode::kDenied,
                               ErrorCode::kCancelled, ErrorCode::kConflict}) {
    const auto report = explain({code, "x"}, CommandEffect::kCommits, 3);
    EXPECT_EQ(report.consequence, "no snapshot was made; earlier snapshots are untouched") << error_code_name(code);
  }
}

TEST(Report, APushWhoseOutcomeIsInDoubtDoesNotClaimThatNothingWasMade) {
  for (const ErrorCode code : {ErrorCode::kCorrupt, ErrorCode::kUnavailable, ErrorCode::kUnsettled}) {
    EXPECT_TRUE(leaves_commit_in_doubt(code)) << error_code_name(code);
    const auto report = explain({code, "x"}, CommandEffect::kCommits, 4);
    EXPECT_EQ(report.consequence.find("no snapshot was made"), std::string::npos);
    EXPECT_NE(report.consequence.find("earlier snapshots are untouched"), std::string::npos);
  }
}

TEST(Report, WhatFailsAfterACommitNeverSaysThatNoSnapshotWasMade) {
  for (int code = 0; code <= static_cast<int>(kLastErrorCode); ++code) {
    const auto report = explain({static_cast<ErrorCode>(code), "x"}, CommandEffect::kCommitted, 1);
    EXPECT_EQ(report.consequence, "what was committed stays committed; only a later step failed") << code;
  }
}

TEST(Report, AFailureInOneOfSeveralRepositoriesSaysNothingOfTheOthers) {
  for (int code = 0; code <= static_cast<int>(kLastErrorCode); ++code) {
    const auto report = explain({static_cast<ErrorCode>(code), "x"}, CommandEffect::kCommitsInOne, 5);
    EXPECT_NE(report.consequence.find("this repository"), std::string::npos) << code;
  }
}

TEST(Report, TheLogIsTextOrALineOfJson) {
  const auto report = explain({ErrorCode::kNoSpace, "disk full"}, CommandEffect::kCommits, 5);
  EXPECT_EQ(failure_log(report, "push", LogFormat::kText, 0), failure_text(report, "push"));
  const auto json = nlohmann::json::parse(failure_log(report, "push", LogFormat::kJson, 0));
  EXPECT_EQ(json["level"], "error");
  EXPECT_EQ(json["exit_code"], 5);
  EXPECT_TRUE(json.contains("time"));
}

TEST(Report, AFailedForgetSaysWhetherAnythingWasRemoved) {
  for (const ErrorCode code : {ErrorCode::kUsage, ErrorCode::kNoSnapshot, ErrorCode::kWrongKey})
    EXPECT_EQ(explain({code, "x"}, CommandEffect::kForgets, 2).consequence, "no snapshot was removed");
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kDenied, ErrorCode::kCancelled, ErrorCode::kCorrupt})
    EXPECT_NE(explain({code, "x"}, CommandEffect::kForgets, 5).consequence.find("nothing is deleted"),
              std::string::npos);
  EXPECT_EQ(explain({ErrorCode::kLimitMissed, "x"}, CommandEffect::kForgets, 15).next_step, "");
}

TEST(Report, AFailedPullSaysThatItsOutputMustNotBeUsed) {
  const auto report = explain({ErrorCode::kCorrupt, "x"}, CommandEffect::kRestores, 4);
  EXPECT_NE(report.consequence.find("do not use it"), std::string::npos);
  EXPECT_EQ(explain({ErrorCode::kWrongKey, "x"}, CommandEffect::kRestores, 12).consequence, "nothing was written");
  for (const ErrorCode code : {ErrorCode::kCorrupt, ErrorCode::kBusy, ErrorCode::kUnavailable, ErrorCode::kIo})
    EXPECT_EQ(explain({code, "x"}, CommandEffect::kWillRestore, 4).consequence, "nothing was written");
}

TEST(Report, AFailedCopySaysThatWhatWasCopiedStays) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kUnavailable, ErrorCode::kCancelled}) {
    const auto report = explain({code, "x"}, CommandEffect::kCopies, 5);
    EXPECT_NE(report.consequence.find("the next run continues from there"), std::string::npos) << error_code_name(code);
  }
  EXPECT_EQ(explain({ErrorCode::kWrongKey, "x"}, CommandEffect::kCopies, 12).consequence, "nothing was copied");
}

TEST(Report, EachErrorCodeButUsageHasANextStep) {
  for (int code = 0; code <= static_cast<int>(kLastErrorCode); ++code) {
    const auto error_code = static_cast<ErrorCode>(code);
    if (error_code == ErrorCode::kUsage) continue;
    EXPECT_FALSE(explain({error_code, "x"}, CommandEffect::kReads, 1).next_step.empty()) << error_code_name(error_code);
  }
}

TEST(Report, AStoreThatRefusesIsNoMatterOfADisk) {
  for (const CommandEffect effect : {CommandEffect::kCommits, CommandEffect::kRestores, CommandEffect::kReads}) {
    const auto refused = explain({ErrorCode::kDenied, "the access key or its secret is wrong"}, effect, 5);
    EXPECT_EQ(refused.next_step.find("disk"), std::string::npos) << refused.next_step;
    EXPECT_NE(refused.next_step.find("credentials"), std::string::npos) << refused.next_step;
    const auto odd = explain({ErrorCode::kIo, "the store answered 418"}, effect, 5);
    EXPECT_EQ(odd.next_step.find("disk"), std::string::npos) << odd.next_step;
    const auto file = explain({ErrorCode::kDenied, "open x: Permission denied", EACCES}, effect, 5);
    EXPECT_NE(file.next_step.find("permissions"), std::string::npos) << file.next_step;
    EXPECT_EQ(file.next_step.find("credentials"), std::string::npos) << file.next_step;
  }
}

TEST(Report, AShortageOfMemoryIsNoMatterOfAQuota) {
  const auto report = explain({ErrorCode::kBusy, "cannot map", ENOMEM}, CommandEffect::kRestores, 11);
  EXPECT_NE(report.next_step.find("--memory"), std::string::npos);
  EXPECT_EQ(report.next_step.find("free space"), std::string::npos);
}

TEST(Report, ACheckThatFailedItselfSaysNothingOfSnapshots) {
  for (const ErrorCode code : {ErrorCode::kCorrupt, ErrorCode::kTruncated, ErrorCode::kNotFound, ErrorCode::kIo})
    EXPECT_EQ(explain({code, "config/1 is damaged"}, CommandEffect::kProves, 4).consequence,
              "nothing was proven by this run");
}

TEST(Report, ASweepThatEndsEarlyKeepsWhatItHasRecorded) {
  const Error cancelled{ErrorCode::kCancelled, "asked to stop"};
  const auto ended = explain(cancelled, CommandEffect::kSweeps, 143).consequence;
  EXPECT_NE(ended.find("stays proven"), std::string::npos) << ended;
  EXPECT_NE(ended.find("are marked"), std::string::npos) << ended;
  EXPECT_EQ(explain({ErrorCode::kUsage, "x"}, CommandEffect::kSweeps, 2).consequence, "nothing was proven by this run");
}

TEST(Report, ARepairWithoutRoomDoesNotSayThatNothingNeedsRepair) {
  for (const Error& error : {Error(ErrorCode::kNoSpace, "put packs/x: No space left on device", ENOSPC),
                             Error(ErrorCode::kBusy, "x", EMFILE)}) {
    const auto report = explain(error, CommandEffect::kRepairs, 5);
    EXPECT_NE(report.consequence.find("stays damaged"), std::string::npos) << report.consequence;
    EXPECT_NE(report.next_step.find("run it again"), std::string::npos) << report.next_step;
    EXPECT_EQ(report.next_step.find("nothing needs repair"), std::string::npos) << report.next_step;
  }
  EXPECT_EQ(explain({ErrorCode::kWrongKey, "x"}, CommandEffect::kRepairs, 12).consequence, "nothing was repaired");
}

TEST(Report, OnlyAnEmptyPlaceIsOfferedToInit) {
  const auto report = explain({ErrorCode::kNoRepository, "x"}, CommandEffect::kCommits, 10);
  EXPECT_NE(report.next_step.find("at an empty place"), std::string::npos) << report.next_step;
}

TEST(Report, ANameThatSelectsNothingWroteAndCopiedNothing) {
  const Error error(ErrorCode::kNoSnapshot, "x");
  EXPECT_EQ(explain(error, CommandEffect::kRestores, 16).consequence, "nothing was written");
  EXPECT_EQ(explain(error, CommandEffect::kCopies, 16).consequence, "nothing was copied");
  EXPECT_NE(explain(error, CommandEffect::kReads, 16).next_step.find("drstream list"), std::string::npos);
}

TEST(Report, AKeyInTheWrongPlaceIsNotShown) {
  const std::string key(64, 'a');
  for (const ErrorCode code : {ErrorCode::kUsage, ErrorCode::kWrongKey, ErrorCode::kNoRepository}) {
    const auto report = explain({code, "cannot read the key file '" + key + "'"}, CommandEffect::kReads, 2);
    EXPECT_EQ(report.message, "cannot read the key file '(64 hex digits, not shown)'");
  }
  // Names of objects are digests.
  const auto damage = explain({ErrorCode::kCorrupt, "packs/aa/" + key}, CommandEffect::kReads, 4);
  EXPECT_EQ(damage.message, "packs/aa/" + key);
}

TEST(Report, AfterADeletionPushesMayGoOn) {
  const auto report = explain({ErrorCode::kRollback, "gone"}, CommandEffect::kRestores, 13);
  EXPECT_EQ(report.next_step.find("before you push"), std::string::npos);
  EXPECT_NE(report.next_step.find("Pushes may go on"), std::string::npos) << report.next_step;
}

TEST(Report, TextHasOneLineForEachPart) {
  FailureReport report;
  report.message = "disk full";
  report.consequence = "nothing";
  report.next_step = "free space";
  EXPECT_EQ(failure_text(report, "push"),
            "drstream push: error: disk full\n  consequence: nothing\n  next step: free space");
  EXPECT_EQ(failure_text({ErrorCode::kUsage, 2, "bad", "", ""}, ""), "drstream: error: bad");
}

TEST(Report, JsonHasCodeAndExitCode) {
  const auto json = failure_json(explain({ErrorCode::kNoSpace, "disk full"}, CommandEffect::kCommits, 5), "push");
  EXPECT_EQ(json["command"], "push");
  EXPECT_EQ(json["code"], error_code_name(ErrorCode::kNoSpace));
  EXPECT_EQ(json["exit_code"], 5);
  EXPECT_EQ(json["message"], "disk full");
  EXPECT_TRUE(json.contains("consequence"));
  EXPECT_TRUE(json.contains("next_step"));
}

}  // namespace
}  // namespace drs
