// Sends metrics to a Pushgateway (https://github.com/prometheus/pushgateway), for jobs on machines without
// node_exporter: pods that are gone before anything could scrape them. Any thread.
#pragma once

#include <chrono>
#include <string>

#include "io/base/result.h"
#include "tools/output/metrics.h"

namespace drs {

// A job does not wait longer for its metrics.
inline constexpr std::chrono::seconds kMetricsPushTimeout{10};

// Errors: kUsage (no http or https URL; one with credentials, which other users of the machine could read; credentials
// that would cross a network without TLS).
Result<void> check_metrics_push(const MetricsPush& push);

// The address of a group: "URL/metrics/job/drstream/repository@base64/cGc/command@base64/dmVyaWZ5". Values are in
// URL-safe base64, since they may hold a '/'; an empty one is "=". `url`: as check_metrics_push accepts it.
std::string push_group_url(const std::string& url, const MetricLabels& group);

// One POST: the gateway replaces the families that `metrics` has and keeps the others of the group, so that a run that
// failed leaves the time of the last success. No retries. `ca_file`: as of HttpClientOptions. Errors: kUsage (also:
// the file of credentials holds none), kUnavailable (no answer within kMetricsPushTimeout), kIo (it refused), those of
// reading the file.
Result<void> push_metrics(const MetricsPush& push, const MetricLabels& group, const MetricsText& metrics,
                          const std::string& ca_file);

}  // namespace drs
