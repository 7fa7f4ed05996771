#include "engine/pipeline/failure.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <stdexcept>

#include "engine/repository/parallel.h"

namespace drs {
namespace {

TEST(Failure, IsWhatALibraryThrowsInAThread) {
  int woken = 0;
  Failure failure;
  const auto waking = failure.on_failure([&] { ++woken; });
  failure.guard([] {});
  EXPECT_FALSE(failure.failed());
  failure.guard([] { throw std::bad_alloc(); });
  ASSERT_TRUE(failure.failed());
  EXPECT_EQ(failure.result().error().code, ErrorCode::kBusy);
  EXPECT_EQ(failure.result().error().error_number, ENOMEM);
  failure.guard([] { throw std::runtime_error("later"); });
  EXPECT_EQ(failure.result().error().code, ErrorCode::kBusy) << "the first error must be kept";
  EXPECT_EQ(woken, 1);
}

TEST(Failure, WakesWhatRegistersLateAndNotWhatHasGone) {
  Failure failure;
  int gone = 0;
  {
    const auto waking = failure.on_failure([&] { ++gone; });
  }
  failure.fail({ErrorCode::kIo, "first"});
  EXPECT_EQ(gone, 0);
  bool failed_seen = false;
  const auto late = failure.on_failure([&] { failed_seen = failure.failed(); });
  EXPECT_TRUE(failed_seen);
}

TEST(ForEachParallel, ReturnsWhatALibraryThrowsInAnyOfItsThreads) {
  const auto done = for_each_parallel(4, 100, [](std::size_t, std::size_t item) -> Result<void> {
    if (item == 50) throw std::bad_alloc();
    return {};
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kBusy);
}

}  // namespace
}  // namespace drs
