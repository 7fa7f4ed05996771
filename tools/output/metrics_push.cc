#include "tools/output/metrics_push.h"

#include <fmt/format.h>

#include "codecs/base64.h"
#include "io/read_to_end.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/http_client.h"
#include "tools/output/printable.h"

namespace drs {
namespace {

constexpr std::size_t kAnswerShownBytesMax = 300;
constexpr int kFirstRefusal = 300;
constexpr std::size_t kCredentialsBytesMax = 4096;

// "Basic ..." of a file with a line USER:PASSWORD.
Result<std::string> authorization(const std::string& path) {
  DRS_ASSIGN_OR_RETURN(const Fd file, open_to_read(path));
  CancelToken none;  // a run that was cancelled has metrics, too
  DRS_ASSIGN_OR_RETURN(const SecretBytes bytes, read_to_end(file, kCredentialsBytesMax, none));
  std::string_view line = as_text(bytes.view());
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.find(':') == std::string_view::npos || line.find('\n') != std::string_view::npos)
    return Error(ErrorCode::kUsage, path + " is to hold one line USER:PASSWORD");
  return "Basic " + to_base64(as_bytes(line));
}

}  // namespace

Result<void> check_metrics_push(const MetricsPush& push) {
  DRS_ASSIGN_OR_RETURN(const Endpoint endpoint, parse_endpoint(push.url, "--metrics-push"));
  if (push.credentials_file.empty() || endpoint.https || is_loopback(endpoint)) return {};
  return Error(ErrorCode::kUsage, "--metrics-push-credentials would send a password without TLS: give https://");
}

std::string push_group_url(const std::string& url, const MetricLabels& group) {
  const auto endpoint = parse_endpoint(url, "--metrics-push");
  std::string out = (endpoint.ok() ? endpoint->url() : url) + "/metrics/job/drstream";
  for (const auto& [name, value] : group)
    out += fmt::format("/{}@base64/{}", name, value.empty() ? "=" : to_base64_url(as_bytes(value)));
  return out;
}

Result<void> push_metrics(const MetricsPush& push, const MetricLabels& group, const MetricsText& metrics,
                          const std::string& ca_file) {
  DRS_RETURN_IF_ERROR(check_metrics_push(push));
  HttpClientOptions options;
  options.ca_file = ca_file;
  options.connect_timeout = kMetricsPushTimeout;
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<HttpClient> client, HttpClient::make(options));
  HttpRequest request;
  request.method = "POST";
  request.url = push_group_url(push.url, group);
  request.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  if (!push.credentials_file.empty()) {
    DRS_ASSIGN_OR_RETURN(std::string basic, authorization(push.credentials_file));
    request.headers.push_back({"Authorization", std::move(basic)});
  }
  request.body = SecretBytes::copy_of(as_bytes(metrics.text()));
  request.timeout = kMetricsPushTimeout;
  DRS_ASSIGN_OR_RETURN(const HttpResponse answer, client->fetch(request));
  if (answer.status < kFirstRefusal) return {};
  const std::string_view text = as_text(answer.body.view());
  return Error(ErrorCode::kIo, fmt::format("the Pushgateway answers {}: {}", answer.status,
                                           printable_value(text.substr(0, kAnswerShownBytesMax))));
}

}  // namespace drs
