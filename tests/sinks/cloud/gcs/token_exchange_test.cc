#include "sinks/cloud/gcs/token_exchange.h"

#include <gtest/gtest.h>

#include "tests/codecs/rsa_test_key.h"
#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

constexpr const char* kTokenUrl = "https://oauth2.googleapis.com/token";
constexpr const char* kAnswer = R"({"access_token":"ya29.new","expires_in":3599,"token_type":"Bearer"})";

class TokenExchange : public ::testing::Test {
 protected:
  static GoogleCredentials user() {
    AuthorizedUser out;
    out.client_id = "the id";
    out.client_secret = SecretBytes::copy_of(as_bytes("hunter2"));
    out.refresh_token = SecretBytes::copy_of(as_bytes("1//hunter2"));
    out.token_url = kTokenUrl;
    return {std::move(out), {}};
  }
  static GoogleCredentials federated() {
    ExternalAccount out;
    out.audience = "//iam/p";
    out.subject_token_type = "urn:ietf:params:oauth:token-type:jwt";
    out.token_url = "https://sts.googleapis.com/v1/token";
    out.subject_file = "/run/token";
    return {std::move(out), {}};
  }
  Result<GoogleToken> exchange(const GoogleCredentials& credentials) {
    return exchange_for_token(fake_.environment(), credentials);
  }

  test::FakeEnvironment fake_;
};

TEST_F(TokenExchange, AServiceAccountSignsAsRfc7515AndGoogleSay) {
  ServiceAccountKey key;
  key.client_email = "backup@project.iam.gserviceaccount.com";
  key.private_key_id = "key-1";
  key.private_key = SecretBytes::copy_of(as_bytes(kRfc7515PrivateKey));
  key.token_url = kTokenUrl;
  const auto jwt = make_service_account_jwt(key, kStorageScope, 1'328'550'785'000'000'000);
  ASSERT_TRUE(jwt.ok()) << jwt.error().message;
  // Signed by Python's `cryptography` with the same key.
  EXPECT_EQ(text_of(*jwt),
            "eyJhbGciOiJSUzI1NiIsImtpZCI6ImtleS0xIiwidHlwIjoiSldUIn0.eyJhdWQiOiJodHRwczovL29hdXRoMi5nb29nbGVh"
            "cGlzLmNvbS90b2tlbiIsImV4cCI6MTMyODU1NDM4NSwiaWF0IjoxMzI4NTUwNzg1LCJpc3MiOiJiYWNrdXBAcHJvamVjdC5p"
            "YW0uZ3NlcnZpY2VhY2NvdW50LmNvbSIsInNjb3BlIjoiaHR0cHM6Ly93d3cuZ29vZ2xlYXBpcy5jb20vYXV0aC9kZXZzdG9y"
            "YWdlLnJlYWRfd3JpdGUifQ.UOJek6-GybqPEp_vxAITehYnaxkddxu-kWo0AHpovL207TzqlmDRZHkJKMojoJ21ELDCGBFhl"
            "lE1kO-_TxgKAD17FnsLnapwXO5nCW1fGtrKVl8HoGF2iXcw6_EWijN8vnJ8zDQT5Q7T0hV5Jp6hiv0VIKTU-BOgcXRirdXx4"
            "TiyrDNG01U7AiBnXFz8mCXPw38fXeHV_V4hhkRt5j79n3GeQIBOPKGNjOs_r5CpKN9YiCvAKBs9d1ipQtFd_nMUnGWBd2OmM"
            "KouchX9WfakccQcP7gH4TyxQux4Z1gPkLq2aZiTE1IMbjdsbxsfiW_f-E_8A1_JJ9UdZs0dw1rCbQ");
}

TEST_F(TokenExchange, AKeyThatIsNoneIsNeverShown) {
  ServiceAccountKey key;
  key.private_key = SecretBytes::copy_of(as_bytes("hunter2"));
  expect_error(make_service_account_jwt(key, kStorageScope, 0), ErrorCode::kUsage, "private key");
}

