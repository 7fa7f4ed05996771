#include "tools/repository/open_cloud.h"

#include "io/base/clock.h"
#include "sinks/cloud/gcs/default_credentials.h"
#include "sinks/cloud/gcs/gcs_protocol.h"
#include "sinks/cloud/gcs/gcs_store.h"
#include "sinks/cloud/s3/aws_profile.h"
#include "sinks/cloud/s3/aws_settings.h"
#include "sinks/cloud/s3/credentials_chain.h"
#include "sinks/cloud/s3/s3_store.h"
#include "sinks/transport/http_client.h"
#include "tools/repository/cloud_options.h"
#include "tools/repository/process_environment.h"

namespace drs {
namespace {

// Of requests; it outlives every store.
const Clock& request_clock() {
  static const SystemClock clock;
  return clock;
}

constexpr std::string_view kProfileVariable = "AWS_PROFILE";

// Those of the process, with the place's profile.
Environment environment_of(const CloudOptions& options, HttpFetch fetch, const Clock& clock, CancelToken* cancel) {
  Environment out = process_environment(std::move(fetch), clock, cancel);
  if (options.profile.empty()) return out;
  out.environment = [profile = options.profile,
                     process = out.environment](const char* name) -> std::optional<std::string_view> {
    if (name == kProfileVariable) return profile;
    return process(name);
  };
  return out;
}

// Lives as long as the store: credentials are renewed while it is used.
struct S3Session {
  S3Session(const CloudOptions& options, std::unique_ptr<HttpClient> http, CancelToken* cancel)
      : client(std::move(http)),
        chain(environment_of(options, client->fetcher(), clock, cancel),
              {.region = options.region, .profile_named = !options.profile.empty()}) {}
  SystemClock clock;
  std::unique_ptr<HttpClient> client;
  CredentialsChain chain;
};

// All that a store or a probe is made of.
struct S3Setup {
  S3Address address;
  std::shared_ptr<AwsCredentialsProvider> credentials;
  S3ProtocolOptions protocol;
  CloudStoreOptions store;
};

Result<std::optional<S3Style>> parse_address_style(std::string_view text) {
  if (text.empty() || text == "auto") return std::optional<S3Style>();
  if (text == "path") return std::optional(S3Style::kPath);
  if (text == "virtual") return std::optional(S3Style::kVirtualHosted);
  return Error(ErrorCode::kUsage, "the address style '" + std::string(text) + "' is not known: auto, path or virtual");
}

Result<S3Setup> set_up_s3(const RepositoryLocation& repository, const StoreEnvironment& opened_by) {
  const CloudOptions& options = repository.cloud;
  CloudStoreOptions store = cloud_store_options(options, opened_by);
  DRS_ASSIGN_OR_RETURN(const BucketLocation location, parse_s3_location(repository.name));
  const Environment environment = environment_of(options, {}, request_clock(), opened_by.cancel);
  DRS_ASSIGN_OR_RETURN(const AwsProfile profile, AwsProfile::load(environment));
  S3AddressOptions place;
  place.region = resolve_aws_region(environment, profile, {.explicit_region = options.region, .instance_region = {}});
  place.endpoint = options.endpoint_url;
  if (place.endpoint.empty()) place.endpoint = configured_aws_endpoint(environment, profile, "S3").value_or("");
  DRS_ASSIGN_OR_RETURN(place.style, parse_address_style(options.address_style));
  store.http.ca_file = resolve_aws_ca_file(environment, profile, options.ca_file);
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(store.http));
  const auto session = std::make_shared<S3Session>(options, std::move(client), opened_by.cancel);
  DRS_ASSIGN_OR_RETURN(S3Address address, S3Address::make(location, place));
  auto credentials =
      std::make_shared<AwsCredentialsProvider>([session] { return session->chain.fetch(); }, session->clock);
  DRS_ASSIGN_OR_RETURN(S3PutOptions put, s3_put_options(options));
  return S3Setup{std::move(address), std::move(credentials),
                 S3ProtocolOptions{.single_writer = options.single_writer, .put = std::move(put)}, std::move(store)};
}

constexpr const char* kEmulatorVariable = "STORAGE_EMULATOR_HOST";

// Lives as long as the store: tokens are renewed while it is used.
struct GcsSession {
  GcsSession(const CloudOptions& options, std::unique_ptr<HttpClient> http, CancelToken* cancel)
      : client(std::move(http)),
        chain(process_environment(client->fetcher(), clock, cancel), options.credentials_file) {}
  SystemClock clock;
  std::unique_ptr<HttpClient> client;
  DefaultCredentials chain;
};

// Google's own libraries accept "localhost:4443" as well as a URL.
std::string emulator_url(std::string_view host) {
  return host.find("://") == std::string_view::npos ? "http://" + std::string(host) : std::string(host);
}

// All that a store or a probe is made of.
struct GcsSetup {
  GcsAddress address;
  std::shared_ptr<GoogleTokenProvider> tokens;
  CloudStoreOptions store;
};

Result<GcsSetup> set_up_gcs(const RepositoryLocation& place, const StoreEnvironment& opened_by) {
  const CloudOptions& options = place.cloud;
  CloudStoreOptions store = cloud_store_options(options, opened_by);
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(store.http));
  DRS_ASSIGN_OR_RETURN(BucketLocation location, parse_gcs_location(place.name));

