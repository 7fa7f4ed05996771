// A credentials file of Google: what is accepted sends its secrets over https or within this machine.
#include "sinks/endpoint.h"
#include "sinks/gcs/google_credentials.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const drs::Result<drs::GoogleCredentials> credentials = drs::parse_google_credentials({data, size_bytes});
  if (!credentials.ok()) {
    DRS_ASSERT(credentials.error().code == drs::ErrorCode::kUsage, "not an error that a file may give");
    return 0;
  }
  const auto check = [](const std::string& url) {
    const auto endpoint = drs::endpoint_of_url(url);
    DRS_ASSERT(endpoint && (endpoint->https || drs::is_loopback(*endpoint)), "secrets would be sent in the clear");
  };
  std::visit([&](const auto& identity) { check(identity.token_url); }, credentials->identity);
  if (credentials->impersonation) check(credentials->impersonation->url);
  return 0;
}
