#include "sinks/cloud/s3/s3_address.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

BucketLocation location(std::string_view url) {
  Result<BucketLocation> parsed = parse_s3_location(url);
  EXPECT_TRUE(parsed.ok()) << url;
  return parsed.ok() ? *std::move(parsed) : BucketLocation{};
}

S3Address address(std::string_view url, const S3AddressOptions& options) {
  Result<S3Address> made = S3Address::make(location(url), options);
  EXPECT_TRUE(made.ok()) << url << ": " << (made.ok() ? "" : made.error().message);
  return *std::move(made);
}

TEST(S3Location, IsABucketAndMaybeAPrefix) {
  for (const char* url : {"s3://my-bucket", "s3://my-bucket/"}) {
    EXPECT_EQ(location(url).bucket, "my-bucket");
    EXPECT_EQ(location(url).prefix, "");
  }
  for (const char* url : {"s3://my.bucket/a/B c", "s3://my.bucket/a/B c/"}) {
    EXPECT_EQ(location(url).bucket, "my.bucket");
    EXPECT_EQ(location(url).prefix, "a/B c/");
  }
  EXPECT_EQ(location("s3://abc/50%25").prefix, "50%25/");
}

TEST(S3Location, RefusesWhatIsNoneAndSaysWhatIsAccepted) {
  const std::string long_bucket = "s3://" + std::string(64, 'a');
  const std::string long_prefix = "s3://bucket/" + std::string(kBucketPrefixBytesMax, 'a');
  for (const std::string& url : {std::string(""),
                                 std::string("bucket"),
                                 std::string("S3://bucket"),
                                 std::string("s3:/bucket"),
                                 std::string("s3://"),
                                 std::string("s3:///prefix"),
                                 std::string("s3://ab"),
                                 long_bucket,
                                 std::string("s3://Bucket"),
                                 std::string("s3://bu_cket"),
                                 std::string("s3://-bucket"),
                                 std::string("s3://bucket-"),
                                 std::string("s3://bu..cket"),
                                 std::string("s3://192.168.5.4"),
                                 std::string("s3://bucket?region=x"),
                                 std::string("s3://bucket//a"),
                                 std::string("s3://bucket/a//b"),
                                 std::string("s3://bucket/a//"),
                                 std::string("s3://bucket/./a"),
                                 std::string("s3://bucket/a/.."),
                                 std::string("s3://bucket/a?b"),
                                 std::string("s3://bucket/a#b"),
                                 std::string("s3://bucket/a\nb"),
                                 long_prefix}) {
    const Result<BucketLocation> parsed = parse_s3_location(url);
    ASSERT_FALSE(parsed.ok()) << url;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
    EXPECT_NE(parsed.error().message.find("s3://bucket or s3://bucket/prefix"), std::string::npos);
  }
}

