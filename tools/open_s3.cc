#include "tools/open_s3.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "io/clock.h"
#include "io/fd.h"
#include "sinks/http_client.h"
#include "sinks/s3/aws_profile.h"
#include "sinks/s3/aws_settings.h"
#include "sinks/s3/credentials_chain.h"
#include "sinks/s3/s3_store.h"
#include "tools/keys.h"
#include "tools/passphrase_command.h"

namespace drs {
namespace {

constexpr std::size_t kSettingsBytesMax = 1 * kMiB;

// A whole small file: configurations, tokens.
Result<SecretBytes> read_small_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return error_from_errno(errno, "open '" + path + "'");
  SecretBytes buffer(kSettingsBytesMax);
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.mutable_view().data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error_from_errno(errno, "read '" + path + "'");
    if (got == 0) return SecretBytes::copy_of(buffer.view().first(filled));
    filled += static_cast<std::size_t>(got);
  }
  return Error{ErrorCode::kUsage, "'" + path + "' is larger than 1 MiB: that is no configuration"};
}

constexpr std::string_view kProfileVariable = "AWS_PROFILE";

// A profile that is named wins over these, as `aws --profile` does.
bool is_other_identity(std::string_view name) {
  return name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY" || name == "AWS_SESSION_TOKEN" ||
         name == "AWS_WEB_IDENTITY_TOKEN_FILE";
}

// Lives as long as the store: credentials are renewed while it is used.
struct Session {
  Session(const CloudOptions& options, std::unique_ptr<HttpClient> http)
      : client(std::move(http)),
        surroundings{
            .environment = [profile = options.profile](const char* name) -> std::optional<std::string_view> {
              if (!profile.empty() && is_other_identity(name)) return std::nullopt;
              if (!profile.empty() && name == kProfileVariable) return profile;
              const char* const value = std::getenv(name);
              if (value == nullptr) return std::nullopt;
              return value;
            },
            .read_file = read_small_file,
            .fetch = [this](const HttpRequest& request) { return client->fetch(request); },
            .run_command =
                [](const std::string& command) { return run_passphrase_command(command, key_variable_names()); },
            .clock = clock},
        chain(surroundings, options.region) {}
  SystemClock clock;
  std::unique_ptr<HttpClient> client;
  Surroundings surroundings;
  CredentialsChain chain;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_s3(const RepositoryPlace& repository) {
  const CloudOptions& options = repository.cloud;
  static const SystemClock clock;
  HttpClientOptions http;
  http.ca_file = options.ca_file;
  DRS_ASSIGN_OR_RETURN(std::unique_ptr<HttpClient> client, HttpClient::make(http));
  const auto session = std::make_shared<Session>(options, std::move(client));
  DRS_ASSIGN_OR_RETURN(const BucketLocation location, parse_s3_location(repository.name));
  DRS_ASSIGN_OR_RETURN(const AwsProfile profile, AwsProfile::load(session->surroundings));
  S3AddressOptions place;
  place.region =
      resolve_aws_region(session->surroundings, profile, {.explicit_region = options.region, .instance_region = {}});
  place.endpoint = options.endpoint_url;
  if (place.endpoint.empty())
    place.endpoint = configured_aws_endpoint(session->surroundings, profile, "S3").value_or("");
  DRS_ASSIGN_OR_RETURN(S3Address address, S3Address::make(location, place));
  auto credentials =
      std::make_shared<AwsCredentialsProvider>([session] { return session->chain.fetch(); }, session->clock);
  CloudStoreOptions store;
  store.http = http;
  store.requests.retry.budget = std::chrono::ceil<std::chrono::milliseconds>(options.store_timeout);
  return open_s3_store(std::move(address), std::move(credentials), clock, {.single_writer = options.single_writer},
                       std::move(store));
}

}  // namespace drs
