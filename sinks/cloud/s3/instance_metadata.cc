#include "sinks/cloud/s3/instance_metadata.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "io/base/ascii.h"
#include "sinks/cloud/s3/aws_endpoint.h"
#include "sinks/cloud/s3/aws_settings.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/retried_fetch.h"
#include "sinks/transport/uri_encoding.h"

namespace drs {
namespace {

// How long to wait for a service that exists only on EC2; after its first answer it gets longer.
constexpr std::chrono::milliseconds kFirstTimeout{1000};
constexpr std::chrono::milliseconds kTimeout{5000};

constexpr const char* kDisabledVariable = "AWS_EC2_METADATA_DISABLED";
constexpr std::string_view kRolesPath = "/latest/meta-data/iam/security-credentials/";

Result<Endpoint> endpoint_of(const Environment& environment, const AwsProfile& profile) {
  std::optional<std::string_view> url = environment.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!url) url = profile.setting("ec2_metadata_service_endpoint");
  if (url) return parse_endpoint(*url, "the endpoint of the instance metadata");
  std::optional<std::string_view> mode = environment.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  if (!mode) mode = profile.setting("ec2_metadata_service_endpoint_mode");
  const bool ipv6 = mode && equal_ignoring_case(*mode, "IPv6");
  return parse_endpoint(ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254", "the endpoint");
}

bool is_header_text(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// The first line. An instance has one role; the answer is a list.
std::string first_line(ByteView body) {
  std::string_view text = as_text(body);
  text = text.substr(0, text.find_first_of("\r\n"));
  return std::string(text);
}

// A session with the service, which begins with a token.
class Session {
 public:
  // Errors: kUnavailable if no service answers; kDenied if it refuses.
  static Result<Session> begin(const HttpFetch& fetch, const Endpoint& endpoint) {
    HttpRequest request;
    request.method = "PUT";
    request.url = endpoint.url() + "/latest/api/token";
    request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    request.timeout = kFirstTimeout;
    request.bypass_proxy = true;
    // Do not retry: on every machine outside EC2 the search ends here.
    DRS_ASSIGN_OR_RETURN(HttpResponse response, fetch(request));
    if (response.status != 200) return status_error("the token", response.status);
    if (!is_header_text(as_text(response.body.view())))
      return Error(ErrorCode::kUnavailable, endpoint.url() + " answered with something that is not a token");
    return Session(fetch, endpoint.url(), std::move(response.body));
  }

  Result<HttpResponse> get(std::string_view path) const {
    HttpRequest request;
    request.url = base_url_ + std::string(path);
    request.headers = {{"x-aws-ec2-metadata-token", std::string(as_text(token_.view()))}};
    request.timeout = kTimeout;
    request.bypass_proxy = true;
    Result<HttpResponse> response = fetch_with_retries(fetch_, request);
    std::string& sent = request.headers.front().value;
    wipe({reinterpret_cast<Byte*>(sent.data()), sent.size()});
    return response;
  }

  static Error status_error(std::string_view what, int status) {
    return Error(is_passing_status(status) ? ErrorCode::kUnavailable : ErrorCode::kDenied,
                 "the instance metadata service answered the request for " + std::string(what) + " with status " +
                     std::to_string(status));
  }

 private:
  Session(const HttpFetch& fetch, std::string base_url, SecretBytes token)
      : fetch_(fetch), base_url_(std::move(base_url)), token_(std::move(token)) {}

  const HttpFetch& fetch_;
  std::string base_url_;
  SecretBytes token_;
};

CredentialsLookup nothing(std::string because) {
  return CredentialsLookup{std::nullopt, std::move(because)};
}

}  // namespace

Result<CredentialsLookup> instance_metadata_credentials(const Environment& environment, const AwsProfile& profile) {
  if (is_aws_true(environment.variable(kDisabledVariable))) return nothing(std::string(kDisabledVariable) + " is true");
  DRS_ASSIGN_OR_RETURN(const Endpoint endpoint, endpoint_of(environment, profile));
  Result<Session> session = Session::begin(environment.fetch, endpoint);
  if (!session.ok()) {
    if (session.error().code != ErrorCode::kUnavailable) return std::move(session).error();
    return nothing("no token from " + endpoint.url() + ": " + session.error().message);
  }

  DRS_ASSIGN_OR_RETURN(const HttpResponse roles, session->get(kRolesPath));
  const std::string role = first_line(roles.body.view());
  if (roles.status == 404 || (roles.status == 200 && role.empty())) return nothing("the instance has no role");
  if (roles.status != 200) return Session::status_error("the role", roles.status);

  DRS_ASSIGN_OR_RETURN(const HttpResponse answer, session->get(std::string(kRolesPath) + uri_encode(role)));
  if (answer.status != 200) return Session::status_error("the credentials", answer.status);
  DRS_ASSIGN_OR_RETURN(AwsCredentials credentials,
                       parse_credentials_json(answer.body.view(), CredentialsDocument::kMetadata));
  return CredentialsLookup{std::move(credentials), {}};
}

Result<std::string> instance_metadata_region(const Environment& environment, const AwsProfile& profile) {
  DRS_ASSIGN_OR_RETURN(const Endpoint endpoint, endpoint_of(environment, profile));
  DRS_ASSIGN_OR_RETURN(const Session session, Session::begin(environment.fetch, endpoint));
  DRS_ASSIGN_OR_RETURN(const HttpResponse response, session.get("/latest/meta-data/placement/region"));
  if (response.status != 200) return Session::status_error("the region", response.status);
  std::string region = first_line(response.body.view());
  if (!check_aws_region(region).ok())
    return Error(ErrorCode::kUnavailable, "the instance metadata service answered with something that is not a region");
  return region;
}

}  // namespace drs
