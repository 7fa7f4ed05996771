#include "sinks/cloud/s3/s3_put_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drs {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kNowNs = 1'700'000'000'000'000'000;  // 2023-11-14T22:13:20Z

S3PutOptions everything() {
  S3PutOptions options;
  options.lock = S3Lock{S3Lock::Mode::kCompliance, std::chrono::days(16)};
  options.lock_prefixes = {"packs/", "index/"};
  options.storage_class = "GLACIER_IR";
  options.storage_class_prefixes = {"packs/"};
  options.tags = {{"team", "db"}, {"cost", "a b+c"}};
  options.encryption = "aws:kms";
  options.kms_key_id = "1234";
  return options;
}

TEST(S3PutOptions, SayNothingWhereNothingIsAsked) {
  EXPECT_THAT(put_headers({}, "packs/3f/3f", kNowNs), IsEmpty());
}

TEST(S3PutOptions, BecomeHeaders) {
  EXPECT_THAT(put_headers(everything(), "packs/3f/3f", kNowNs),
              UnorderedElementsAre(HttpHeader{"x-amz-object-lock-mode", "COMPLIANCE"},
                                   HttpHeader{"x-amz-object-lock-retain-until-date", "2023-12-02T22:13:20Z"},
                                   HttpHeader{"x-amz-storage-class", "GLACIER_IR"},
                                   HttpHeader{"x-amz-tagging", "cost=a%20b%2Bc&team=db"},
                                   HttpHeader{"x-amz-server-side-encryption", "aws:kms"},
                                   HttpHeader{"x-amz-server-side-encryption-aws-kms-key-id", "1234"}));
}

TEST(S3PutOptions, LockAndClassAreForSomeObjectsOnly) {
  const auto of = [](std::string_view key) {
    std::string names;
    for (const HttpHeader& header : put_headers(everything(), key, kNowNs)) names += header.name + " ";
    return names;
  };
  EXPECT_THAT(of("sessions/1"), ::testing::Not(HasSubstr("lock")));
  EXPECT_THAT(of("index/1"), HasSubstr("lock"));
  EXPECT_THAT(of("index/1"), ::testing::Not(HasSubstr("class")));
  EXPECT_FALSE(is_locked(everything(), "packsnot/1"));
}

TEST(S3PutOptions, KeepADayAtLeastInReserve) {
  EXPECT_EQ((S3Lock{S3Lock::Mode::kGovernance, std::chrono::days(1)}).slack(), std::chrono::days(1));
  EXPECT_EQ((S3Lock{S3Lock::Mode::kGovernance, std::chrono::days(80)}).slack(), std::chrono::days(10));
}

TEST(S3PutOptions, RefuseWhatS3WouldRefuseOrNobodyCouldRead) {
  EXPECT_TRUE(validate(everything()).ok());
  const auto refusal = [](auto change) {
    S3PutOptions options = everything();
    change(options);
    const auto checked = validate(options);
    return checked.ok() ? "" : checked.error().message;
  };
  EXPECT_THAT(refusal([](auto& o) { o.storage_class = "DEEP_ARCHIVE"; }),
              HasSubstr("cannot be read until they are restored"));
  EXPECT_THAT(refusal([](auto& o) { o.encryption = "AES256"; }), HasSubstr("--sse aws:kms"));
  EXPECT_THAT(refusal([](auto& o) { o.tags["a\nb"] = "c"; }), HasSubstr("S3 refuses the tag"));
  EXPECT_THAT(refusal([](auto& o) { o.tags["a"] = std::string(257, 'x'); }), HasSubstr("S3 refuses the tag"));
  EXPECT_THAT(refusal([](auto& o) {
                for (int i = 0; i < 10; ++i) o.tags["k" + std::to_string(i)] = "v";
              }),
              HasSubstr("at most 10"));
}

TEST(S3PutOptions, WriteARetention) {
  EXPECT_EQ(retention_body(S3Lock::Mode::kGovernance, kNowNs),
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>GOVERNANCE</Mode>"
            "<RetainUntilDate>2023-11-14T22:13:20Z</RetainUntilDate></Retention>");
}

}  // namespace
}  // namespace drs