  std::string endpoint = options.endpoint_url;
  const auto emulator =
      process_environment(client->fetcher(), request_clock(), opened_by.cancel).variable(kEmulatorVariable);
  const bool emulated = endpoint.empty() && emulator.has_value();
  if (emulated) endpoint = emulator_url(*emulator);
  DRS_ASSIGN_OR_RETURN(GcsAddress address, GcsAddress::make(std::move(location), endpoint));

  std::shared_ptr<GoogleTokenProvider> tokens;
  if (!emulated) {
    if (!address.endpoint().https && !is_loopback(address.endpoint()))
      return Error(ErrorCode::kUsage,
                   "--endpoint-url " + address.endpoint().url() +
                       " would carry a token of Google in the clear: use https, or name an emulator in " +
                       kEmulatorVariable + " instead, which gets no token");
    const auto session = std::make_shared<GcsSession>(options, std::move(client), opened_by.cancel);
    tokens = std::make_shared<GoogleTokenProvider>([session] { return session->chain.fetch(); }, session->clock);
  }
  return GcsSetup{std::move(address), std::move(tokens), std::move(store)};
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3(const RepositoryLocation& repository, const StoreEnvironment& opened_by) {
  DRS_ASSIGN_OR_RETURN(S3Setup setup, set_up_s3(repository, opened_by));
  return open_s3_store(std::move(setup.address), std::move(setup.credentials), request_clock(),
                       std::move(setup.protocol), std::move(setup.store));
}

Result<std::string> s3_server(const RepositoryLocation& place, const StoreEnvironment& opened_by) {
  DRS_ASSIGN_OR_RETURN(const S3Setup setup, set_up_s3(place, opened_by));
  return setup.address.url(setup.address.bucket_path());
}

Result<std::string> s3_region(const CloudOptions& options, CancelToken& cancel) {
  const Environment environment = environment_of(options, {}, request_clock(), &cancel);
  DRS_ASSIGN_OR_RETURN(const AwsProfile profile, AwsProfile::load(environment));
  return resolve_aws_region(environment, profile, {.explicit_region = options.region, .instance_region = {}});
}

Result<S3Probe> open_s3_probe(const RepositoryLocation& repository, const StoreEnvironment& opened_by) {
  DRS_ASSIGN_OR_RETURN(S3Setup setup, set_up_s3(repository, opened_by));
  auto protocol = std::make_unique<S3Protocol>(std::move(setup.address), std::move(setup.credentials), request_clock(),
                                               std::move(setup.protocol));
  const S3Protocol& s3 = *protocol;
  DRS_ASSIGN_OR_RETURN(auto probe, CloudProbe::make(std::move(protocol), setup.store.http));
  return S3Probe{std::move(probe), &s3};
}

Result<std::unique_ptr<ObjectStore>> open_gcs(const RepositoryLocation& place, const StoreEnvironment& opened_by) {
  DRS_ASSIGN_OR_RETURN(GcsSetup setup, set_up_gcs(place, opened_by));
  return open_gcs_store(std::move(setup.address), std::move(setup.tokens), request_clock(), setup.store);
}

Result<std::string> gcs_server(const RepositoryLocation& place, const StoreEnvironment& opened_by) {
  DRS_ASSIGN_OR_RETURN(const GcsSetup setup, set_up_gcs(place, opened_by));
  return setup.address.endpoint().url();
}

Result<std::unique_ptr<CloudProbe>> open_gcs_probe(const RepositoryLocation& place, const StoreEnvironment& opened_by) {
  DRS_ASSIGN_OR_RETURN(GcsSetup setup, set_up_gcs(place, opened_by));
  auto protocol = std::make_unique<GcsProtocol>(std::move(setup.address), std::move(setup.tokens), request_clock());
  return CloudProbe::make(std::move(protocol), setup.store.http);
}

}  // namespace drs
