#include "sinks/cloud/gcs/google_metadata.h"

#include <algorithm>
#include <utility>

#include "sinks/transport/endpoint.h"
#include "sinks/transport/retried_fetch.h"

namespace drs {
namespace {

constexpr const char* kHostVariable = "GCE_METADATA_HOST";
constexpr std::string_view kHost = "metadata.google.internal";
constexpr std::string_view kTokenPath = "/computeMetadata/v1/instance/service-accounts/default/token";
// Where there is no such server, this is how long the search takes; once it has answered, it gets longer.
constexpr std::chrono::milliseconds kProbeTimeout{1000};
constexpr std::chrono::milliseconds kTimeout{5000};

HttpRequest request_to(const Endpoint& endpoint, std::string_view path) {
  HttpRequest request;
  request.url = endpoint.url() + std::string(path);
  request.headers = {{"Metadata-Flavor", "Google"}};
  request.timeout = kTimeout;
  request.bypass_proxy = true;
  return request;
}

// Another server may answer at that name: whoever gives the token decides as whom we write.
bool is_metadata_server(const HttpResponse& response) {
  return std::any_of(response.headers.begin(), response.headers.end(), [](const HttpHeader& header) {
    return header.name == "metadata-flavor" && header.value == "Google";
  });
}

}  // namespace

Result<GoogleTokenLookup> google_metadata_token(const Environment& environment) {
  const auto host = environment.variable(kHostVariable);
  DRS_ASSIGN_OR_RETURN(const Endpoint endpoint,
                       parse_endpoint("http://" + std::string(host.value_or(kHost)), kHostVariable));
  HttpRequest probe = request_to(endpoint, "/");
  probe.timeout = kProbeTimeout;
  const Result<HttpResponse> found = environment.fetch(probe);
  if (!found.ok() && found.error().code == ErrorCode::kCancelled) return found.error();
  if (!found.ok() || !is_metadata_server(*found)) {
    const std::string why = endpoint.authority + ": " +
                            (found.ok() ? "what answers is not Google's metadata server" : found.error().message);
    if (host) return Error(ErrorCode::kUnavailable, why);
    return GoogleTokenLookup{std::nullopt, why};
  }
  DRS_ASSIGN_OR_RETURN(const HttpResponse response,
                       fetch_with_retries(environment.fetch, request_to(endpoint, kTokenPath)));
  if (response.status == 404)
    return Error(ErrorCode::kDenied,
                 "no service account is attached to this machine: attach one, or name a credentials "
                 "file in GOOGLE_APPLICATION_CREDENTIALS");
  if (response.status != 200)
    return Error(is_passing_status(response.status) ? ErrorCode::kUnavailable : ErrorCode::kDenied,
                 "it answered with status " + std::to_string(response.status));
  if (!is_metadata_server(response)) return Error(ErrorCode::kUnavailable, "the answer is not of the metadata server");
  DRS_ASSIGN_OR_RETURN(GoogleToken token, parse_token_answer(response.body.view(), environment.clock.wall_ns()));
  return GoogleTokenLookup{std::move(token), {}};
}

}  // namespace drs
