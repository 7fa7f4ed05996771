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

 private:
  std::vector<std::string> names_;
  std::string text_;
};

// What the file holds; empty if it cannot be read, or is larger than 16 MiB.
std::string read_metrics_file(const std::string& path);
// Readable for everyone: node_exporter is another user. Errors: those of replace_file.
Result<void> write_metrics_file(const std::string& path, const MetricsText& metrics);

}  // namespace drs
