#include "sinks/cloud/s3/profile_credentials.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;
using test::text_of;

class ProfileCredentials : public ::testing::Test {
 protected:
  ProfileCredentials() { fake_.variables["HOME"] = "/home/a"; }
  Result<CredentialsLookup> look(std::string settings) {
    fake_.files["/home/a/.aws/config"] = "[default]\n" + std::move(settings);
    return look();
  }
  Result<CredentialsLookup> look() {
    const Environment environment = fake_.environment();
    return profile_credentials(environment, *AwsProfile::load(environment), "eu-west-1");
  }

  test::FakeEnvironment fake_;
};

TEST_F(ProfileCredentials, AreItsKeys) {
  const Result<CredentialsLookup> found =
      look("aws_access_key_id = id\naws_secret_access_key = hunter2\naws_session_token = token\n");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "id");
  EXPECT_EQ(text_of(found->credentials->secret_access_key), "hunter2");
  EXPECT_EQ(text_of(found->credentials->session_token), "token");
  EXPECT_EQ(found->credentials->expires_ns, std::nullopt);
}

TEST_F(ProfileCredentials, HalfAPairOfKeysIsAMistake) {
  expect_error(look("aws_access_key_id = id\n"), ErrorCode::kUsage, "aws_secret_access_key is not");
  expect_error(look("aws_secret_access_key = hunter2\n"), ErrorCode::kUsage, "aws_access_key_id is not");
  expect_error(look("aws_access_key_id = id\naws_secret_access_key = hunter2 x\n"), ErrorCode::kUsage,
               "secret access key holds");
}

TEST_F(ProfileCredentials, OfARoleAreThoseOfTheWebIdentity) {
  fake_.files["/token"] = "jwt";
  fake_.replies["POST https://sts.eu-west-1.amazonaws.com/"] = {
      {200,
       "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>of-role"
       "</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey><SessionToken>t</SessionToken>"
       "<Expiration>2026-11-20T01:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
       "</AssumeRoleWithWebIdentityResponse>"}};
  const std::string keys = "aws_access_key_id = id\naws_secret_access_key = hunter2\n";
  const Result<CredentialsLookup> found =
      look(keys + "web_identity_token_file = /token\nrole_arn = arn:x\nrole_session_name = night\n");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "of-role");
  EXPECT_NE(fake_.seen.at(0).body.find("RoleArn=arn%3Ax&RoleSessionName=night"), std::string::npos);
  expect_error(look("web_identity_token_file = /token\n"), ErrorCode::kUsage, "role_arn is not");
}

std::string assumed(const std::string& id) {
  return "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" + id +
         "</AccessKeyId><SecretAccessKey>hunter2</SecretAccessKey><SessionToken>token-of-" + id +
         "</SessionToken><Expiration>2026-11-20T01:00:00Z</Expiration></Credentials></AssumeRoleResult>"
         "</AssumeRoleResponse>";
}
constexpr const char* kSts = "POST https://sts.eu-west-1.amazonaws.com/";
constexpr const char* kKeysOfBase = "[profile base]\naws_access_key_id = of-base\naws_secret_access_key = hunter2\n";

TEST_F(ProfileCredentials, OfARoleAreSignedForByTheSourceProfile) {
  fake_.replies[kSts] = {{200, assumed("of-role")}};
  const Result<CredentialsLookup> found = look(
      "role_arn = arn:x\nsource_profile = base\nrole_session_name = night\nexternal_id = a/b\n"
      "duration_seconds = 7200\n" +
      std::string(kKeysOfBase));
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "of-role");
  EXPECT_EQ(found->credentials->expires_ns, parse_iso_time("2026-11-20T01:00:00Z"));
  EXPECT_EQ(fake_.seen.at(0).body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Ax&RoleSessionName=night&ExternalId=a%2Fb"
            "&DurationSeconds=7200");
  const std::string signature = fake_.seen[0].header("Authorization");
  EXPECT_NE(signature.find("Credential=of-base/20261120/eu-west-1/sts/aws4_request"), std::string::npos) << signature;
  EXPECT_NE(signature.find("SignedHeaders=content-type;host;x-amz-date"), std::string::npos) << signature;
}

