#include "io/base/result.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace drs {
namespace {

// Tests rely on this: see tests/assertion_fails_its_test.cc.
TEST(Result, AskedForTheErrorThatItDoesNotHoldFailsTheTestAlone) {
  const Result<int> good = 7;
  EXPECT_THROW(static_cast<void>(good.error()), std::logic_error);
  const Result<void> done;
  EXPECT_THROW(static_cast<void>(done.error()), std::logic_error);
}

TEST(ResultDeathTest, AskedForWhatItDoesNotHoldStopsTheProgram) {
  const Result<int> bad = Error(ErrorCode::kIo, "no");
  EXPECT_DEATH(static_cast<void>(*bad), "value\\(\\) of a Result that holds an error");
}

}  // namespace
}  // namespace drs
