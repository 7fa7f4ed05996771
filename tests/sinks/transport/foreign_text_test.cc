#include "sinks/transport/foreign_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(ForeignText, KeepsPlainText) {
  EXPECT_EQ(foreign_text("Access Denied (403)!", 100), "Access Denied (403)!");
}

TEST(ForeignText, CredentialsOfARequestAreItsSignatureAndTokensAndNoNames) {
  const std::string authorization =
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0123";
  const std::vector<HttpHeader> headers = {
      {"Host", "bucket"}, {"Authorization", authorization}, {"X-Amz-Security-Token", "token"}};
  EXPECT_EQ(secrets_sent(headers, {}), (std::vector<std::string_view>{"0123", "token"}));
  EXPECT_EQ(secrets_sent({{"authorization", "Bearer ya29"}}, {}), std::vector<std::string_view>{"ya29"});
  EXPECT_EQ(secrets_sent({{"authorization", "bare"}}, {}), std::vector<std::string_view>{"bare"});
  const std::string form = "grant_type=refresh_token&client_id=me&client_secret=a&refresh_token=b";
  EXPECT_EQ(secrets_sent({{"Content-Type", "application/x-www-form-urlencoded"}}, {as_bytes(form)}),
            (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(secrets_sent({{"Content-Type", "application/json"}}, {as_bytes(form)}).empty());
}

TEST(ForeignText, EveryPieceOfASecretIsRemoved) {
  const std::string secret = "IQoJb3JpZ2luX2VjEBYaCXVz/LWVhc3QtMSJ=";
  EXPECT_EQ(without_secrets("you sent " + secret + "!", {secret}), "you sent [removed]!");
  EXPECT_EQ(without_secrets(secret + " " + secret, {secret}), "[removed] [removed]");
  EXPECT_EQ(without_secrets("cut: IQoJb3JpZ2luX2V", {secret}), "cut: [removed]");
  EXPECT_EQ(without_secrets("IQoJb3JpZ2luX2VjEBYaCXVz%2FLWVhc3QtMSJ%3D", {secret}), "[removed]%2F[removed]%3D");
  EXPECT_EQ(without_secrets("Access Denied", {secret, "", "short"}), "Access Denied");
}

TEST(ForeignText, IsOneLineOfPrintableAscii) {
  EXPECT_EQ(foreign_text(" a\r\n\t b \x1B[31m\x7F\xC3\xA9 ", 100), "a b ?[31m???");
  EXPECT_EQ(foreign_text(std::string_view("\0", 1), 100), "?");
}

TEST(ForeignText, IsCutWhereItIsTooLong) {
  EXPECT_EQ(foreign_text("12345678", 8), "12345678");
  EXPECT_EQ(foreign_text("123456789", 8), "12345...");
  EXPECT_EQ(foreign_text("", 8), "");
}

}  // namespace
}  // namespace drs
