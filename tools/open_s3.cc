#include "tools/open_s3.h"

#include "io/clock.h"
#include "sinks/http_client.h"
#include "sinks/s3/aws_profile.h"
#include "sinks/s3/aws_settings.h"
#include "sinks/s3/credentials_chain.h"
#include "sinks/s3/s3_store.h"
#include "tools/object_options.h"
#include "tools/process_surroundings.h"

namespace drs {
namespace {

constexpr std::string_view kProfileVariable = "AWS_PROFILE";

// Those of the process, with the profile that the place names.
Surroundings surroundings_of(const CloudOptions& options, HttpFetch fetch, const Clock& clock, CancelToken* cancel) {
  Surroundings out = process_surroundings(std::move(fetch), clock, cancel);
  if (options.profile.empty()) return out;
  out.environment = [profile = options.profile,
                     process = out.environment](const char* name) -> std::optional<std::string_view> {
    if (name == kProfileVariable) return profile;
    return process(name);
  };
  return out;
}

// Lives as long as the store: credentials are renewed while it is used.
struct Session {
  Session(const CloudOptions& options, std::unique_ptr<HttpClient> http, CancelToken* cancel)
      : client(std::move(http)),
        chain(surroundings_of(options, client->fetcher(), clock, cancel),
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
  return Error{ErrorCode::kUsage, "the address style '" + std::string(text) + "' is not known: auto, path or virtual"};
}

// Of requests; it outlives every store.
const Clock& request_clock() {
  static const SystemClock clock;
  return clock;
}

Result<S3Setup> set_up(const RepositoryPlace& repository, const StoreSurroundings& opened_by) {
  const CloudOptions& options = repository.cloud;
  CloudStoreOptions store = cloud_store_options(options, opened_by);
  DRS_ASSIGN_OR_RETURN(const BucketLocation location, parse_s3_location(repository.name));
  const Surroundings surroundings = surroundings_of(options, {}, request_clock(), opened_by.cancel);
  DRS_ASSIGN_OR_RETURN(const AwsProfile profile, AwsProfile::load(surroundings));
  S3AddressOptions place;
  place.region = resolve_aws_region(surroundings, profile, {.explicit_region = options.region, .instance_region = {}});
  place.endpoint = options.endpoint_url;
  if (place.endpoint.empty()) place.endpoint = configured_aws_endpoint(surroundings, profile, "S3").value_or("");
  DRS_ASSIGN_OR_RETURN(place.style, parse_address_style(options.address_style));
  store.http.ca_file = resolve_aws_ca_file(surroundings, profile, options.ca_file);
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(store.http));
  const auto session = std::make_shared<Session>(options, std::move(client), opened_by.cancel);
  DRS_ASSIGN_OR_RETURN(S3Address address, S3Address::make(location, place));
  auto credentials =
      std::make_shared<AwsCredentialsProvider>([session] { return session->chain.fetch(); }, session->clock);
  DRS_ASSIGN_OR_RETURN(S3PutOptions put, s3_put_options(options));
  return S3Setup{std::move(address), std::move(credentials),
                 S3ProtocolOptions{.single_writer = options.single_writer, .put = std::move(put)}, std::move(store)};
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3(const RepositoryPlace& repository, const StoreSurroundings& opened_by) {
  DRS_ASSIGN_OR_RETURN(S3Setup setup, set_up(repository, opened_by));
  return open_s3_store(std::move(setup.address), std::move(setup.credentials), request_clock(),
                       std::move(setup.protocol), std::move(setup.store));
}

Result<std::string> s3_server(const RepositoryPlace& place, const StoreSurroundings& opened_by) {
  DRS_ASSIGN_OR_RETURN(const S3Setup setup, set_up(place, opened_by));
  return setup.address.url(setup.address.bucket_path());
}

Result<std::string> s3_region(const CloudOptions& options, CancelToken& cancel) {
  const Surroundings surroundings = surroundings_of(options, {}, request_clock(), &cancel);
  DRS_ASSIGN_OR_RETURN(const AwsProfile profile, AwsProfile::load(surroundings));
  return resolve_aws_region(surroundings, profile, {.explicit_region = options.region, .instance_region = {}});
}

Result<S3Probe> open_s3_probe(const RepositoryPlace& repository, const StoreSurroundings& opened_by) {
  DRS_ASSIGN_OR_RETURN(S3Setup setup, set_up(repository, opened_by));
  auto protocol = std::make_unique<S3Protocol>(std::move(setup.address), std::move(setup.credentials), request_clock(),
                                               std::move(setup.protocol));
  const S3Protocol& s3 = *protocol;
  DRS_ASSIGN_OR_RETURN(auto probe, CloudProbe::make(std::move(protocol), setup.store.http));
  return S3Probe{std::move(probe), &s3};
}

}  // namespace drs
