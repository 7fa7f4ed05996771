#include "sinks/s3/profile_credentials.h"

#include <gtest/gtest.h>

#include "tests/sinks/fake_surroundings.h"

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
    const Surroundings surroundings = fake_.surroundings();
    return profile_credentials(surroundings, *AwsProfile::load(surroundings), "eu-west-1");
  }

  test::FakeSurroundings fake_;
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

TEST_F(ProfileCredentials, KeysAreNotUsedWhereTheProfileMeansARoleThatCannotBeTaken) {
  const std::string keys = "aws_access_key_id = id\naws_secret_access_key = hunter2\n";
  expect_error(look(keys + "role_arn = arn:x\nsource_profile = other\n"), ErrorCode::kUsage, "export-credentials");
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
  fake_.failing_commands.emplace("/bin/fail", Error{ErrorCode::kIo, "'/bin/fail' exited with status 1"});
  expect_error(look("credential_process = /bin/fail\n"), ErrorCode::kUnavailable, "exited with status 1");
  Surroundings surroundings = fake_.surroundings();
  surroundings.run_command = nullptr;
  expect_error(profile_credentials(surroundings, *AwsProfile::load(surroundings), "eu-west-1"), ErrorCode::kUsage,
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
