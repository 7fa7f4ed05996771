#include "sinks/cloud/s3/credentials_chain.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;

class CredentialsChainTest : public ::testing::Test {
 protected:
  CredentialsChainTest() { fake_.variables["HOME"] = "/home/a"; }
  Result<AwsCredentials> fetch() { return CredentialsChain(fake_.environment(), {}).fetch(); }
  std::string id() {
    const Result<AwsCredentials> credentials = fetch();
    return credentials.ok() ? credentials->access_key_id : credentials.error().message;
  }
  static std::string document(std::string_view id) {
    return R"({"Code":"Success","AccessKeyId":")" + std::string(id) +
           R"(","SecretAccessKey":"hunter2","Token":"t","Expiration":"2026-11-20T06:00:00Z"})";
  }

  void set_environment() {
    fake_.variables["AWS_ACCESS_KEY_ID"] = "of-environment";
    fake_.variables["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  }
  void set_web_identity(const std::string& sts = "https://sts.us-east-1.amazonaws.com") {
    fake_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
    fake_.variables["AWS_ROLE_ARN"] = "arn:x";
    fake_.files["/token"] = "jwt";
    fake_.replies["POST " + sts + '/'] = {
        {200,
         "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
         "<AccessKeyId>of-web-identity</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey>"
         "<SessionToken>t</SessionToken><Expiration>2026-11-20T01:00:00Z</Expiration>"
         "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"}};
  }
  void set_profile() {
    fake_.files["/home/a/.aws/credentials"] =
        "[default]\naws_access_key_id = of-profile\naws_secret_access_key = hunter2\n";
  }
  void set_container() {
    fake_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://localhost/c";
    fake_.replies["GET http://localhost/c"] = {{200, document("of-container")}};
  }
  void set_instance() {
    const std::string base = "http://169.254.169.254/latest/";
    fake_.replies["PUT " + base + "api/token"] = {{200, "token"}};
    fake_.replies["GET " + base + "meta-data/iam/security-credentials/"] = {{200, "role"}};
    fake_.replies["GET " + base + "meta-data/iam/security-credentials/role"] = {{200, document("of-instance")}};
  }

  test::FakeEnvironment fake_;
};

TEST_F(CredentialsChainTest, TheFirstPlaceThatIsSetUpInAwsOrderDecides) {
  set_instance();
  EXPECT_EQ(id(), "of-instance");
  set_container();
  EXPECT_EQ(id(), "of-container");
  set_profile();
  EXPECT_EQ(id(), "of-profile");
  set_web_identity();
  EXPECT_EQ(id(), "of-web-identity");
  set_environment();
  EXPECT_EQ(id(), "of-environment");
}

TEST_F(CredentialsChainTest, SaysWhereTheCredentialsAreFrom) {
  set_instance();
  EXPECT_EQ(fetch()->place, CredentialsPlace::kInstanceMetadata);
  EXPECT_EQ(fetch()->origin, "instance metadata");
  set_profile();
  EXPECT_EQ(fetch()->place, CredentialsPlace::kProfile);
  EXPECT_TRUE(fetch()->origin.starts_with("profile 'default'"));
  set_environment();
  EXPECT_EQ(fetch()->place, CredentialsPlace::kEnvironment);
}

TEST_F(CredentialsChainTest, TheErrorListsEveryPlaceAndWhyItGaveNothing) {
  const Result<AwsCredentials> credentials = fetch();
  expect_error(credentials, ErrorCode::kUsage, "no credentials for S3: the environment: AWS_ACCESS_KEY_ID");
  for (const char* text :
       {"; web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set", "; profile 'default' (/home/a/.aws/config: not there",
        "): there is no such profile", "; the container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "; instance metadata: no token from http://169.254.169.254: nobody answers"})
    EXPECT_NE(credentials.error().message.find(text), std::string::npos)
        << text << " in " << credentials.error().message;
}

TEST_F(CredentialsChainTest, APlaceThatIsSetUpAndFailsIsNotPassedOver) {
  set_instance();
  set_container();
  fake_.replies["GET http://localhost/c"] = {{403, ""}};
  const Result<AwsCredentials> credentials = fetch();
  expect_error(credentials, ErrorCode::kDenied, "the container: the endpoint answered with status 403");
  EXPECT_NE(credentials.error().message.find("the environment: "), std::string::npos);
  EXPECT_EQ(fake_.seen_count("PUT http://169.254.169.254/latest/api/token"), 0U);

  fake_.variables["AWS_ACCESS_KEY_ID"] = "id";
  expect_error(fetch(), ErrorCode::kUsage, "AWS_SECRET_ACCESS_KEY is not");
  fake_.variables.erase("AWS_ACCESS_KEY_ID");
  fake_.variables["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  expect_error(fetch(), ErrorCode::kUsage, "AWS_ACCESS_KEY_ID is not");
  fake_.variables["AWS_ACCESS_KEY_ID"] = "id";
  fake_.variables["AWS_SECRET_ACCESS_KEY"] = "hunter2\n";
  expect_error(fetch(), ErrorCode::kUsage, "the secret access key holds");

  fake_.variables.erase("AWS_ACCESS_KEY_ID");
  fake_.variables.erase("AWS_SECRET_ACCESS_KEY");
  fake_.variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  expect_error(fetch(), ErrorCode::kUsage, "AWS_ROLE_ARN is not");
}

TEST_F(CredentialsChainTest, ASessionTokenOfTheEnvironmentComesAlong) {
  set_environment();
  EXPECT_TRUE(fetch()->session_token.empty());
  fake_.variables["AWS_SESSION_TOKEN"] = "token";
  EXPECT_EQ(test::text_of(fetch()->session_token), "token");
}

TEST_F(CredentialsChainTest, AProfileThatWasNamedComesBeforeTheEnvironment) {
  set_environment();
  set_web_identity();
  set_profile();
  const CredentialsChainOptions named = {.region = "", .profile_named = true};
  EXPECT_EQ(CredentialsChain(fake_.environment(), named).fetch()->access_key_id, "of-profile");
  EXPECT_EQ(id(), "of-environment");
}

TEST_F(CredentialsChainTest, StsIsAskedInTheRegionThatIsSet) {
  set_web_identity("https://sts.eu-central-1.amazonaws.com");
  fake_.variables["AWS_REGION"] = "eu-central-1";
  EXPECT_EQ(id(), "of-web-identity");
  set_web_identity("https://sts.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(CredentialsChain(fake_.environment(), {.region = "cn-north-1"}).fetch()->access_key_id, "of-web-identity");
  set_web_identity("http://localhost:4566");
  fake_.variables["AWS_ENDPOINT_URL_STS"] = "http://localhost:4566";
  fake_.replies.erase("POST https://sts.eu-central-1.amazonaws.com/");
  EXPECT_EQ(id(), "of-web-identity");
}

TEST_F(CredentialsChainTest, OnceAPlaceHasGivenCredentialsNoOtherIsAsked) {
  set_container();
  CredentialsChain chain(fake_.environment(), {});
  ASSERT_EQ(chain.fetch()->access_key_id, "of-container");
  set_environment();
  EXPECT_EQ(chain.fetch()->access_key_id, "of-container");
  set_instance();
  fake_.variables.erase("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  expect_error(chain.fetch(), ErrorCode::kUnavailable, "no credentials for S3: the container: AWS_CONTAINER");
}

TEST_F(CredentialsChainTest, AFileThatCannotBeUnderstoodEndsTheSearch) {
  set_environment();
  fake_.files["/home/a/.aws/config"] = "hunter2";
  expect_error(fetch(), ErrorCode::kUsage, "the settings of AWS: '/home/a/.aws/config': line 1");
}

}  // namespace
}  // namespace drs