TEST(S3Location, APrefixIsUtf8) {
  EXPECT_EQ(location("s3://abc/\u00FC\u20AC\U0001F4BE").prefix, "\u00FC\u20AC\U0001F4BE/");
  for (const char* bad : {"\x80", "\xC3", "\xC3(", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\xAF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82", "\xE2\x82/"}) {
    const Result<BucketLocation> parsed = parse_s3_location(std::string("s3://abc/") + bad);
    ASSERT_FALSE(parsed.ok());
    EXPECT_NE(parsed.error().message.find("not UTF-8"), std::string::npos);
  }
}

TEST(S3Location, TakesNamesAndPrefixesAsLongAsAllowed) {
  EXPECT_TRUE(parse_s3_location("s3://" + std::string(63, 'a')).ok());
  EXPECT_TRUE(parse_s3_location("s3://abc/" + std::string(kBucketPrefixBytesMax - 1, 'a')).ok());
}

TEST(S3Address, OfAwsIsVirtualHostedInTheRegion) {
  const S3Address bucket = address("s3://my-bucket/pre fix", {.region = "eu-central-1", .endpoint = "", .style = {}});
  EXPECT_EQ(bucket.style(), S3Style::kVirtualHosted);
  EXPECT_EQ(bucket.host(), "my-bucket.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(bucket.bucket_path(), "/");
  EXPECT_EQ(bucket.object_path("packs/3f/a$b"), "/pre%20fix/packs/3f/a%24b");
  EXPECT_EQ(bucket.url(bucket.bucket_path(), "list-type=2"),
            "https://my-bucket.s3.eu-central-1.amazonaws.com/?list-type=2");
  EXPECT_EQ(bucket.url(bucket.object_path("a")), "https://my-bucket.s3.eu-central-1.amazonaws.com/pre%20fix/a");
  EXPECT_EQ(address("s3://abc", {.region = "cn-north-1", .endpoint = "", .style = {}}).host(),
            "abc.s3.cn-north-1.amazonaws.com.cn");
}

TEST(S3Address, OfABucketWithDotsKeepsWithinTheCertificate) {
  const S3Address over_tls = address("s3://my.bucket", {.region = "us-east-1", .endpoint = "", .style = {}});
  EXPECT_EQ(over_tls.style(), S3Style::kPath);
  EXPECT_EQ(over_tls.url(over_tls.object_path("a")), "https://s3.us-east-1.amazonaws.com/my.bucket/a");
  EXPECT_EQ(
      address("s3://my.bucket", {.region = "us-east-1", .endpoint = "http://s3.us-east-1.amazonaws.com", .style = {}})
          .host(),
      "my.bucket.s3.us-east-1.amazonaws.com");
}

TEST(S3Address, OfACustomEndpointIsPathStyle) {
  const S3Address minio =
      address("s3://my-bucket/p", {.region = "us-east-1", .endpoint = "http://localhost:9000/s3/", .style = {}});
  EXPECT_EQ(minio.style(), S3Style::kPath);
  EXPECT_FALSE(minio.https());
  EXPECT_EQ(minio.host(), "localhost:9000");
  EXPECT_EQ(minio.bucket_path(), "/s3/my-bucket");
  EXPECT_EQ(minio.url(minio.bucket_path(), "a=1"), "http://localhost:9000/s3/my-bucket?a=1");
  EXPECT_EQ(minio.object_path("config/1"), "/s3/my-bucket/p/config/1");
}

TEST(S3Address, OfAnEndpointThatIsAwsStaysVirtualHosted) {
  const S3Address dual =
      address("s3://my-bucket",
              {.region = "us-east-1", .endpoint = "https://s3.dualstack.us-east-1.amazonaws.com", .style = {}});
  EXPECT_EQ(dual.host(), "my-bucket.s3.dualstack.us-east-1.amazonaws.com");
  // A host that only resembles one of AWS.
  EXPECT_EQ(
      address("s3://my-bucket", {.region = "us-east-1", .endpoint = "https://evilamazonaws.com", .style = {}}).style(),
      S3Style::kPath);
}

TEST(S3Address, ARedirectStaysWithinTheEndpointsDomainAndTls) {
  const auto may = [](const std::string& endpoint, const std::string& to) {
    const S3Address from = address("s3://my-bucket", {.region = "us-east-1", .endpoint = endpoint, .style = {}});
    return from.may_redirect_to(*endpoint_of_url(to));
  };
  // AWS: the hosts of S3 in any region, but not those of customers.
  EXPECT_TRUE(may("", "https://my-bucket.s3.eu-west-1.amazonaws.com/key"));
  EXPECT_TRUE(may("", "https://my-bucket.s3-eu-west-1.amazonaws.com"));
  EXPECT_TRUE(may("", "https://s3.dualstack.eu-west-1.amazonaws.com"));
  EXPECT_FALSE(may("", "http://my-bucket.s3.eu-west-1.amazonaws.com"));
  EXPECT_FALSE(may("", "https://my-bucket.s3.evil.example"));
  EXPECT_FALSE(may("", "https://s3-evil-1.us-east-1.elb.amazonaws.com"));
  EXPECT_FALSE(may("", "https://ec2-203-0-113-1.compute-1.amazonaws.com"));
  EXPECT_FALSE(may("", "https://other-bucket.s3.eu-west-1.amazonaws.com"));
  // Other stores: the host itself, and hosts below it.
  EXPECT_TRUE(may("http://s3.example:9000", "http://s3.example:9001/x"));
  EXPECT_TRUE(may("http://s3.example:9000", "https://node-7.s3.example"));
  EXPECT_FALSE(may("https://s3.example", "http://s3.example"));
  EXPECT_FALSE(may("https://s3.example", "https://evils3.example"));
  EXPECT_FALSE(may("https://s3.example", "https://example"));
  EXPECT_FALSE(may("http://10.0.0.1:9000", "http://1.10.0.0.1:9000"));
  EXPECT_FALSE(may("http://localhost:9000", "http://127.0.0.1:9000"));
}

TEST(S3Address, TheStyleThatIsAskedForWins) {
  EXPECT_EQ(address("s3://my-bucket", {.region = "us-east-1", .endpoint = "", .style = S3Style::kPath}).bucket_path(),
            "/my-bucket");
  const S3Address named =
      address("s3://my-bucket",
              {.region = "us-east-1", .endpoint = "https://s3.example:8443/x", .style = S3Style::kVirtualHosted});
  EXPECT_EQ(named.host(), "my-bucket.s3.example:8443");
  EXPECT_EQ(named.bucket_path(), "/x");
  EXPECT_EQ(named.object_path("a"), "/x/a");
}

TEST(S3Address, ABucketCannotStandBeforeAnIpAddress) {
  for (const char* endpoint : {"http://127.0.0.1:9000", "http://[::1]:9000"}) {
    const Result<S3Address> made = S3Address::make(
        location("s3://my-bucket"), {.region = "us-east-1", .endpoint = endpoint, .style = S3Style::kVirtualHosted});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, ErrorCode::kUsage);
    EXPECT_NE(made.error().message.find("path style"), std::string::npos);
  }
}

TEST(S3Address, RefusesABadRegionOrEndpoint) {
  EXPECT_EQ(S3Address::make(location("s3://abc"), {.region = "a/b", .endpoint = "", .style = {}}).error().code,
            ErrorCode::kUsage);
  EXPECT_EQ(
      S3Address::make(location("s3://abc"), {.region = "us-east-1", .endpoint = "minio", .style = {}}).error().code,
      ErrorCode::kUsage);
}

TEST(S3Address, KeysGoOutWithThePrefixAndComeBackWithoutIt) {
  const S3Address bucket = address("s3://my-bucket/a/b", {.region = "us-east-1", .endpoint = "", .style = {}});
  EXPECT_EQ(bucket.full_key("packs/1"), "a/b/packs/1");
  EXPECT_EQ(bucket.own_key("a/b/packs/1"), "packs/1");
  EXPECT_EQ(bucket.own_key("a/bc/packs/1"), std::nullopt);
  EXPECT_EQ(bucket.own_key("a/b"), std::nullopt);
  EXPECT_EQ(bucket.name_for_messages(), "s3://my-bucket/a/b");
  EXPECT_EQ(address("s3://my-bucket", {.region = "us-east-1", .endpoint = "", .style = {}}).name_for_messages(),
            "s3://my-bucket");
}

}  // namespace
}  // namespace drs
