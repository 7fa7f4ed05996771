// AWS Signature Version 4 in the Authorization header: proves to S3 and STS who sends a request, and that nobody
// changed what was signed. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "sinks/http_message.h"
#include "sinks/s3/aws_credentials.h"

namespace drs {

// A payload hash: the body is not covered. Over https TLS covers it.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// All views are borrowed until `sign` returns.
struct SigV4Request {
  std::string_view method;           // "PUT"
  std::string_view canonical_path;   // of uri_encode_path, just as it is sent: S3 encodes once and normalises nothing
  std::string_view canonical_query;  // of uri_encode_query, just as it is sent; or empty
  std::vector<HttpHeader> headers;   // to be signed: Host (asserted), Content-Type and every x-amz-* that is sent
  std::string_view payload_hash;     // lower-case hex SHA-256 of the body, or kUnsignedPayload
  std::int64_t time_ns = 0;          // since 1970; services accept 15 minutes to either side of their own clock
};

// One instance, one thread.
class SigV4Signer {
 public:
  // Of the service "s3", every request carries x-amz-content-sha256; of others none does.
  SigV4Signer(std::string region, std::string service) : region_(std::move(region)), service_(std::move(service)) {}

  // The headers to add to the request: x-amz-date, x-amz-content-sha256 for S3, x-amz-security-token with temporary
  // credentials, Authorization.
  std::vector<HttpHeader> sign(const AwsCredentials& credentials, const SigV4Request& request);

  [[nodiscard]] const std::string& region() const { return region_; }
  // The key is derived when the secret or the day changes, and kept otherwise.
  [[nodiscard]] std::size_t keys_derived_count() const { return keys_derived_count_; }

 private:
  ByteView signing_key(const SecretBytes& secret, std::string_view day);

  std::string region_;
  std::string service_;
  std::string key_day_;     // "20130524": of what key_ was derived from
  SecretBytes key_secret_;  // likewise
  SecretBytes key_;
  std::size_t keys_derived_count_ = 0;
};

}  // namespace drs
