// Metrics in Prometheus' text format, in a file for the textfile collector of node_exporter
// (https://prometheus.io/docs/instrumenting/exposition_formats/). One file a job; samples carry no time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/result.h"

namespace drs {

struct MetricFamily {
  std::string_view name;  // "drstream_backup_size_bytes"
  std::string_view help;  // one line
  std::string_view type = "gauge";
};
using MetricLabels = std::vector<std::pair<std::string_view, std::string>>;

class MetricsText {
 public:
  // Samples of one family stand together: all of them are added one after the other. Labels are escaped; bytes that are
  // not UTF-8 are replaced.
  void add(const MetricFamily& family, const MetricLabels& labels, double value);
  // The samples of an older text whose families are none of those here: what was known then.
  void keep_others_of(std::string_view older);
  [[nodiscard]] const std::string& text() const { return text_; }
  // The value of a sample in such a text; `otherwise` if it has none.
  static double value_in(std::string_view text, const MetricFamily& family, const MetricLabels& labels,
                         double otherwise);

 private:
  std::vector<std::string> names_;
  std::string text_;
};

// Where metrics are sent: tools/output/metrics_push.h.
struct MetricsPush {
  std::string url;               // of a Pushgateway; empty: none
  std::string credentials_file;  // holds USER:PASSWORD; empty: it needs none
};

// How a run of a command went, for `--metrics` and `--metrics-push` of those that work on data.
struct RunMetrics {
  std::string file;  // empty: none
  MetricsPush push;
  std::string_view work;  // "backup", "restore", "verify", "copy": a part of the names
  MetricLabels labels;
  std::vector<std::pair<MetricFamily, double>> figures;  // of this run, set by it
  // Nothing is written: the run does no such work.
  void drop() {
    file.clear();
    push.url.clear();
  }
};
struct RunOutcome {
  int exit_status = 0;
  double seconds = 0;  // its duration
  double when = 0;     // its end, in seconds since 1970
};
// What this run alone shows. One that failed has no time of the last success: who keeps an older one is right.
MetricsText run_metrics(const RunMetrics& run, const RunOutcome& outcome);
// Writes the same to its file, with counts of runs and the time of the last success: the file that it was written to
// before has them. Errors: those of write_metrics_file.
Result<void> write_run_metrics(const RunMetrics& run, const RunOutcome& outcome);

// Errors: kUsage (node_exporter would not read a file of this name).
Result<void> check_metrics_file(const std::string& path);
// What the file holds; empty if it cannot be read, or is larger than 16 MiB.
std::string read_metrics_file(const std::string& path);
// Readable for everyone: node_exporter is another user. Errors: those of replace_file.
Result<void> write_metrics_file(const std::string& path, const MetricsText& metrics);

}  // namespace drs
