#include "sinks/cloud/s3/instance_metadata.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

class InstanceMetadata : public ::testing::Test {
 protected:
  InstanceMetadata() {
    fake_.variables["HOME"] = "/home/a";
    serve("http://169.254.169.254");
  }
  void serve(const std::string& base) {
    fake_.replies["PUT " + base + "/latest/api/token"] = {{200, "session-token=="}};
    fake_.replies["GET " + base + kRoles] = {{200, "backup role\n"}};
    fake_.replies["GET " + base + kRoles + "backup%20role"] = {{200, kAnswer}};
    fake_.replies["GET " + base + "/latest/meta-data/placement/region"] = {{200, "eu-central-1"}};
  }
  Result<CredentialsLookup> look() {
    return instance_metadata_credentials(fake_.environment(), *AwsProfile::load(fake_.environment()));
  }
  Result<std::string> region() {
    return instance_metadata_region(fake_.environment(), *AwsProfile::load(fake_.environment()));
  }
  void expect_nothing(std::string_view because) {
    const Result<CredentialsLookup> found = look();
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_FALSE(found->credentials);
    EXPECT_NE(found->nothing_because.find(because), std::string::npos) << found->nothing_because;
  }

  const std::string kRoles = "/latest/meta-data/iam/security-credentials/";
  const std::string kTokenUrl = "PUT http://169.254.169.254/latest/api/token";
  const std::string kRolesUrl = "GET http://169.254.169.254" + kRoles;
  const std::string kAnswer = R"({"Code":"Success","AccessKeyId":"id","SecretAccessKey":"hunter2","Token":"token",)"
                              R"("Expiration":"2026-11-20T06:00:00Z"})";
  test::FakeEnvironment fake_;
};

TEST_F(InstanceMetadata, GivesTheCredentialsOfTheRoleForASessionToken) {
  const Result<CredentialsLookup> found = look();
  ASSERT_TRUE(found.ok()) << found.error().message;
  ASSERT_TRUE(found->credentials);
  EXPECT_EQ(found->credentials->access_key_id, "id");
  EXPECT_EQ(text_of(found->credentials->secret_access_key), "hunter2");
  ASSERT_EQ(fake_.seen.size(), 3U);
  EXPECT_EQ(fake_.seen[0].method_and_url, kTokenUrl);
  EXPECT_EQ(fake_.seen[0].header("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  for (std::size_t i : {1U, 2U}) EXPECT_EQ(fake_.seen[i].header("x-aws-ec2-metadata-token"), "session-token==");
  for (const test::SeenRequest& request : fake_.seen) EXPECT_TRUE(request.bypass_proxy);
}

TEST_F(InstanceMetadata, GivesTheRegion) {
  EXPECT_EQ(*region(), "eu-central-1");
  fake_.replies["GET http://169.254.169.254/latest/meta-data/placement/region"] = {{200, "evil.example/"}};
  expect_error(region(), ErrorCode::kUnavailable, "not a region");
  fake_.replies["GET http://169.254.169.254/latest/meta-data/placement/region"] = {{404, ""}};
  expect_error(region(), ErrorCode::kDenied, "status 404");
  fake_.replies.clear();
  expect_error(region(), ErrorCode::kUnavailable, "nobody answers");
}

TEST_F(InstanceMetadata, IsNothingWhereItIsDisabledOrAbsent) {
  fake_.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  expect_nothing("AWS_EC2_METADATA_DISABLED is true");
  EXPECT_TRUE(fake_.seen.empty());
  fake_.variables["AWS_EC2_METADATA_DISABLED"] = "false";
  fake_.replies.clear();
  expect_nothing("no token from http://169.254.169.254: nobody answers");
  EXPECT_EQ(fake_.seen.size(), 1U);  // outside EC2 the wait is short
}

TEST_F(InstanceMetadata, IsNothingWhereTheInstanceHasNoRole) {
  fake_.replies[kRolesUrl] = {{404, "<html/>"}};
  expect_nothing("no role");
  fake_.replies[kRolesUrl] = {{200, ""}};
  expect_nothing("no role");
}

TEST_F(InstanceMetadata, IsNotAskedWithoutAToken) {
  for (const int status : {403, 404, 405}) {
    fake_.replies[kTokenUrl] = {{status, ""}};
    expect_error(look(), ErrorCode::kDenied, "status " + std::to_string(status));
  }
  fake_.replies[kTokenUrl] = {{200, "to\r\nken"}};
  expect_nothing("no token");
  EXPECT_EQ(fake_.seen_count(kRolesUrl), 0U);
}

TEST_F(InstanceMetadata, AnAnswerThatFailsIsAnError) {
  fake_.replies[kRolesUrl] = {{401, ""}};
  expect_error(look(), ErrorCode::kDenied, "the role with status 401");
  fake_.replies[kRolesUrl] = {{500, ""}, {200, "backup role"}};
  EXPECT_TRUE(look()->credentials.has_value());
  const std::string url = kRolesUrl + "backup%20role";
  fake_.replies[url] = {{503, ""}};
  expect_error(look(), ErrorCode::kUnavailable, "the credentials with status 503");
  fake_.replies[url] = {{200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"no trust"})"}};
  expect_error(look(), ErrorCode::kUnavailable, "AssumeRoleUnauthorizedAccess: no trust");
}

TEST_F(InstanceMetadata, IsAskedWhereTheSettingsSay) {
  const auto served_at = [&](const std::string& base) {
    fake_.replies.clear();
    serve(base);
    const Result<CredentialsLookup> found = look();
    return found.ok() && found->credentials;
  };
  std::string& config = fake_.files["/home/a/.aws/config"];
  config = "[default]\nec2_metadata_service_endpoint_mode = IPv6\n";
  EXPECT_TRUE(served_at("http://[fd00:ec2::254]"));
  fake_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "ipv4";
  EXPECT_TRUE(served_at("http://169.254.169.254"));
  config += "ec2_metadata_service_endpoint = http://profile:1/\n";
  EXPECT_TRUE(served_at("http://profile:1"));
  fake_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://variable:2";
  EXPECT_TRUE(served_at("http://variable:2"));
  fake_.variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "variable";
  expect_error(look(), ErrorCode::kUsage, "instance metadata");
}

}  // namespace
}  // namespace drs
