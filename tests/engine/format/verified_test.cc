#include "engine/format/verified.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

// The code of the error, or "ok".
std::string code_of(const Result<Verified>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

Bytes with_u32(Bytes body, std::size_t at, std::uint32_t value) {
  std::memcpy(body.data() + at, &value, sizeof value);
  return body;
}

Verified sample() {
  Verified verified;
  verified.ended_ns = 2'000;
  verified.structure_ns = 1'000;
  verified.structure_whole = true;
  verified.host = "h";
  verified.tool = "t";
  verified.arcs.push_back({.from = golden::fixed_digest("a"),
                           .to = golden::fixed_digest("a"),
                           .since_ns = 10,
                           .until_ns = 20,
                           .listed_ns = 30,
                           .packs = 4,
                           .bytes = 5,
                           .names = golden::fixed_uuid("n"),
                           .level = ProofLevel::kDecoded,
                           .proven_ns = 1'500});
  verified.damaged.push_back({golden::fixed_digest("d"), ProofLevel::kDigest, 1'600});
  verified.rebuilt.push_back({golden::fixed_digest("m"), true, 1'700});
  verified.moments.push_back({2'000, 10, 5, 4});
  return verified;
}

// Folded, two times, whole, "h" and "t" with their lengths.
constexpr std::size_t kArcsCountAt = 1 + 8 + 8 + 1 + 3 + 3;
constexpr std::size_t kArcAt = kArcsCountAt + 4;
constexpr std::size_t kLevelAt = kArcAt + 64 + 40 + 16;

TEST(Verified, IsReadAsItWasWritten) {
  const auto decoded = decode_verified(encode_verified(sample()));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(*decoded, sample());
  Verified folded = sample();
  folded.folded = true;
  folded.rebuilt[0].well = false;
  EXPECT_EQ(*decode_verified(encode_verified(folded)), folded);
}

TEST(Verified, EndsWhereItEnds) {
  Bytes body = encode_verified(sample());
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes)
    EXPECT_EQ(code_of(decode_verified(ByteView(body).first(bytes))), "truncated") << bytes;
  body.push_back(0);
  EXPECT_EQ(code_of(decode_verified(body)), "corrupt");
}

TEST(Verified, WithAForgedCountIsRefusedBeforeMemoryIsTaken) {
  const Bytes body = encode_verified(sample());
  EXPECT_EQ(code_of(decode_verified(with_u32(body, kArcsCountAt, 0xFFFFFFFF))), "corrupt");
  EXPECT_EQ(code_of(decode_verified(with_u32(body, kArcsCountAt, kVerifiedArcsMax))), "truncated");
}

TEST(Verified, HasArcsThatRunForwards) {
  Verified verified = sample();
  verified.arcs[0].to.data[0] = 0;
  verified.arcs[0].from.data[0] = 1;
  EXPECT_EQ(code_of(decode_verified(encode_verified(verified))), "corrupt");
  verified = sample();
  verified.arcs[0].until_ns = verified.arcs[0].since_ns;
  EXPECT_EQ(code_of(decode_verified(encode_verified(verified))), "corrupt");
}

TEST(Verified, OfALevelOfANewerDrstreamIsTooNew) {
  Bytes body = encode_verified(sample());
  ASSERT_EQ(body[kLevelAt], 2);
  body[kLevelAt] = 3;
  EXPECT_EQ(code_of(decode_verified(body)), "format-too-new");
  body[kLevelAt] = 0;
  EXPECT_EQ(code_of(decode_verified(body)), "corrupt");
  body = encode_verified(sample());
  body[0] = 2;  // folded
  EXPECT_EQ(code_of(decode_verified(body)), "corrupt");
}

TEST(Verified, HasBoundsThatFitIntoADocument) {
  Verified verified;
  verified.host = verified.tool = std::string(kVerifiedTextBytesMax, 'x');
  VerifiedArc arc;
  verified.arcs.assign(kVerifiedArcsMax, arc);
  for (VerifiedArc& one : verified.arcs) one.until_ns = 1;
  verified.damaged.assign(kVerifiedDamagedMax, {});
  verified.rebuilt.assign(kVerifiedRebuiltMax, {});
  verified.moments.assign(kVerifiedMomentsMax, {});
  const Bytes body = encode_verified(verified);
  EXPECT_LT(body.size(), kDocumentBytesMax);
  EXPECT_EQ(code_of(decode_verified(body)), "ok");
}

}  // namespace
}  // namespace drs
