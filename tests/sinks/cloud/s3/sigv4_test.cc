#include "sinks/cloud/s3/sigv4.h"

#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "sinks/transport/iso_time.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

constexpr std::string_view kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

AwsCredentials credentials_of(std::string id, std::string_view secret, std::string_view token = {}) {
  AwsCredentials out;
  out.access_key_id = std::move(id);
  out.secret_access_key = SecretBytes::copy_of(as_bytes(secret));
  out.session_token = SecretBytes::copy_of(as_bytes(token));
  return out;
}

std::string value_of(const std::vector<HttpHeader>& headers, std::string_view name) {
  for (const HttpHeader& header : headers)
    if (header.name == name) return header.value;
  return "absent";
}

// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single
// Chunk", section "Examples: Signature Calculations".
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
class SigV4S3Examples : public ::testing::Test {
 protected:
  static constexpr std::string_view kHost = "examplebucket.s3.amazonaws.com";
  static constexpr std::string_view kScope = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

  SigV4Request request(std::string_view method, std::string_view path, std::vector<HttpHeader> headers,
                       std::string_view hash = kEmptyHash, std::string_view query = {}) const {
    headers.push_back({"Host", std::string(kHost)});
    return {method, path, query, std::move(headers), hash, *parse_iso_time("2013-05-24T00:00:00Z")};
  }
  std::string authorization(const SigV4Request& request) {
    return value_of(signer_.sign(credentials_, request), "Authorization");
  }
  static std::string expected(std::string_view names, std::string_view signature) {
    return "AWS4-HMAC-SHA256 Credential=" + std::string(kScope) + ", SignedHeaders=" + std::string(names) +
           ", Signature=" + std::string(signature);
  }

