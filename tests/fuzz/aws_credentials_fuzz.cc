// Credentials as JSON, from a metadata service or a credential process: accepted credentials can be sent and used to
// sign.
//
// Input: one byte for the kind of document (modulo 2), then the document.
#include "sinks/cloud/s3/aws_credentials.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  if (size_bytes == 0) return 0;
  const auto kind = static_cast<drs::CredentialsDocument>(data[0] % 2);
  const drs::Result<drs::AwsCredentials> credentials = drs::parse_credentials_json({data + 1, size_bytes - 1}, kind);
  if (credentials.ok()) {
    DRS_ASSERT(drs::check_credentials(*credentials).ok(), "credentials that cannot be sent were accepted");
  } else {
    DRS_ASSERT(credentials.error().code == drs::ErrorCode::kUnavailable, "unexpected error code");
  }
  return 0;
}
