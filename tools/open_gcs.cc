#include "tools/open_gcs.h"

#include "io/clock.h"
#include "sinks/gcs/default_credentials.h"
#include "sinks/gcs/gcs_protocol.h"
#include "sinks/gcs/gcs_store.h"
#include "sinks/http_client.h"
#include "tools/process_surroundings.h"

namespace drs {
namespace {

constexpr const char* kEmulatorVariable = "STORAGE_EMULATOR_HOST";

// Lives as long as the store: tokens are renewed while it is used.
struct Session {
  Session(const CloudOptions& options, std::unique_ptr<HttpClient> http, CancelToken* cancel)
      : client(std::move(http)),
        chain(process_surroundings(client->fetcher(), clock, cancel), options.credentials_file) {}
  SystemClock clock;
  std::unique_ptr<HttpClient> client;
  DefaultCredentials chain;
};

// "localhost:4443" is as good as a URL, as for Google's own libraries.
std::string emulator_url(std::string_view host) {
  return host.find("://") == std::string_view::npos ? "http://" + std::string(host) : std::string(host);
}

// All that a store or a probe is made of.
struct GcsSetup {
  GcsAddress address;
  std::shared_ptr<GoogleTokenProvider> tokens;
  CloudStoreOptions store;
};

// Of requests; it outlives every store.
const Clock& request_clock() {
  static const SystemClock clock;
  return clock;
}

Result<GcsSetup> set_up(const RepositoryPlace& place, const StoreSurroundings& opened_by) {
  const CloudOptions& options = place.cloud;
  CloudStoreOptions store = cloud_store_options(options, opened_by);
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(store.http));
  DRS_ASSIGN_OR_RETURN(BucketLocation location, parse_gcs_location(place.name));

  std::string endpoint = options.endpoint_url;
  const auto emulator =
      process_surroundings(client->fetcher(), request_clock(), opened_by.cancel).variable(kEmulatorVariable);
  const bool emulated = endpoint.empty() && emulator.has_value();
  if (emulated) endpoint = emulator_url(*emulator);
  DRS_ASSIGN_OR_RETURN(GcsAddress address, GcsAddress::make(std::move(location), endpoint));

  std::shared_ptr<GoogleTokenProvider> tokens;
  if (!emulated) {
    if (!address.endpoint().https && !is_loopback(address.endpoint()))
      return Error{ErrorCode::kUsage,
                   "--endpoint-url " + address.endpoint().url() +
                       " would carry a token of Google in the clear: use https, or name an emulator in " +
                       kEmulatorVariable + " instead, which gets no token"};
    const auto session = std::make_shared<Session>(options, std::move(client), opened_by.cancel);
    tokens = std::make_shared<GoogleTokenProvider>([session] { return session->chain.fetch(); }, session->clock);
  }
  return GcsSetup{std::move(address), std::move(tokens), std::move(store)};
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_gcs(const RepositoryPlace& place, const StoreSurroundings& opened_by) {
  DRS_ASSIGN_OR_RETURN(GcsSetup setup, set_up(place, opened_by));
  return open_gcs_store(std::move(setup.address), std::move(setup.tokens), request_clock(), setup.store);
}

Result<std::string> gcs_server(const RepositoryPlace& place, const StoreSurroundings& opened_by) {
  DRS_ASSIGN_OR_RETURN(const GcsSetup setup, set_up(place, opened_by));
  return setup.address.endpoint().url();
}

Result<std::unique_ptr<CloudProbe>> open_gcs_probe(const RepositoryPlace& place, const StoreSurroundings& opened_by) {
  DRS_ASSIGN_OR_RETURN(GcsSetup setup, set_up(place, opened_by));
  auto protocol = std::make_unique<GcsProtocol>(std::move(setup.address), std::move(setup.tokens), request_clock());
  return CloudProbe::make(std::move(protocol), setup.store.http);
}

}  // namespace drs
