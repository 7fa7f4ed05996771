#include "engine/format/marks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

TEST(RemovedMark, RoundTrips) {
  const auto decoded = decode_removed(encode_removed(golden::removed()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, golden::removed());
}

TEST(SessionRecord, RoundTrips) {
  const auto decoded = decode_session(encode_session(golden::session()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, golden::session());
}

TEST(CondemnedPacks, AreStoredSortedAndOnce) {
  const Digest a = golden::fixed_digest("a"), b = golden::fixed_digest("b");
  const CondemnedPacks packs{.condemned_ns = 9, .packs = {a, b, a}};
  const auto decoded = decode_condemned(encode_condemned(packs));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->condemned_ns, 9);
  EXPECT_EQ(decoded->packs, (std::vector<Digest>{std::min(a, b), std::max(a, b)}));
}

TEST(DamagedMark, RoundTripsWithoutAKey) {
  const auto decoded = decode_damaged(encode_damaged(golden::damaged()));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, golden::damaged());
}

}  // namespace
}  // namespace drs
