// A Google credentials file: accepted credentials send their secrets only over HTTPS or within this machine.
#include "sinks/cloud/gcs/google_credentials.h"
#include "sinks/transport/endpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::GoogleCredentials> credentials = drs::parse_google_credentials({data, size_bytes});
  if (!credentials.ok()) {
    DRS_ASSERT(credentials.error().code == drs::ErrorCode::kUsage, "unexpected error code");
    return 0;
  }
  const auto check = [](const std::string& url) {
    const auto endpoint = drs::endpoint_of_url(url);
    DRS_ASSERT(endpoint && (endpoint->https || drs::is_loopback(*endpoint)), "secrets would be sent unencrypted");
  };
  std::visit([&](const auto& identity) { check(identity.token_url); }, credentials->identity);
  if (credentials->impersonation) check(credentials->impersonation->url);
  return 0;
}
