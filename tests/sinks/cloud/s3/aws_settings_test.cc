#include "sinks/cloud/s3/aws_settings.h"

#include <gtest/gtest.h>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

class AwsSettings : public ::testing::Test {
 protected:
  AwsSettings() { fake_.variables["HOME"] = "/home/a"; }
  std::string region(std::string_view explicit_region = {}, std::string_view instance_region = {}) {
    const Environment environment = fake_.environment();
    const Result<AwsProfile> profile = AwsProfile::load(environment);
    return resolve_aws_region(environment, *profile,
                              {.explicit_region = explicit_region, .instance_region = instance_region});
  }
  std::optional<std::string> endpoint(std::string_view service) {
    const Environment environment = fake_.environment();
    const Result<AwsProfile> profile = AwsProfile::load(environment);
    return configured_aws_endpoint(environment, *profile, service);
  }
  test::FakeEnvironment fake_;
};

TEST_F(AwsSettings, TheRegionIsTheFirstThatIsSetInAwsOrder) {
  EXPECT_EQ(region(), "us-east-1");
  EXPECT_EQ(region({}, "of-instance"), "of-instance");
  fake_.files["/home/a/.aws/config"] = "[default]\nregion = of-profile\n";
  EXPECT_EQ(region({}, "of-instance"), "of-profile");
  fake_.variables["AWS_DEFAULT_REGION"] = "of-default-variable";
  EXPECT_EQ(region({}, "of-instance"), "of-default-variable");
  fake_.variables["AWS_REGION"] = "of-variable";
  EXPECT_EQ(region({}, "of-instance"), "of-variable");
  EXPECT_EQ(region("explicit", "of-instance"), "explicit");
  fake_.variables["AWS_REGION"] = "";
  EXPECT_EQ(region(), "of-default-variable");
}

TEST_F(AwsSettings, TheEndpointIsTheFirstThatIsSetInAwsOrder) {
  EXPECT_EQ(endpoint("S3"), std::nullopt);
  std::string& config = fake_.files["/home/a/.aws/config"];
  config = "[default]\nendpoint_url = http://profile\n";
  EXPECT_EQ(endpoint("S3"), "http://profile");
  config += "services = s\n[services s]\ns3 =\n  endpoint_url = http://service\n";
  EXPECT_EQ(endpoint("S3"), "http://service");
  EXPECT_EQ(endpoint("STS"), "http://profile");
  fake_.variables["AWS_ENDPOINT_URL"] = "http://variable";
  EXPECT_EQ(endpoint("S3"), "http://variable");
  fake_.variables["AWS_ENDPOINT_URL_S3"] = "http://variable-of-s3";
  EXPECT_EQ(endpoint("S3"), "http://variable-of-s3");
  EXPECT_EQ(endpoint("STS"), "http://variable");
}

TEST_F(AwsSettings, EndpointsThatAreSetCanBeIgnored) {
  fake_.variables["AWS_ENDPOINT_URL"] = "http://variable";
  fake_.files["/home/a/.aws/config"] = "[default]\nignore_configured_endpoint_urls = true\n";
  EXPECT_EQ(endpoint("S3"), std::nullopt);
  fake_.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false";
  EXPECT_EQ(endpoint("S3"), "http://variable");
  fake_.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  EXPECT_EQ(endpoint("S3"), std::nullopt);
}

TEST(AwsCaFile, IsWhatIsGivenElseTheVariablesElseTheProfiles) {
  test::FakeEnvironment fake;
  fake.variables["HOME"] = "/home/a";
  const auto file = [&](std::string_view given = {}) {
    const Environment environment = fake.environment();
    return resolve_aws_ca_file(environment, *AwsProfile::load(environment), given);
  };
  EXPECT_EQ(file(), "");
  fake.files["/home/a/.aws/config"] = "[default]\nca_bundle = /of/profile\n";
  EXPECT_EQ(file(), "/of/profile");
  fake.variables["AWS_CA_BUNDLE"] = "/of/variable";
  EXPECT_EQ(file(), "/of/variable");
  EXPECT_EQ(file("/given"), "/given");
}

}  // namespace
}  // namespace drs