TEST_F(TokenExchange, ARefreshTokenIsExchanged) {
  fake_.replies[std::string("POST ") + kTokenUrl] = {{200, kAnswer}};
  const auto token = exchange(user());
  ASSERT_TRUE(token.ok()) << token.error().message;
  EXPECT_EQ(text_of(token->text), "ya29.new");
  EXPECT_EQ(*token->expires_ns, fake_.clock.wall_ns() + 3599 * std::int64_t{1'000'000'000});
  EXPECT_EQ(fake_.seen[0].body,
            "grant_type=refresh_token&client_id=the%20id&client_secret=hunter2&refresh_token=1%2F%2Fhunter2");
  EXPECT_EQ(fake_.seen[0].header("Content-Type"), "application/x-www-form-urlencoded");
}

TEST_F(TokenExchange, ASubjectTokenIsReadAnewAndExchanged) {
  fake_.files["/run/token"] = "subject\n";
  fake_.replies["POST https://sts.googleapis.com/v1/token"] = {{200, kAnswer}};
  ASSERT_TRUE(exchange(federated()).ok());
  EXPECT_NE(fake_.seen[0].body.find("&subject_token=subject"), std::string::npos) << fake_.seen[0].body;
  EXPECT_NE(fake_.seen[0].body.find("audience=%2F%2Fiam%2Fp&"), std::string::npos);
  EXPECT_NE(fake_.seen[0].body.find("devstorage.read_write"), std::string::npos);
  fake_.files["/run/token"] = "next";
  ASSERT_TRUE(exchange(federated()).ok());
  EXPECT_TRUE(fake_.seen[1].body.ends_with("&subject_token=next"));
  fake_.files.clear();
  expect_error(exchange(federated()), ErrorCode::kUsage, "the subject token cannot be read");
}

TEST_F(TokenExchange, ASubjectTokenMayComeFromAUrlAsJson) {
  GoogleCredentials credentials = federated();
  auto& account = std::get<ExternalAccount>(credentials.identity);
  account.subject_file.clear();
  account.subject_url = "http://169.254.169.254/token?x=1";
  account.subject_headers = {{"Metadata", "True"}};
  account.subject_field = "access_token";
  fake_.replies["GET http://169.254.169.254/token?x=1"] = {{200, R"({"access_token":"azure"})"}};
  fake_.replies["POST https://sts.googleapis.com/v1/token"] = {{200, kAnswer}};
  ASSERT_TRUE(exchange(credentials).ok());
  EXPECT_EQ(fake_.seen[0].header("Metadata"), "True");
  EXPECT_TRUE(fake_.seen[0].bypass_proxy);
  EXPECT_TRUE(fake_.seen[1].body.ends_with("&subject_token=azure"));
  fake_.replies["GET http://169.254.169.254/token?x=1"] = {{200, "hunter2"}};
  expect_error(exchange(credentials), ErrorCode::kUsage, "the field access_token");
}

TEST_F(TokenExchange, ImpersonationIsASecondStep) {
  GoogleCredentials credentials = user();
  credentials.impersonation = Impersonation{"https://iamcredentials/x:generateAccessToken", {"d"}};
  fake_.replies[std::string("POST ") + kTokenUrl] = {{200, kAnswer}};
  fake_.replies["POST https://iamcredentials/x:generateAccessToken"] = {
      {200, R"({"accessToken":"second","expireTime":"2026-11-20T01:00:00Z"})"}};
  const auto token = exchange(credentials);
  ASSERT_TRUE(token.ok()) << token.error().message;
  EXPECT_EQ(text_of(token->text), "second");
  EXPECT_EQ(fake_.seen[1].header("Authorization"), "Bearer ya29.new");
  EXPECT_EQ(
      fake_.seen[1].body,
      R"({"delegates":["d"],"lifetime":"3600s","scope":["https://www.googleapis.com/auth/devstorage.read_write"]})");
  fake_.replies["POST https://iamcredentials/x:generateAccessToken"] = {
      {403, R"({"error":{"code":403,"message":"Permission denied","status":"PERMISSION_DENIED"}})"}};
  expect_error(exchange(credentials), ErrorCode::kDenied, "roles/iam.serviceAccountTokenCreator");
}

TEST_F(TokenExchange, ARefusalSaysWhatToDoAndAnOutageThatItMayPass) {
  auto& replies = fake_.replies[std::string("POST ") + kTokenUrl];
  replies = {{400, R"({"error":"invalid_grant","error_description":"Token has been revoked."})"}};
  expect_error(exchange(user()), ErrorCode::kDenied, "invalid_grant: Token has been revoked.; the key, the login");
  replies = {{503, "<html>"}};
  expect_error(exchange(user()), ErrorCode::kUnavailable, "status 503");
  replies = {{503, ""}, {200, kAnswer}};
  EXPECT_TRUE(exchange(user()).ok());
  for (const char* body : {"", "<html>", "{}", R"({"access_token":"a"})", R"({"access_token":"a\nb","expires_in":1})",
                           R"({"access_token":"hunter2","expires_in":-1})"}) {
    replies = {{200, body}};
    expect_error(exchange(user()), ErrorCode::kUnavailable, "the answer");
  }
}

TEST_F(TokenExchange, ASkewedClockIsTold) {
  HttpResponse response;
  response.status = 400;
  response.headers = {{"date", "Fri, 20 Nov 2026 00:00:00 GMT"}};
  response.body = SecretBytes::copy_of(as_bytes(R"({"error":"invalid_grant"})"));
  fake_.clock.set("2026-11-20T00:10:00Z");
  EXPECT_NE(token_refusal("it", response, fake_.clock.wall_ns()).message.find("600 s ahead of Google's: set it"),
            std::string::npos);
}

}  // namespace
}  // namespace drs