TEST_F(ProfileCredentials, RolesAreAssumedOneThroughTheOther) {
  fake_.replies[kSts] = {{200, assumed("of-inner")}, {200, assumed("of-outer")}};
  const Result<CredentialsLookup> found = look(
      "role_arn = arn:outer\nsource_profile = inner\n[profile inner]\nrole_arn = arn:inner\n"
      "source_profile = base\n" +
      std::string(kKeysOfBase));
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "of-outer");
  ASSERT_EQ(fake_.seen.size(), 2U);
  EXPECT_NE(fake_.seen[0].body.find("RoleArn=arn%3Ainner&"), std::string::npos);
  EXPECT_NE(fake_.seen[1].body.find("RoleArn=arn%3Aouter&"), std::string::npos);
  EXPECT_EQ(fake_.seen[1].header("x-amz-security-token"), "token-of-of-inner");
}

TEST_F(ProfileCredentials, AProfileMayBeItsOwnSourceByItsKeys) {
  fake_.replies[kSts] = {{200, assumed("of-role")}};
  const std::string itself = "role_arn = arn:x\nsource_profile = default\n";
  expect_error(look(itself), ErrorCode::kUsage, "lead in a circle");
  const Result<CredentialsLookup> found = look(itself + "aws_access_key_id = id\naws_secret_access_key = hunter2\n");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "of-role");
}

TEST_F(ProfileCredentials, KeysOfASourceProfileComeBeforeItsRole) {
  fake_.replies[kSts] = {{200, assumed("of-role")}};
  ASSERT_TRUE(look("role_arn = arn:x\nsource_profile = base\n" + std::string(kKeysOfBase) +
                   "role_arn = arn:other\nsource_profile = default\n")
                  .ok());
  ASSERT_EQ(fake_.seen.size(), 1U);
  EXPECT_NE(fake_.seen[0].header("Authorization").find("Credential=of-base/"), std::string::npos);
}

TEST_F(ProfileCredentials, ChainsOfSourceProfilesAreBoundedAndCirclesRefused) {
  expect_error(look("role_arn = arn:x\nsource_profile = a\n[profile a]\nrole_arn = arn:a\nsource_profile = default\n"),
               ErrorCode::kUsage, "source_profile 'a': source_profile 'default': the profiles lead in a circle");
  std::string chain = "role_arn = arn:x\nsource_profile = p1\n";
  for (std::size_t i = 1; i <= kProfilesInARowMax; ++i)
    chain +=
        "[profile p" + std::to_string(i) + "]\nrole_arn = arn:x\nsource_profile = p" + std::to_string(i + 1) + "\n";
  expect_error(look(chain), ErrorCode::kUsage, "more than 8 profiles lead to each other");
  EXPECT_TRUE(fake_.seen.empty());
}

