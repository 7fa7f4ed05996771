#include "sinks/cloud/gcs/google_credentials.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

constexpr const char* kServiceAccount =
    R"({"type":"service_account","client_email":"backup@project.iam.gserviceaccount.com","private_key_id":"kid",)"
    R"("private_key":"hunter2","token_uri":"https://oauth2.googleapis.com/token"})";

TEST(GoogleCredentials, ReadsEachKindOfFile) {
  const auto account = parse_google_credentials(as_bytes(kServiceAccount));
  ASSERT_TRUE(account.ok()) << account.error().message;
  const auto& key = std::get<ServiceAccountKey>(account->identity);
  EXPECT_EQ(key.client_email, "backup@project.iam.gserviceaccount.com");
  EXPECT_EQ(text_of(key.private_key), "hunter2");
  EXPECT_EQ(key.token_url, "https://oauth2.googleapis.com/token");

  const auto user = parse_google_credentials(
      as_bytes(R"({"type":"authorized_user","client_id":"id","client_secret":"s","refresh_token":"r"})"));
  ASSERT_TRUE(user.ok()) << user.error().message;
  EXPECT_EQ(std::get<AuthorizedUser>(user->identity).token_url, "https://oauth2.googleapis.com/token");

  const auto external = parse_google_credentials(as_bytes(
      R"({"type":"external_account","audience":"//iam.googleapis.com/projects/1/p","subject_token_type":"urn:jwt",)"
      R"("token_url":"https://sts.googleapis.com/v1/token","service_account_impersonation_url":"https://iam/x:y",)"
      R"("service_account_impersonation":{"token_lifetime_seconds":1200},"credential_source":{"url":"http://meta/t",)"
      R"("headers":{"Metadata":"True"},"format":{"type":"json","subject_token_field_name":"access_token"}}})"));
  ASSERT_TRUE(external.ok()) << external.error().message;
  const auto& federated = std::get<ExternalAccount>(external->identity);
  EXPECT_EQ(federated.subject_url, "http://meta/t");
  EXPECT_EQ(federated.subject_field, "access_token");
  EXPECT_EQ(federated.subject_headers, (std::vector<HttpHeader>{{"Metadata", "True"}}));
  ASSERT_TRUE(external->impersonation);
  EXPECT_EQ(external->impersonation->lifetime, std::chrono::seconds(1200));

  const auto impersonated = parse_google_credentials(
      as_bytes(R"({"type":"impersonated_service_account","service_account_impersonation_url":"https://iam/x:y",)"
               R"("delegates":["a","b"],"source_credentials":)" +
               std::string(kServiceAccount) + "}"));
  ASSERT_TRUE(impersonated.ok()) << impersonated.error().message;
  EXPECT_EQ(impersonated->impersonation->delegates, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(std::holds_alternative<ServiceAccountKey>(impersonated->identity));
}

TEST(GoogleCredentials, SaysWhatIsWrongWithAFile) {
  const auto refuses = [](std::string_view json, std::string_view text) {
    expect_error(parse_google_credentials(as_bytes(json)), ErrorCode::kUsage, text);
  };
  refuses("", "no JSON object");
  refuses("{}", "no type");
  refuses(R"({"type":"gdch_service_account"})", "'gdch_service_account'");
  refuses(R"({"type":"service_account","client_email":"a"})", "no private_key");
  refuses(R"({"type":"service_account","private_key":"hunter2","client_email":"a","token_uri":"http://evil.example/"})",
          "secrets over http");
  refuses(R"({"type":"authorized_user","client_id":"a","client_secret":"hunter2"})", "no refresh_token");
  const std::string external =
      R"({"type":"external_account","audience":"a","subject_token_type":"t","token_url":"https://sts/","credential_source":)";
  refuses(external + R"({"environment_id":"aws1"}})", "AWS");
  refuses(external + R"({"executable":{"command":"x"}}})", "program");
  refuses(external + "{}}", "without a file or a url");
  refuses(external + R"({"file":"/x","url":"http://x/"}})", "with both");
  refuses(external + R"({"file":"/x","format":{"type":"json"}}})", "no subject_token_field_name");
  refuses(external + R"({"url":"http://x/","headers":{"a":"b\r\nc"}}})", "cannot be sent");
  refuses(R"({"type":"impersonated_service_account","source_credentials":{}})", "service_account_impersonation_url");
}

}  // namespace
}  // namespace drs
