#include "sinks/kafka/kafka_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "codecs/base64.h"

namespace drs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string jwt(const std::string& claims) {
  return to_base64_url(as_bytes(R"({"alg":"none"})")) + "." + to_base64_url(as_bytes(claims)) + ".signature";
}

std::string refusal(const std::string& output) {
  const auto token = parse_kafka_token(as_bytes(output));
  if (token.ok()) return "accepted";
  EXPECT_EQ(token.error().code, ErrorCode::kUsage);
  return token.error().message;
}

TEST(KafkaToken, IsReadFromJson) {
  const auto token =
      parse_kafka_token(as_bytes("{\"token\": \"abc\", \"expires_ms\": 1700000000123, \"principal\": \"me\"}\n"));
  ASSERT_TRUE(token.ok()) << token.error().message;
  EXPECT_EQ(as_text(token->token.view()), "abc");
  EXPECT_EQ(token->expires_ms, 1'700'000'000'123);
  EXPECT_EQ(token->principal, "me");
}

TEST(KafkaToken, TakesExpiryAndPrincipalFromTheClaimsOfAWebToken) {
  const std::string web_token = jwt(R"({"exp": 1700000000, "sub": "backup"})");
  for (const std::string& output : {web_token + "\n", R"({"token": ")" + web_token + "\"}"}) {
    const auto token = parse_kafka_token(as_bytes(output));
    ASSERT_TRUE(token.ok()) << token.error().message;
    EXPECT_EQ(as_text(token->token.view()), web_token);
    EXPECT_EQ(token->expires_ms, 1'700'000'000'000);
    EXPECT_EQ(token->principal, "backup");
  }
}

TEST(KafkaToken, PrefersWhatTheCommandSaysToTheClaims) {
  const std::string output = R"({"token": ")" + jwt(R"({"exp": 1, "sub": "a"})") + R"(", "expires_ms": 5})";
  const auto token = parse_kafka_token(as_bytes(output));
  ASSERT_TRUE(token.ok()) << token.error().message;
  EXPECT_EQ(token->expires_ms, 5);
  EXPECT_EQ(token->principal, "a");
}

TEST(KafkaToken, RefusesWhatHasNoTokenOrNoExpiryWithoutShowingIt) {
  EXPECT_THAT(refusal(""), HasSubstr("printed no token"));
  EXPECT_THAT(refusal("{}"), HasSubstr("printed no token"));
  EXPECT_THAT(refusal("{\"token\": "), HasSubstr("broken JSON"));
  EXPECT_THAT(refusal("hunter2hunter2"), HasSubstr("no \"expires_ms\""));
  EXPECT_THAT(refusal("hunter2hunter2"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(refusal("a.b.c"), HasSubstr("no \"expires_ms\""));
  EXPECT_THAT(refusal(jwt("[]")), HasSubstr("no \"expires_ms\""));
  EXPECT_THAT(refusal(jwt(R"({"exp": -5})")), HasSubstr("no \"expires_ms\""));
  EXPECT_THAT(refusal(jwt(R"({"exp": 1e300})")), HasSubstr("no \"expires_ms\""));
}

TEST(KafkaToken, ComesFromAShell) {
  CancelToken cancel;
  const auto token =
      fetch_kafka_token("printf '{\"token\": \"%s\", \"expires_ms\": 7}' \"$((1+1))\"", ChildOptions{}, cancel);
  ASSERT_TRUE(token.ok()) << token.error().message;
  EXPECT_EQ(as_text(token->token.view()), "2");
}

TEST(KafkaToken, FailsWithACommandThatFailsOrTakesTooLong) {
  CancelToken cancel;
  const auto failed = fetch_kafka_token("echo hunter2; exit 3", ChildOptions{}, cancel);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kSource);
  EXPECT_THAT(failed.error().message, HasSubstr("token_command"));
  EXPECT_THAT(failed.error().message, Not(HasSubstr("hunter2")));
  ChildOptions child;
  child.timeout = std::chrono::seconds(1);
  const auto late = fetch_kafka_token("sleep 30", child, cancel);
  ASSERT_FALSE(late.ok());
  EXPECT_THAT(late.error().message, HasSubstr("did not finish within 1 s"));
}

}  // namespace
}  // namespace drs
