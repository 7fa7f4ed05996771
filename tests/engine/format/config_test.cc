#include "engine/format/config.h"

#include <gtest/gtest.h>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

// The error code's name, or "ok".
template <typename T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

TEST(Config, RoundTrips) {
  Config config = golden::config();
  config.encrypted = false;
  config.chunks = {.bytes_min = 64, .bytes_mean = 512, .bytes_max = 4'000, .normalization = 3};
  config.block_bytes_max = 4'000;
  const auto decoded = decode_config(encode_config(config));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(decoded->repository, config.repository);
  EXPECT_FALSE(decoded->encrypted);
  EXPECT_EQ(decoded->master_commitment, config.master_commitment);
  EXPECT_EQ(decoded->chunks, config.chunks);
  EXPECT_EQ(decoded->block_bytes_max, 4'000U);
  EXPECT_EQ(decoded->optional_features, config.optional_features);
  EXPECT_EQ(decoded->created_ns, config.created_ns);
  EXPECT_EQ(decoded->tool_version, config.tool_version);
}

TEST(Config, WithAnyUnknownRequiredFeatureIsTooNewEvenWithFieldsWeDoNotKnow) {
  for (unsigned bit = 0; bit < 56; ++bit) {
    Config config = golden::config();
    config.required_features |= std::uint64_t{1} << bit;
    Bytes body = encode_config(config);
    EXPECT_EQ(code_of(decode_config(body)), "format-too-new") << bit;
    body.push_back(1);
    EXPECT_EQ(code_of(decode_config(body)), "format-too-new") << bit;
  }
}

TEST(Config, OfAnotherDraftThanThisIsRefusedWithWhatToDo) {
  constexpr std::size_t kDraftAt = 2 + 16 + 1 + 1 + 32 + 13 + 4 + 7;
  for (unsigned drafts = 0; drafts <= 255; ++drafts) {
    Bytes body = encode_config(golden::config());
    EXPECT_EQ(body[kDraftAt], 1);
    body[kDraftAt] = static_cast<Byte>(drafts);
    const auto decoded = decode_config(body);
    ASSERT_EQ(decoded.ok(), drafts == 1) << drafts;
    if (drafts == 1) continue;
    EXPECT_EQ(decoded.error().code, ErrorCode::kFormatTooNew);
    EXPECT_NE(decoded.error().message.find("another development version of drstream before 0.1"), std::string::npos);
  }
}

TEST(Config, IgnoresEveryOptionalFeature) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    Config config = golden::config();
    config.optional_features = std::uint64_t{1} << bit;
    EXPECT_TRUE(decode_config(encode_config(config)).ok()) << bit;
  }
}

TEST(Config, OfANewerVersionIsTooNewHoweverShort) {
  EXPECT_EQ(code_of(decode_config(Bytes{2, 0})), "format-too-new");
  EXPECT_EQ(code_of(decode_config(Bytes{2})), "truncated");
}

TEST(Config, RefusesABlockSmallerThanAChunk) {
  Config config = golden::config();
  Bytes body = encode_config(config);
  config.block_bytes_max = config.chunks.bytes_max;
  EXPECT_TRUE(decode_config(encode_config(config)).ok());
  const std::size_t block_max_at = 2 + 16 + 1 + 1 + 32 + 13;
  body[block_max_at + 2] = 0;  // 1,048,576 becomes 0
  const auto decoded = decode_config(body);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().message, "config: block bytes max is 0, expected 65534 to 1048576");
}

}  // namespace
}  // namespace drs