TEST_F(ProfileCredentials, OfARoleMayBeSignedForByThePlaceThatIsNamed) {
  const auto signer = [&](const std::string& source) {
    fake_.replies[kSts] = {{200, assumed("of-role")}};
    const Result<CredentialsLookup> found = look("role_arn = arn:x\ncredential_source = " + source + "\n");
    if (!found.ok()) return found.error().message;
    const std::string signature = fake_.seen.back().header("Authorization");
    return signature.substr(0, signature.find('/'));
  };
  const std::string document = R"("SecretAccessKey":"hunter2","Token":"t","Expiration":"2026-11-20T06:00:00Z"})";
  EXPECT_EQ(signer("Environment"),
            "credential_source Environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  fake_.variables["AWS_ACCESS_KEY_ID"] = "of-environment";
  fake_.variables["AWS_SECRET_ACCESS_KEY"] = "hunter2";
  EXPECT_EQ(signer("Environment"), "AWS4-HMAC-SHA256 Credential=of-environment");
  fake_.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://localhost/c";
  fake_.replies["GET http://localhost/c"] = {{200, R"({"AccessKeyId":"of-container",)" + document}};
  EXPECT_EQ(signer("EcsContainer"), "AWS4-HMAC-SHA256 Credential=of-container");
  expect_error(look("role_arn = arn:x\ncredential_source = Ec2InstanceMetadata\n"), ErrorCode::kUnavailable,
               "credential_source Ec2InstanceMetadata: ");
  const std::string base = "http://169.254.169.254/latest/";
  fake_.replies["PUT " + base + "api/token"] = {{200, "token"}};
  fake_.replies["GET " + base + "meta-data/iam/security-credentials/"] = {{200, "role"}};
  fake_.replies["GET " + base + "meta-data/iam/security-credentials/role"] = {
      {200, R"({"Code":"Success","AccessKeyId":"of-instance",)" + document}};
  EXPECT_EQ(signer("Ec2InstanceMetadata"), "AWS4-HMAC-SHA256 Credential=of-instance");
  expect_error(look("role_arn = arn:x\ncredential_source = Moon\n"), ErrorCode::kUsage, "are known");
}

TEST_F(ProfileCredentials, ARoleThatIsRefusedNamesItselfAndNoSecret) {
  fake_.replies[kSts] = {
      {403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"}};
  expect_error(look("role_arn = arn:x\nsource_profile = base\n" + std::string(kKeysOfBase)), ErrorCode::kDenied,
               "role arn:x: STS answered with status 403");
}

TEST_F(ProfileCredentials, SettingsOfARoleThatContradictEachOtherAreRefused) {
  const std::string role = "role_arn = arn:x\n";
  const std::string source = role + "source_profile = base\n";
  expect_error(look(role), ErrorCode::kUsage, "none of web_identity_token_file, source_profile and credential_source");
  expect_error(look(source + "credential_source = Environment\n"), ErrorCode::kUsage, "set one");
  expect_error(look(source), ErrorCode::kUsage, "source_profile 'base': there is no such profile");
  for (const char* duration : {"899", "43201", "1h", "-1"})
    expect_error(look(source + "duration_seconds = " + duration + "\n"), ErrorCode::kUsage, "from 900 to 43200");
}

TEST_F(ProfileCredentials, KeysAreNotUsedWhereTheProfileMeansAnotherIdentity) {
  const std::string keys = "aws_access_key_id = id\naws_secret_access_key = hunter2\n";
  expect_error(look(keys + "role_arn = arn:x\nsource_profile = default\nmfa_serial = arn:m\n"), ErrorCode::kUsage,
               "mfa_serial is not supported");
  expect_error(look("sso_session = s\nsso_account_id = 1\n"), ErrorCode::kUsage, "sso_session is not supported");
}

TEST_F(ProfileCredentials, AreWhatTheProcessPrints) {
  fake_.commands["/bin/give --role x"] =
      R"({"Version":1,"AccessKeyId":"id","SecretAccessKey":"hunter2","Expiration":"2026-11-20T01:00:00Z"})";
  const Result<CredentialsLookup> found = look("credential_process = /bin/give --role x\n");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->credentials->access_key_id, "id");
  EXPECT_EQ(found->credentials->expires_ns, parse_iso_time("2026-11-20T01:00:00Z"));
  fake_.commands["/bin/give --role x"] = "hunter2";
  expect_error(look(), ErrorCode::kUnavailable, "credential_process: the answer is no JSON object");
  expect_error(look("credential_process = /bin/absent\n"), ErrorCode::kUsage, "cannot run '/bin/absent'");
  fake_.failing_commands.emplace("/bin/fail", Error(ErrorCode::kIo, "'/bin/fail' exited with status 1"));
  expect_error(look("credential_process = /bin/fail\n"), ErrorCode::kUnavailable, "exited with status 1");
  fake_.failing_commands.emplace("/bin/hang", Error(ErrorCode::kCancelled, "asked to stop"));
  expect_error(look("credential_process = /bin/hang\n"), ErrorCode::kCancelled, "asked to stop");
  Environment environment = fake_.environment();
  environment.run_command = nullptr;
  expect_error(profile_credentials(environment, *AwsProfile::load(environment), "eu-west-1"), ErrorCode::kUsage,
               "not supported here");
}

TEST_F(ProfileCredentials, OfAnAbsentProfileAreAMistakeOnlyWhereItIsNamed) {
  const Result<CredentialsLookup> found = look();
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->nothing_because, "there is no such profile");
  fake_.variables["AWS_PROFILE"] = "backup";
  expect_error(look(), ErrorCode::kUsage, "there is no such profile");
}

TEST_F(ProfileCredentials, AreNothingWhereTheProfileIsAboutOtherThings) {
  const Result<CredentialsLookup> found = look("region = eu-west-1\n");
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->credentials);
  EXPECT_NE(found->nothing_because.find("neither keys"), std::string::npos);
}

}  // namespace
}  // namespace drs
