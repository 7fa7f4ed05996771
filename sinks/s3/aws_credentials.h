// AwsCredentials: who signs requests to S3 and other services of AWS, and the JSON in which metadata services and
// credential processes hand them out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"
#include "sinks/credentials_provider.h"

namespace drs {

// The places of AWS's own search, in its order (sinks/s3/credentials_chain.h).
enum class CredentialsPlace : std::uint8_t { kEnvironment, kWebIdentity, kProfile, kContainer, kInstanceMetadata };

struct AwsCredentials {
  std::string access_key_id;  // no secret: it stands in every request
  SecretBytes secret_access_key;
  SecretBytes session_token;               // empty: long-term credentials
  std::optional<std::int64_t> expires_ns;  // since 1970; none: they do not expire
  CredentialsPlace place = CredentialsPlace::kEnvironment;
  std::string origin;  // for messages: "the environment", "profile 'backup' in ~/.aws/config"
};

bool same_credentials(const AwsCredentials& a, const AwsCredentials& b);
using AwsCredentialsProvider = CredentialsProvider<AwsCredentials>;

// What one place of the search gave: credentials, or, where it is not set up, why it gave nothing ("AWS_ROLE_ARN is not
// set"). A place that is set up and fails is an Error instead.
struct CredentialsLookup {
  std::optional<AwsCredentials> credentials;
  std::string nothing_because;
};

// How the document calls things, and what it must hold.
enum class CredentialsDocument : std::uint8_t {
  kMetadata,  // EC2 and containers: Token and Expiration are required; a Code other than Success is an error
  kProcess,   // credential_process: Version 1; SessionToken and Expiration may be absent
};

// Whether each part can be sent and signed with: an id and a secret, both of printable ASCII without spaces, and so the
// token if there is one. A line feed at the end of a secret would otherwise only show as a signature that does not
// match. Errors: kUsage, naming the part, not its value.
Result<void> check_credentials(const AwsCredentials& credentials);

// `place` and `origin` are left to the caller. Errors: kUnavailable for a document that is not as it must be, or that
// tells of an error. No text repeats a value from the document but the code and message of its error. The secrets are
// wiped from the parsed document; a copy in the parser's own buffer is beyond reach.
Result<AwsCredentials> parse_credentials_json(ByteView json, CredentialsDocument kind);

}  // namespace drs
