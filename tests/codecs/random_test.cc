#include "codecs/random.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(RandomBytes, FillsAllOfItsOutputDifferentlyEachTime) {
  Bytes first(1000);
  Bytes second(1000);
  random_bytes(first);
  random_bytes(second);
  EXPECT_NE(first, second);
  // The chance that 100 random bytes are all zero is 2^-800.
  for (std::size_t at = 0; at < first.size(); at += 100) {
    EXPECT_NE(
        Bytes(first.begin() + static_cast<std::ptrdiff_t>(at), first.begin() + static_cast<std::ptrdiff_t>(at + 100)),
        Bytes(100));
  }
}

TEST(RandomBytes, TakesAnEmptyOutput) {
  random_bytes({});
}

}  // namespace
}  // namespace drs