  AwsCredentials credentials_ = credentials_of("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  SigV4Signer signer_{{.region = "us-east-1", .service = "s3"}};
};

TEST_F(SigV4S3Examples, GetObjectWithRange) {
  EXPECT_EQ(authorization(request("GET", "/test.txt", {{"Range", "bytes=0-9"}})),
            expected("host;range;x-amz-content-sha256;x-amz-date",
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"));
}

TEST_F(SigV4S3Examples, PutObjectWithANameThatIsEncoded) {
  const std::string hash = sha256(as_bytes("Welcome to Amazon S3.")).hex();
  ASSERT_EQ(hash, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  const std::string path = uri_encode_path("/test$file.text");
  EXPECT_EQ(authorization(request(
                "PUT", path, {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                hash)),
            expected("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST_F(SigV4S3Examples, GetBucketLifecycleWhoseParameterHasNoValue) {
  const std::string query = uri_encode_query({{"lifecycle", ""}});
  EXPECT_EQ(authorization(request("GET", "/", {}, kEmptyHash, query)),
            expected("host;x-amz-content-sha256;x-amz-date",
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST_F(SigV4S3Examples, ListObjects) {
  const std::string query = uri_encode_query({{"prefix", "J"}, {"max-keys", "2"}});
  EXPECT_EQ(authorization(request("GET", "/", {}, kEmptyHash, query)),
            expected("host;x-amz-content-sha256;x-amz-date",
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST_F(SigV4S3Examples, TheHeadersToAddAreTheDateTheHashAndTheSignature) {
  const std::vector<HttpHeader> added = signer_.sign(credentials_, request("GET", "/", {}));
  ASSERT_EQ(added.size(), 3U);
  EXPECT_EQ(added[0], (HttpHeader{"x-amz-date", "20130524T000000Z"}));
  EXPECT_EQ(added[1], (HttpHeader{"x-amz-content-sha256", std::string(kEmptyHash)}));
  EXPECT_EQ(added[2].name, "Authorization");
}

TEST_F(SigV4S3Examples, AnUnsignedPayloadIsNamedAsSuchAndSigned) {
  const std::vector<HttpHeader> added = signer_.sign(credentials_, request("PUT", "/a", {}, kUnsignedPayload));
  EXPECT_EQ(value_of(added, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_NE(value_of(added, "Authorization"), authorization(request("PUT", "/a", {}, kEmptyHash)));
}

TEST_F(SigV4S3Examples, TheKeyIsDerivedOncePerSecretAndDay) {
  SigV4Request first = request("GET", "/test.txt", {{"Range", "bytes=0-9"}});
  const std::string before = authorization(first);
  EXPECT_EQ(authorization(first), before);
  EXPECT_EQ(signer_.keys_derived_count(), 1U);

  SigV4Request next_day = first;
  next_day.time_ns += 86'400'000'000'000;
  EXPECT_NE(authorization(next_day), before);
  EXPECT_EQ(signer_.keys_derived_count(), 2U);

  // Another secret under the same id and day must not be signed with the old key.
  const AwsCredentials other = credentials_of("AKIAIOSFODNN7EXAMPLE", "another secret");
  EXPECT_NE(value_of(signer_.sign(other, first), "Authorization"), before);
  EXPECT_EQ(signer_.keys_derived_count(), 3U);
  EXPECT_EQ(authorization(first), before);
}

// The signature test suite of AWS (aws-sig-v4-test-suite, in awslabs/aws-c-auth as tests/aws-signing-test-suite/v4):
// the cases named in each test. All use these credentials, service "service" and 2015-08-30T12:36:00Z.
class SigV4TestSuite : public ::testing::Test {
 protected:
  std::string authorization(std::string_view method, std::vector<HttpHeader> headers, std::string_view query = {},
                            std::string_view token = {}) {
    SigV4Signer signer({.region = "us-east-1", .service = "service"});
    headers.push_back({"Host", "example.amazonaws.com"});
    const AwsCredentials credentials = credentials_of("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token);
    return value_of(signer.sign(credentials, {method, "/", query, std::move(headers), kEmptyHash,
                                              *parse_iso_time("2015-08-30T12:36:00Z")}),
                    "Authorization");
  }
  static std::string expected(std::string_view names, std::string_view signature) {
    return "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=" +
           std::string(names) + ", Signature=" + std::string(signature);
  }
};

TEST_F(SigV4TestSuite, GetVanillaQueryOrderKeyCase) {
  EXPECT_EQ(authorization("GET", {}, uri_encode_query({{"Param2", "value2"}, {"Param1", "value1"}})),
            expected("host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"));
}

TEST_F(SigV4TestSuite, GetVanillaQueryOrderValue) {
  EXPECT_EQ(authorization("GET", {}, uri_encode_query({{"Param1", "value2"}, {"Param1", "value1"}})),
            expected("host;x-amz-date", "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"));
}

TEST_F(SigV4TestSuite, PostStsHeaderBeforeSignsTheSessionToken) {
  constexpr std::string_view kToken =
      "AQoDYXdzEPT//////////"
      "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7"
      "mSEI/qkPpKPi/"
      "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+"
      "xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
  EXPECT_EQ(authorization("POST", {}, {}, kToken),
            expected("host;x-amz-date;x-amz-security-token",
                     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"));
}

TEST_F(SigV4TestSuite, GetHeaderValueTrim) {
  EXPECT_EQ(authorization("GET", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
            expected("host;my-header1;my-header2;x-amz-date",
                     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"));
}

TEST_F(SigV4TestSuite, GetHeaderKeyDuplicate) {
  EXPECT_EQ(authorization("GET", {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}),
            expected("host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"));
}

TEST(SigV4DeathTest, ARequestWithoutItsHostIsNotSigned) {
  SigV4Signer signer({.region = "us-east-1", .service = "s3"});
  const AwsCredentials credentials = credentials_of("id", "secret");
  EXPECT_DEATH(static_cast<void>(signer.sign(credentials, {"GET", "/", {}, {}, kEmptyHash, 0})), "Host");
}

}  // namespace
}  // namespace drs
