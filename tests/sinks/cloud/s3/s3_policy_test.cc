#include "sinks/cloud/s3/s3_policy.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

const S3PolicyNeeds kNeeds{{"packs/", "sessions/"}, {"packs/"}, {}};

TEST(S3Policy, AllowsTheNeedsAndNothingElse) {
  EXPECT_EQ(s3_policy({"bucket", "a/b/"}, kNeeds, {}), Json::parse(R"({
    "Version": "2012-10-17",
    "Statement": [
      {"Sid": "ListRepository", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::bucket",
       "Condition": {"StringLike": {"s3:prefix": "a/b/*"}}},
      {"Sid": "SeeSettings", "Effect": "Allow",
       "Action": ["s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration"], "Resource": "arn:aws:s3:::bucket"},
      {"Sid": "ReadObjects", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::bucket/a/b/*"},
      {"Sid": "CreateObjects", "Effect": "Allow", "Action": ["s3:PutObject"],
       "Resource": ["arn:aws:s3:::bucket/a/b/packs/*", "arn:aws:s3:::bucket/a/b/sessions/*"]}
    ]})"));
}

TEST(S3Policy, LocksForNoLongerThanDrstreamWould) {
  S3PolicyOptions options;
  options.put.lock = S3Lock{S3Lock::Mode::kGovernance, std::chrono::days(16)};
  const Json policy = s3_policy({"bucket", ""}, kNeeds, options);
  const Json& statements = policy["Statement"];
  EXPECT_EQ(statements[statements.size() - 2], Json::parse(R"({
    "Sid": "LockObjects", "Effect": "Allow", "Action": ["s3:PutObjectRetention"],
    "Resource": ["arn:aws:s3:::bucket/packs/*"],
    "Condition": {"StringEquals": {"s3:object-lock-mode": "GOVERNANCE"}}})"));
  EXPECT_EQ(statements.back(), Json::parse(R"({
    "Sid": "LockNoLonger", "Effect": "Deny", "Action": ["s3:PutObjectRetention"],
    "Resource": ["arn:aws:s3:::bucket/packs/*"],
    "Condition": {"NumericGreaterThan": {"s3:object-lock-remaining-retention-days": "19"}}})"));
}

TEST(S3Policy, AsksForWhatTheOptionsNeed) {
  S3PolicyOptions options;
  options.put.tags = {{"a", "b"}};
  options.put.encryption = "aws:kms";
  options.put.kms_key_id = "1234";
  options.region = "us-gov-west-1";
  const std::string text = s3_policy({"bucket", "$x*/"}, {{"packs/"}, {}, {"index/"}}, options).dump();
  EXPECT_NE(text.find("s3:PutObjectTagging"), std::string::npos);
  EXPECT_NE(text.find("\"arn:aws-us-gov:kms:*:*:key/1234\""), std::string::npos);
  EXPECT_NE(text.find("\"arn:aws-us-gov:s3:::bucket/${$}x${*}/packs/*\""), std::string::npos);
  EXPECT_NE(text.find(R"("s3:DeleteObject"],"Resource":["arn:aws-us-gov:s3:::bucket/${$}x${*}/index/*"])"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("Version\"]"), std::string::npos);  // no statement allows removal of a version
}

// As a resource, an alias means the alias itself, never its key.
TEST(S3Policy, AllowsAKeyThatIsKnownByItsAlias) {
  S3PolicyOptions options;
  for (const auto& [id, resource] :
       {std::pair("alias/mine", "arn:aws:kms:*:*:key/*"),
        std::pair("arn:aws:kms:eu-west-1:1234:alias/mine", "arn:aws:kms:eu-west-1:1234:key/*")}) {
    options.put.kms_key_id = id;
    const Json use = s3_policy({"bucket", ""}, kNeeds, options)["Statement"].back();
    EXPECT_EQ(use["Resource"], resource);
    EXPECT_EQ(use["Condition"], Json::parse(R"({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/mine"}})"));
  }
  options.put.kms_key_id = "arn:aws:kms:eu-west-1:1234:key/5678";
  const Json use = s3_policy({"bucket", ""}, kNeeds, options)["Statement"].back();
  EXPECT_EQ(use["Resource"], "arn:aws:kms:eu-west-1:1234:key/5678");
  EXPECT_FALSE(use.contains("Condition"));
}

}  // namespace
}  // namespace drs
