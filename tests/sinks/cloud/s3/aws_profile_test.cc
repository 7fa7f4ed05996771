#include "sinks/cloud/s3/aws_profile.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using test::expect_error;

class AwsProfileTest : public ::testing::Test {
 protected:
  AwsProfileTest() { fake_.variables["HOME"] = "/home/a"; }
  Result<AwsProfile> load() { return AwsProfile::load(fake_.environment()); }
  AwsProfile loaded() {
    Result<AwsProfile> profile = load();
    EXPECT_TRUE(profile.ok()) << (profile.ok() ? "" : profile.error().message);
    return *std::move(profile);
  }
  std::string& config() { return fake_.files["/home/a/.aws/config"]; }
  std::string& credentials() { return fake_.files["/home/a/.aws/credentials"]; }

  test::FakeEnvironment fake_;
};

TEST_F(AwsProfileTest, IsTheDefaultOneUnlessAVariableNamesAnother) {
  config() = "[default]\nregion=one\n[profile b]\nregion=two\n[profile c]\nregion=three\n";
  EXPECT_EQ(loaded().setting("region"), "one");
  EXPECT_FALSE(loaded().named());
  fake_.variables["AWS_DEFAULT_PROFILE"] = "b";
  EXPECT_EQ(loaded().setting("region"), "two");
  fake_.variables["AWS_PROFILE"] = "c";
  EXPECT_EQ(loaded().setting("region"), "three");
  EXPECT_TRUE(loaded().named());
}

TEST_F(AwsProfileTest, TheCredentialsFileGoesBeforeTheConfigFileSettingBySetting) {
  config() = "[profile b]\nregion=one\noutput=json\n";
  credentials() = "[b]\nregion=two\n";
  fake_.variables["AWS_PROFILE"] = "b";
  EXPECT_EQ(loaded().setting("region"), "two");
  EXPECT_EQ(loaded().setting("output"), "json");
  EXPECT_EQ(loaded().setting("OUTPUT"), "json");
  EXPECT_EQ(loaded().setting("absent"), std::nullopt);
}

TEST_F(AwsProfileTest, EachFileHasItsOwnNamesForSections) {
  config() = "[b]\nregion=no profile in the config file\n";
  credentials() = "[profile b]\nregion=no profile in the credentials file\n";
  fake_.variables["AWS_PROFILE"] = "b";
  EXPECT_FALSE(loaded().exists());
  EXPECT_EQ(loaded().setting("region"), std::nullopt);
  credentials() = "[b]\n";
  EXPECT_TRUE(loaded().exists());
}

TEST_F(AwsProfileTest, QuotesAroundANameAreNoPartOfIt) {
  config() = "[profile \"my backups\"]\nregion=one\n";
  fake_.variables["AWS_PROFILE"] = "my backups";
  EXPECT_EQ(loaded().setting("region"), "one");
}

TEST_F(AwsProfileTest, ProfileDefaultGoesBeforeDefault) {
  config() = "[profile default]\nregion=one\n[default]\nregion=two\noutput=json\n";
  EXPECT_EQ(loaded().setting("region"), "one");
  EXPECT_EQ(loaded().setting("output"), std::nullopt);
}

TEST_F(AwsProfileTest, ALaterSettingAndALaterSectionWin) {
  config() = "[default]\nregion=one\nregion=two\n[profile x]\n[default]\nregion=three\n";
  EXPECT_EQ(loaded().setting("region"), "three");
}

TEST_F(AwsProfileTest, VariablesNameOtherFiles) {
  fake_.variables["AWS_CONFIG_FILE"] = "/etc/aws";
  fake_.variables["AWS_SHARED_CREDENTIALS_FILE"] = "~/secrets";
  fake_.files["/etc/aws"] = "[default]\nregion=one\n";
  fake_.files["/home/a/secrets"] = "[default]\naws_access_key_id=id\n";
  config() = "[default]\nregion=passed over\noutput=passed over\n";
  EXPECT_EQ(loaded().setting("region"), "one");
  EXPECT_EQ(loaded().setting("output"), std::nullopt);
  EXPECT_EQ(loaded().setting("aws_access_key_id"), "id");
}

TEST_F(AwsProfileTest, WithoutFilesOrAHomeThereIsNone) {
  EXPECT_FALSE(loaded().exists());
  EXPECT_EQ(loaded().description(),
            "profile 'default' (/home/a/.aws/config: not there; /home/a/.aws/credentials: not there)");
  fake_.variables.erase("HOME");
  fake_.files["~/.aws/config"] = "[default]\n";
  EXPECT_FALSE(loaded().exists());
  EXPECT_NE(loaded().description().find("HOME is not set"), std::string::npos);
}

TEST_F(AwsProfileTest, AnUnreadableFileIsAMistakeOnlyWhereItWasAskedFor) {
  fake_.unreadable_files.emplace("/home/a/.aws/config", Error(ErrorCode::kDenied, "no access", EACCES));
  EXPECT_FALSE(loaded().exists());
  EXPECT_NE(loaded().description().find("/home/a/.aws/config: cannot be read"), std::string::npos);
  fake_.variables["AWS_CONFIG_FILE"] = "/home/a/.aws/config";
  expect_error(load(), ErrorCode::kDenied, "no access");
}

TEST_F(AwsProfileTest, AFileThatCannotBeUnderstoodIsNamed) {
  credentials() = "[default]\nhunter2\n";
  expect_error(load(), ErrorCode::kUsage, "'/home/a/.aws/credentials': line 2 ");
}

TEST_F(AwsProfileTest, SettingsOfAServiceAreInASectionOfTheirOwn) {
  config() =
      "[default]\nservices = dev\n[services dev]\ns3 =\n  endpoint_url = http://s3\n"
      "[services other]\ns3=\n  endpoint_url = http://other\n";
  EXPECT_EQ(loaded().service_setting("S3", "endpoint_url"), "http://s3");
  EXPECT_EQ(loaded().service_setting("STS", "endpoint_url"), std::nullopt);
  config() = "[default]\nregion=x\n[services dev]\ns3 =\n  endpoint_url = http://s3\n";
  EXPECT_EQ(loaded().service_setting("S3", "endpoint_url"), std::nullopt);
}

TEST_F(AwsProfileTest, KeepsItsSettingsWhenItIsMoved) {
  config() = "[default]\nregion=one\n";
  AwsProfile first = loaded();
  const AwsProfile second = std::move(first);
  config().clear();
  EXPECT_EQ(second.setting("region"), "one");
}

}  // namespace
}  // namespace drs
