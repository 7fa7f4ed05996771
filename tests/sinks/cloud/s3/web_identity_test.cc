#include "sinks/cloud/s3/web_identity.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

// STS API Reference, AssumeRoleWithWebIdentity, sample response.
constexpr std::string_view kAnswer =
    R"(<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>amzn1.account.AF6RHO7KZU5XRVQJGXK6HB56KR2A</SubjectFromWebIdentityToken>
    <Audience>client.5498841531868486423.1548@apps.example.com</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/FederatedWebIdentityRole/app1</Arn>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:app1</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <Expiration>2014-10-24T23:00:23Z</Expiration>
      <AccessKeyId>ASgeIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
    <Provider>www.amazon.com</Provider>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>)";

class WebIdentityTest : public ::testing::Test {
 protected:
  WebIdentityTest() {
    fake_.files["/token"] = "hunter2/+=\n";
    fake_.replies[kUrl] = {{200, std::string(kAnswer)}};
  }
  Result<AwsCredentials> assume() { return assume_role_with_web_identity(fake_.environment(), identity_); }

  const std::string kUrl = "POST https://sts.eu-central-1.amazonaws.com/";
  test::FakeEnvironment fake_;
  WebIdentity identity_{"/token", {"arn:aws:iam::123456789012:role/backup", "night"}, {"", "eu-central-1"}};
};

TEST_F(WebIdentityTest, TradesTheTokenForCredentials) {
  const Result<AwsCredentials> credentials = assume();
  ASSERT_TRUE(credentials.ok()) << credentials.error().message;
  EXPECT_EQ(credentials->access_key_id, "ASgeIAIOSFODNN7EXAMPLE");
  EXPECT_EQ(text_of(credentials->secret_access_key), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY");
  EXPECT_EQ(text_of(credentials->session_token), "AQoDYXdzEE0a8ANXXXXXXXXNO1ewxE5TijQyp+IEXAMPLE");
  EXPECT_EQ(credentials->expires_ns, parse_iso_time("2014-10-24T23:00:23Z"));
  ASSERT_EQ(fake_.seen.size(), 1U);
  EXPECT_EQ(
      fake_.seen[0].body,
      "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fbackup"
      "&RoleSessionName=night&WebIdentityToken=hunter2%2F%2B%3D");
  EXPECT_EQ(fake_.seen[0].header("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_FALSE(fake_.seen[0].bypass_proxy);
}

TEST_F(WebIdentityTest, NamesTheSessionAfterTheTimeWhereNobodyDoes) {
  identity_.role.session_name.clear();
  fake_.clock.set("2026-11-20T00:00:00Z");
  ASSERT_TRUE(assume().ok());
  EXPECT_NE(fake_.seen[0].body.find("&RoleSessionName=drstream-1795132800&"), std::string::npos) << fake_.seen[0].body;
}

TEST_F(WebIdentityTest, AsksTheEndpointThatIsSet) {
  identity_.sts.endpoint = "http://localhost:4566/sts/";
  fake_.replies["POST http://localhost:4566/sts/"] = {{200, std::string(kAnswer)}};
  EXPECT_TRUE(assume().ok());
  identity_.sts.endpoint = "localhost";
  expect_error(assume(), ErrorCode::kUsage, "the endpoint of STS");
}

TEST_F(WebIdentityTest, ReadsTheTokenAnewEachTime) {
  ASSERT_TRUE(assume().ok());
  fake_.files["/token"] = "second";
  ASSERT_TRUE(assume().ok());
  EXPECT_TRUE(fake_.seen[1].body.ends_with("&WebIdentityToken=second"));
}

TEST_F(WebIdentityTest, AsksAgainWhereStsIsNotWell) {
  fake_.replies[kUrl] = {{503, ""}, {0, ""}, {200, std::string(kAnswer)}};
  EXPECT_TRUE(assume().ok());
  EXPECT_EQ(fake_.seen.size(), 3U);
  fake_.replies[kUrl] = {{503, "busy"}};
  expect_error(assume(), ErrorCode::kUnavailable, "status 503");
  EXPECT_EQ(fake_.seen.size(), 6U);
  fake_.replies.clear();
  expect_error(assume(), ErrorCode::kUnavailable, "nobody answers");
}

TEST_F(WebIdentityTest, ARefusalIsFinalAndSaysWhy) {
  const auto refuse = [&](std::string_view code) {
    fake_.replies[kUrl] = {{403, "<ErrorResponse><Error><Code>" + std::string(code) +
                                     "</Code><Message>Not authorized</Message></Error></ErrorResponse>"}};
  };
  refuse("AccessDenied");
  expect_error(assume(), ErrorCode::kDenied, "status 403, AccessDenied: Not authorized");
  EXPECT_EQ(fake_.seen.size(), 1U);
  refuse("IDPCommunicationError");
  expect_error(assume(), ErrorCode::kUnavailable, "IDPCommunicationError");
  fake_.replies[kUrl] = {{404, "<html>no</html>"}};
  expect_error(assume(), ErrorCode::kDenied, "status 404");
}

TEST_F(WebIdentityTest, RefusesAnAnswerThatIsNotWhole) {
  for (const char* name : {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}) {
    std::string answer(kAnswer);
    for (std::size_t at = answer.find(name); at != std::string::npos; at = answer.find(name, at))
      answer.replace(at, std::string_view(name).size(), "X");
    fake_.replies[kUrl] = {{200, answer}};
    const Result<AwsCredentials> credentials = assume();
    ASSERT_FALSE(credentials.ok()) << name;
    EXPECT_EQ(credentials.error().code, ErrorCode::kUnavailable);
  }
  fake_.replies[kUrl] = {{200, "<AssumeRoleWithWebIdentityResponse/>"}};
  expect_error(assume(), ErrorCode::kUnavailable, "holds no credentials");
  fake_.replies[kUrl] = {{200, "ok"}};
  expect_error(assume(), ErrorCode::kUnavailable, "the answer of STS");
}

TEST_F(WebIdentityTest, WithoutATokenNothingIsAsked) {
  fake_.files["/token"] = " \n";
  expect_error(assume(), ErrorCode::kUsage, "'/token' is empty");
  fake_.files.clear();
  expect_error(assume(), ErrorCode::kUsage, "'/token'");
  fake_.files["/token"] = "hunter2";
  identity_.sts.region = "eu/x";
  expect_error(assume(), ErrorCode::kUsage, "region");
  EXPECT_TRUE(fake_.seen.empty());
}

}  // namespace
}  // namespace drs
