#include "sinks/cloud/s3/aws_endpoint.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

TEST(AwsEndpoint, ARegionDecidesTheDomain) {
  EXPECT_EQ(aws_domain("eu-central-1"), "amazonaws.com");
  EXPECT_EQ(aws_domain("us-gov-west-1"), "amazonaws.com");
  EXPECT_EQ(aws_domain("cn-north-1"), "amazonaws.com.cn");
  EXPECT_EQ(aws_domain("us-iso-east-1"), "c2s.ic.gov");
  EXPECT_EQ(aws_domain("us-isob-east-1"), "sc2s.sgov.gov");
  EXPECT_EQ(aws_domain("eusc-de-east-1"), "amazonaws.eu");
}

TEST(AwsEndpoint, ARegionCannotSmuggleAHostName) {
  EXPECT_TRUE(check_aws_region("us-east-1").ok());
  for (const std::string& region :
       {std::string(), std::string("us-east-1.evil.example/"), std::string("US-EAST-1"), std::string("us_east"),
        std::string("-a"), std::string("a-"), std::string(64, 'a')}) {
    const Result<void> result = check_aws_region(region);
    ASSERT_FALSE(result.ok()) << region;
    EXPECT_EQ(result.error().code, ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace drs
