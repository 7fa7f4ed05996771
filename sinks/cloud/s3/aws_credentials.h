// AwsCredentials: the identity that signs requests to S3 and other services of AWS, and the JSON in which metadata
// services and credential processes return it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "sinks/transport/credentials_provider.h"

namespace drs {

// The places where AWS's tools look for credentials, in their order (sinks/cloud/s3/credentials_chain.h).
enum class CredentialsPlace : std::uint8_t { kEnvironment, kWebIdentity, kProfile, kContainer, kInstanceMetadata };

struct AwsCredentials {
  std::string access_key_id;  // not secret: every request contains it
  SecretBytes secret_access_key;
  SecretBytes session_token;               // empty: long-term credentials
  std::optional<std::int64_t> expires_ns;  // since 1970; none: they do not expire
  CredentialsPlace place = CredentialsPlace::kEnvironment;
  std::string origin;  // for messages: "the environment", "profile 'backup' in ~/.aws/config"
};

bool same_credentials(const AwsCredentials& a, const AwsCredentials& b);
using AwsCredentialsProvider = CredentialsProvider<AwsCredentials>;

// The result of one place of the search: credentials or, if the place is not set up, the reason ("AWS_ROLE_ARN is not
// set"). A place that is set up and fails is an Error instead.
struct CredentialsLookup {
  std::optional<AwsCredentials> credentials;
  std::string nothing_because;
};

// The names in the document, and its required fields.
enum class CredentialsDocument : std::uint8_t {
  kMetadata,  // EC2 and containers: Token and Expiration are required; a Code other than Success is an error
  kProcess,   // credential_process: Version 1; SessionToken and Expiration may be absent
};

// Checks that each part can be sent and used to sign: an id and a secret, both of printable ASCII without spaces, and a
// token of the same kind if there is one. Otherwise a newline at the end of a secret would only show as a signature
// that does not match. Errors: kUsage, naming the part, never its value.
Result<void> check_credentials(const AwsCredentials& credentials);

// Parses the document. The caller sets `place` and `origin`. Errors: kUnavailable for a document that lacks a field or
// reports an error. No text repeats a value of the document except the code and message of its error. The secrets are
// wiped from the parsed document; a copy in the buffer of the parser cannot be wiped.
Result<AwsCredentials> parse_credentials_json(ByteView json, CredentialsDocument kind);

}  // namespace drs
