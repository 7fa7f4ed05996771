#include "io/base/error_class.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace drs {
namespace {

constexpr int kErrnoMax = 4095;  // the highest errno that a Linux system call can return

const std::set<int> kShortages = {EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM};
const std::set<int> kMedium = {EIO, EBADMSG, EILSEQ, ENODATA, EREMOTEIO, EUCLEAN};

TEST(ErrorClass, EveryErrnoOfAReadIsAFindingOnlyWhereTheMediumSaysSo) {
  for (int number = 1; number <= kErrnoMax; ++number) {
    const Error error = error_from_errno(number, "read");
    EXPECT_EQ(is_lasting_damage(error), kMedium.contains(number)) << error.message;
    EXPECT_EQ(is_medium_fault(error), kMedium.contains(number)) << error.message;
    EXPECT_EQ(is_absent(error), number == ENOENT) << error.message;
    EXPECT_EQ(is_object_fault(error), kMedium.contains(number) || number == ENOENT) << error.message;
    EXPECT_EQ(is_shortage(error), kShortages.contains(number)) << error.message;
    EXPECT_EQ(is_shortage_errno(number), kShortages.contains(number)) << error.message;
  }
}

TEST(ErrorClass, AShortageIsNeitherDamageNorAbsence) {
  for (const int number : kShortages) {
    const Error error = error_from_errno(number, "open").with_context("get 'packs/ab/x'");
    EXPECT_EQ(classify(error), ErrorClass::kMachine);
    EXPECT_FALSE(is_damage(error) || is_object_fault(error) || is_lasting_damage(error)) << error.message;
  }
}

TEST(ErrorClass, WhoseTroubleItIsDoesNotHideAShortage) {
  const Error denied = as_code_unless_shortage(ErrorCode::kSource, error_from_errno(EACCES, "open dump"));
  EXPECT_EQ(denied.code, ErrorCode::kSource);
  EXPECT_EQ(denied.error_number, EACCES);
  for (const int number : kShortages)
    EXPECT_TRUE(is_shortage(as_code_unless_shortage(ErrorCode::kSource, error_from_errno(number, "open dump"))));
  EXPECT_FALSE(is_shortage({ErrorCode::kInternal, "this machine computes wrongly"}));
}

TEST(ErrorClass, EveryErrorOfAStoreHasItsClass) {
  const auto expected = [](ErrorCode code) {
    switch (code) {
      case ErrorCode::kCorrupt:
      case ErrorCode::kTruncated: return ErrorClass::kDamage;
      case ErrorCode::kFormatTooNew: return ErrorClass::kTooNew;
      case ErrorCode::kNotFound: return ErrorClass::kAbsent;
      case ErrorCode::kInternal: return ErrorClass::kMachine;
      case ErrorCode::kIo:  // without an errno: an answer that could not be interpreted
      case ErrorCode::kDenied:
      case ErrorCode::kNoSpace:
      case ErrorCode::kUnavailable: return ErrorClass::kStore;
      default: return ErrorClass::kOther;
    }
  };
  for (int code = 0; error_code_name(static_cast<ErrorCode>(code)) != "internal" || code == 0; ++code) {
    const Error error{static_cast<ErrorCode>(code), "x"};
    EXPECT_EQ(classify(error), expected(error.code)) << error_code_name(error.code);
  }
}

TEST(ErrorClass, DamagedBytesThatCouldBeReadAreNoFaultOfTheMedium) {
  for (const ErrorCode code : {ErrorCode::kCorrupt, ErrorCode::kTruncated, ErrorCode::kFormatTooNew})
    EXPECT_FALSE(is_medium_fault({code, "x", EIO})) << error_code_name(code);
}

TEST(ErrorClass, ANewerVersionIsAFindingButNoMark) {
  const Error error{ErrorCode::kFormatTooNew, "version 2"};
  EXPECT_TRUE(is_too_new(error) && is_damage(error) && is_object_fault(error));
  EXPECT_FALSE(is_lasting_damage(error));
}

}  // namespace
}  // namespace drs
