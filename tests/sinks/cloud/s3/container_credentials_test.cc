#include "sinks/cloud/s3/container_credentials.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

constexpr const char* kRelative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
constexpr const char* kFull = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
constexpr const char* kToken = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
constexpr const char* kTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

class ContainerCredentials : public ::testing::Test {
 protected:
  Result<CredentialsLookup> look() { return container_credentials(fake_.environment()); }

  const std::string kAnswer = R"({"RoleArn":"arn:x","AccessKeyId":"id","SecretAccessKey":"hunter2","Token":"token",)"
                              R"("Expiration":"2026-11-20T06:00:00Z"})";
  test::FakeEnvironment fake_;
};

TEST_F(ContainerCredentials, AreNothingWhereNoVariableIsSet) {
  const Result<CredentialsLookup> found = look();
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->credentials);
  EXPECT_NE(found->nothing_because.find(kRelative), std::string::npos);
  EXPECT_TRUE(fake_.seen.empty());
}

TEST_F(ContainerCredentials, OfEcsComeFromItsOwnAddress) {
  fake_.variables[kRelative] = "/v2/credentials/uuid?id=1";
  fake_.variables[kFull] = "http://localhost/passed/over";
  fake_.replies["GET http://169.254.170.2/v2/credentials/uuid?id=1"] = {{200, kAnswer}};
  const Result<CredentialsLookup> found = look();
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "id");
  EXPECT_EQ(text_of(found->credentials->secret_access_key), "hunter2");
  EXPECT_EQ(text_of(found->credentials->session_token), "token");
  EXPECT_TRUE(fake_.seen.at(0).bypass_proxy);
  EXPECT_EQ(fake_.seen.at(0).header("Authorization"), "absent");
}

TEST_F(ContainerCredentials, TheTokenGoesAlongAndThatOfTheFileWins) {
  fake_.variables[kFull] = "http://169.254.170.23/v1/credentials";
  fake_.replies["GET http://169.254.170.23/v1/credentials"] = {{200, kAnswer}};
  fake_.variables[kToken] = "Basic static";
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(fake_.seen.at(0).header("Authorization"), "Basic static");
  fake_.variables[kTokenFile] = "/var/token";
  fake_.files["/var/token"] = "first\n";
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(fake_.seen.at(1).header("Authorization"), "first");
  fake_.files["/var/token"] = "second";
  ASSERT_TRUE(look().ok());
  EXPECT_EQ(fake_.seen.at(2).header("Authorization"), "second");
}

TEST_F(ContainerCredentials, ATokenCannotAddAHeader) {
  fake_.variables[kFull] = "http://localhost/";
  fake_.variables[kToken] = "hunter2\r\nX-Other: y";
  expect_error(look(), ErrorCode::kUsage, kToken);
  fake_.variables[kTokenFile] = "/token";
  expect_error(look(), ErrorCode::kUsage, "/token");
  fake_.files["/token"] = "hunter2\nX-Other: y";
  expect_error(look(), ErrorCode::kUsage, kTokenFile);
  EXPECT_TRUE(fake_.seen.empty());
}

TEST_F(ContainerCredentials, PlainHttpIsSpokenOnlyWithThisMachineAndTheAddressesOfAws) {
  for (const std::string url :
       {"http://localhost:8080/c", "http://127.0.0.1/c", "http://127.8.9.10:1/c", "http://[::1]/c",
        "http://[0:0:0:0:0:0:0:1]/c", "http://169.254.170.2/c", "http://169.254.170.23/c", "http://[fd00:ec2::23]/c",
        "http://localhost?c", "https://any.example/c"}) {
    fake_.variables[kFull] = url;
    fake_.replies["GET " + url] = {{200, kAnswer}};
    const Result<CredentialsLookup> found = look();
    EXPECT_TRUE(found.ok() && found->credentials) << url;
  }
  fake_.seen.clear();
  for (const std::string url : {"http://any.example/c", "http://169.254.169.254/c", "http://127.0.0.1.any.example/c",
                                "http://localhost.example/c", "http://[::2]/c", "http://[fd00:ec2::254]/c",
                                "http://126.0.0.1/c", "http://127.1/c"}) {
    fake_.variables[kFull] = url;
    expect_error(look(), ErrorCode::kUsage, "use https");
  }
  for (const std::string url : {"localhost/c", "ftp://localhost/c", "http://localhost@any.example/c", "http:///c",
                                "http://localhost\\@any.example/c", "http://localhost/a b"}) {
    fake_.variables[kFull] = url;
    expect_error(look(), ErrorCode::kUsage, "is no URL");
  }
  fake_.variables[kRelative] = "@any.example/c";
  expect_error(look(), ErrorCode::kUsage, kRelative);
  EXPECT_TRUE(fake_.seen.empty());
}

TEST_F(ContainerCredentials, ARefusalIsFinalAndATroubledEndpointIsAskedAgain) {
  fake_.variables[kFull] = "http://localhost/c";
  auto& replies = fake_.replies["GET http://localhost/c"];
  replies = {{403, R"({"code":"AccessDenied","message":"no association"})"}};
  expect_error(look(), ErrorCode::kDenied, "status 403: it answered AccessDenied: no association");
  EXPECT_EQ(fake_.seen.size(), 1U);
  replies = {{500, "oops"}, {429, ""}, {200, kAnswer}};
  EXPECT_TRUE(look().ok());
  EXPECT_EQ(fake_.seen.size(), 4U);
  replies = {{500, "oops"}};
  expect_error(look(), ErrorCode::kUnavailable, "status 500");
  replies = {{200, "{}"}};
  expect_error(look(), ErrorCode::kUnavailable, "AccessKeyId");
  fake_.replies.clear();
  expect_error(look(), ErrorCode::kUnavailable, "nobody answers");
}

}  // namespace
}  // namespace drs
