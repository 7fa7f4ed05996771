#include "io/helper_thread.h"

#include <gtest/gtest.h>

#include <new>
#include <optional>
#include <stdexcept>

namespace drs {
namespace {

TEST(HelperThread, TellsWhatALibraryThrowsInIt) {
  std::optional<Error> told;
  const auto note = [&](Error thrown) { told = std::move(thrown); };
  auto thread = start_helper_thread([] { throw std::bad_alloc(); }, note);
  ASSERT_TRUE(thread.ok());
  thread->join();
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->code, ErrorCode::kBusy);

  thread = start_helper_thread([] { throw std::runtime_error("odd"); }, note);
  ASSERT_TRUE(thread.ok());
  thread->join();
  EXPECT_EQ(told->code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace drs
