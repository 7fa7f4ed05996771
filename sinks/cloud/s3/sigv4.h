// AWS Signature Version 4 in the Authorization header: proves to S3 and STS the identity of the sender, and that the
// signed parts were not changed. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/bytes.h"
#include "sinks/cloud/s3/aws_credentials.h"
#include "sinks/transport/http_message.h"

namespace drs {

// A payload hash that leaves the body unsigned. Over https, TLS protects it.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

// All views are borrowed until `sign` returns.
struct SigV4Request {
  std::string_view method;           // "PUT"
  std::string_view canonical_path;   // of uri_encode_path, exactly as sent: S3 encodes once and normalises nothing
  std::string_view canonical_query;  // of uri_encode_query, exactly as sent; or empty
  std::vector<HttpHeader> headers;   // to sign: Host (asserted), Content-Type and every x-amz-* that is sent
  std::string_view payload_hash;     // lower-case hex SHA-256 of the body, or kUnsignedPayload
  std::int64_t time_ns = 0;          // since 1970; services accept 15 minutes to either side of their own clock
};

// Where a signature is valid.
struct SigV4Scope {
  std::string region;   // "eu-central-1"
  std::string service;  // "s3": every request carries x-amz-content-sha256; no request of another service does
};

// One instance, one thread.
class SigV4Signer {
 public:
  explicit SigV4Signer(SigV4Scope scope) : scope_(std::move(scope)) {}

  // Returns the headers to add to the request: x-amz-date, x-amz-content-sha256 for S3, x-amz-security-token with
  // temporary credentials, Authorization.
  std::vector<HttpHeader> sign(const AwsCredentials& credentials, const SigV4Request& request);

  // How often the signing key was derived: once for each secret and day.
  [[nodiscard]] std::size_t keys_derived_count() const { return keys_derived_count_; }

 private:
  ByteView signing_key(const SecretBytes& secret, std::string_view day);

  SigV4Scope scope_;
  std::string key_day_;     // "20130524"; key_ is derived from this day
  SecretBytes key_secret_;  // and from this secret
  SecretBytes key_;
  std::size_t keys_derived_count_ = 0;
};

}  // namespace drs
