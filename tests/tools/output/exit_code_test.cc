#include "tools/output/exit_code.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <set>

namespace drs {
namespace {

// The frozen numbers (docs/OPERATIONS.md, "Exit codes"), written out once more, so that a change of the table is a
// failing test.
struct Row {
  ErrorCode error;
  int exit;
};
constexpr Row kFrozen[] = {
    {ErrorCode::kInternal, 1},      {ErrorCode::kUsage, 2},         {ErrorCode::kSource, 3},
    {ErrorCode::kCorrupt, 4},       {ErrorCode::kTruncated, 4},     {ErrorCode::kIo, 5},
    {ErrorCode::kNoSpace, 5},       {ErrorCode::kDenied, 5},        {ErrorCode::kUnavailable, 6},
    {ErrorCode::kNotFound, 4},      {ErrorCode::kAlreadyExists, 2}, {ErrorCode::kConflict, 7},
    {ErrorCode::kNoRepository, 10}, {ErrorCode::kBusy, 11},         {ErrorCode::kWrongKey, 12},
    {ErrorCode::kRollback, 13},     {ErrorCode::kFormatTooNew, 14}, {ErrorCode::kSinkClosed, 8},
    {ErrorCode::kCancelled, 1},     {ErrorCode::kUnsettled, 5},     {ErrorCode::kLimitMissed, 15},
    {ErrorCode::kNoSnapshot, 16},
};

TEST(ExitCode, EachErrorCodeLeadsToItsFrozenNumber) {
  EXPECT_EQ(exit_code_table().size(), std::size(kFrozen));
  for (const Row& row : kFrozen)
    EXPECT_EQ(static_cast<int>(exit_code_of({row.error, "x"})), row.exit) << error_code_name(row.error);
}

TEST(ExitCode, AShortageOfThisMachineIsOneNumberWhateverFailedForIt) {
  for (const int number : {EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    const Error shortage = error_from_errno(number, "open 'packs/3f'");
    EXPECT_EQ(exit_status_of(shortage, 0), 11) << shortage.message;
    EXPECT_TRUE(is_worse({ErrorCode::kIo, "the disk"}, shortage)) << "the order is that of the numbers";
    EXPECT_FALSE(is_worse(shortage, {ErrorCode::kUnavailable, "the store"}));
  }
  EXPECT_EQ(exit_status_of({ErrorCode::kCorrupt, "a length of 2^60", ENOMEM}, 0), 4);
  EXPECT_EQ(exit_status_of({ErrorCode::kInternal, "a bug", ENOMEM}, 0), 1);
}

TEST(ExitCode, TheTableHasEachErrorCodeOnce) {
  std::set<ErrorCode> seen;
  for (const ExitCodeMapping& row : exit_code_table()) EXPECT_TRUE(seen.insert(row.error).second);
  for (int code = 0; code <= static_cast<int>(kLastErrorCode); ++code)
    EXPECT_TRUE(seen.contains(static_cast<ErrorCode>(code))) << code;
}

TEST(ExitCode, EachNumberFrom0To16HasAMeaning) {
  int expected = 0;
  for (const ExitCodeMeaning& row : exit_code_meanings()) {
    EXPECT_EQ(static_cast<int>(row.exit), expected++);
    EXPECT_FALSE(row.meaning.empty());
  }
  EXPECT_EQ(expected, 17);
}

TEST(ExitCode, SignalsGive128AndTheirNumber) {
  EXPECT_EQ(exit_status_of_signal(SIGINT), 130);
  EXPECT_EQ(exit_status_of_signal(SIGTERM), 143);
  EXPECT_EQ(exit_status_of_signal(SIGHUP), 129);
  const Error cancelled(ErrorCode::kCancelled, "x");
  EXPECT_EQ(exit_status_of(cancelled, SIGTERM), 143);
  EXPECT_EQ(exit_status_of(cancelled, 0), 1);
  const Error unsettled(ErrorCode::kUnsettled, "x");
  EXPECT_EQ(exit_status_of(unsettled, SIGTERM), 143);
  EXPECT_EQ(exit_status_of(unsettled, 0), 5);
  EXPECT_EQ(exit_status_of(Error(ErrorCode::kNoSpace, "x"), SIGTERM), 5);
}

TEST(ExitCode, OfSeveralFailuresTheWorstIsTheSameInAnyOrder) {
  // Every exit code of a failure, from the worst.
  constexpr ErrorCode kWorstFirst[] = {
      ErrorCode::kCancelled,    ErrorCode::kInternal,   ErrorCode::kCorrupt,      ErrorCode::kRollback,
      ErrorCode::kFormatTooNew, ErrorCode::kWrongKey,   ErrorCode::kNoRepository, ErrorCode::kUsage,
      ErrorCode::kNoSnapshot,   ErrorCode::kNoSpace,    ErrorCode::kSource,       ErrorCode::kLimitMissed,
      ErrorCode::kConflict,     ErrorCode::kSinkClosed, ErrorCode::kUnavailable,  ErrorCode::kBusy,
  };
  for (std::size_t i = 0; i < std::size(kWorstFirst); ++i) {
    for (std::size_t j = 0; j < std::size(kWorstFirst); ++j)
      EXPECT_EQ(is_worse({kWorstFirst[i], "x"}, {kWorstFirst[j], "y"}), i < j) << i << " " << j;
  }
}

}  // namespace
}  // namespace drs
