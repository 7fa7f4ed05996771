#include "tools/output/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "io/read_to_end.h"
#include "tools/output/printable.h"
#include "tools/output/replace_file.h"

namespace drs {
namespace {

constexpr std::size_t kFileBytesMax = 16 << 20;
constexpr std::string_view kLastSuccess = "run_last_success_timestamp_seconds";
constexpr std::string_view kLastSuccessHelp = "When the last run that succeeded ended; 0: none has.";

std::string run_name(const RunMetrics& run, std::string_view rest) {
  return fmt::format("drstream_{}_{}", run.work, rest);
}

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : printable_value(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

// "name{label="value"}"
std::string series_text(const MetricFamily& family, const MetricLabels& labels) {
  std::string out(family.name);
  char separator = '{';
  for (const auto& [name, text] : labels) {
    out += fmt::format("{}{}=\"{}\"", separator, name, label_value(text));
    separator = ',';
  }
  return out + (labels.empty() ? "" : "}");
}

// The name at the beginning of a sample, or behind "# HELP " or "# TYPE ".
std::string_view family_of(std::string_view line) {
  for (const std::string_view comment : {"# HELP ", "# TYPE "})
    if (line.starts_with(comment)) line.remove_prefix(comment.size());
  return line.substr(0, line.find_first_of("{ "));
}

}  // namespace

void MetricsText::add(const MetricFamily& family, const MetricLabels& labels, double value) {
  if (names_.empty() || names_.back() != family.name) {
    names_.emplace_back(family.name);
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", family.name, family.help, family.type);
  }
  text_ += fmt::format("{} {}\n", series_text(family, labels), value);
}

double MetricsText::value_in(std::string_view text, const MetricFamily& family, const MetricLabels& labels,
                             double otherwise) {
  const std::string begin = "\n" + series_text(family, labels) + " ";
  const std::size_t at = text.find(begin);  // never on the first line, which is a comment
  if (at == std::string_view::npos) return otherwise;
  const std::string_view rest = text.substr(at + begin.size());
  double value = otherwise;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

void MetricsText::keep_others_of(std::string_view older) {
  while (!older.empty()) {
    const std::string_view line = older.substr(0, older.find('\n'));
    older.remove_prefix(std::min(line.size() + 1, older.size()));
    if (!line.empty() && std::ranges::find(names_, family_of(line)) == names_.end()) text_ += std::string(line) + "\n";
  }
}

MetricsText run_metrics(const RunMetrics& run, const RunOutcome& outcome) {
  const bool ok = outcome.exit_status == 0;
  MetricsText out;
  const std::string status = run_name(run, "last_status"), code = run_name(run, "last_exit_code"),
                    took = run_name(run, "last_duration_seconds"), ended = run_name(run, "last_run_timestamp_seconds"),
                    succeeded = run_name(run, kLastSuccess);
  out.add({status, "1: the last run succeeded; 0: it failed."}, run.labels, ok ? 1 : 0);
  out.add({code, "Exit code of the last run."}, run.labels, outcome.exit_status);
  out.add({took, "How long the last run took."}, run.labels, outcome.seconds);
  out.add({ended, "When the last run ended."}, run.labels, outcome.when);
  if (ok) out.add({succeeded, kLastSuccessHelp}, run.labels, outcome.when);
  for (const auto& [family, value] : run.figures) out.add(family, run.labels, value);
  return out;
}

Result<void> write_run_metrics(const RunMetrics& run, const RunOutcome& outcome) {
  const std::string older = read_metrics_file(run.file);
  const bool ok = outcome.exit_status == 0;
  MetricsText out = run_metrics(run, outcome);
  const std::string succeeded = run_name(run, kLastSuccess), runs = run_name(run, "runs_total");
  const MetricFamily success{succeeded, kLastSuccessHelp};
  if (!ok) out.add(success, run.labels, MetricsText::value_in(older, success, run.labels, 0));
  for (const auto& [result, is_this] : {std::pair{"success", ok}, {"failure", !ok}}) {
    MetricLabels labels = run.labels;
    labels.emplace_back("result", result);
    const MetricFamily counter{runs, "Runs since the file was made.", "counter"};
    out.add(counter, labels, MetricsText::value_in(older, counter, labels, 0) + (is_this ? 1 : 0));
  }
  out.keep_others_of(older);  // figures that a run which failed does not have
  return write_metrics_file(run.file, out);
}

Result<void> check_metrics_file(const std::string& path) {
  if (path.ends_with(".prom")) return {};
  return Error(ErrorCode::kUsage,
               fmt::format("--metrics '{}': node_exporter reads only files whose names end in .prom", path));
}

std::string read_metrics_file(const std::string& path) {
  const auto file = open_to_read(path);
  if (!file.ok()) return "";
  CancelToken none;  // a run that was cancelled has metrics, too
  const auto bytes = read_to_end(*file, kFileBytesMax + 1, none);
  return bytes.ok() && bytes->size() <= kFileBytesMax ? std::string(as_text(bytes->view())) : "";
}

Result<void> write_metrics_file(const std::string& path, const MetricsText& metrics) {
  return replace_file(path, metrics.text(), 0644);
}

}  // namespace drs
