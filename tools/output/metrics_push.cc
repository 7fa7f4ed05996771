#include "tools/output/metrics_push.h"

#include <fmt/format.h>

#include "codecs/base64.h"
#include "sinks/transport/endpoint.h"
#include "sinks/transport/http_client.h"
#include "tools/output/printable.h"

namespace drs {
namespace {

constexpr std::size_t kAnswerShownBytesMax = 300;
constexpr int kFirstRefusal = 300;

}  // namespace

Result<void> check_push_url(const std::string& url) {
  if (const auto endpoint = parse_endpoint(url, "--metrics-push"); !endpoint.ok()) return endpoint.error();
  return {};
}

std::string push_group_url(const std::string& url, const MetricLabels& group) {
  const auto endpoint = parse_endpoint(url, "--metrics-push");
  std::string out = (endpoint.ok() ? endpoint->url() : url) + "/metrics/job/drstream";
  for (const auto& [name, value] : group)
    out += fmt::format("/{}@base64/{}", name, value.empty() ? "=" : to_base64_url(as_bytes(value)));
  return out;
}

Result<void> push_metrics(const std::string& url, const MetricLabels& group, const MetricsText& metrics,
                          const std::string& ca_file) {
  DRS_RETURN_IF_ERROR(check_push_url(url));
  HttpClientOptions options;
  options.ca_file = ca_file;
  options.connect_timeout = kMetricsPushTimeout;
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<HttpClient> client, HttpClient::make(options));
  HttpRequest request;
  request.method = "POST";
  request.url = push_group_url(url, group);
  request.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  request.body = SecretBytes::copy_of(as_bytes(metrics.text()));
  request.timeout = kMetricsPushTimeout;
  DRS_ASSIGN_OR_RETURN(const HttpResponse answer, client->fetch(request));
  if (answer.status < kFirstRefusal) return {};
  const std::string_view text = as_text(answer.body.view());
  return Error(ErrorCode::kIo, fmt::format("the Pushgateway answers {}: {}", answer.status,
                                           printable_value(text.substr(0, kAnswerShownBytesMax))));
}

}  // namespace drs
