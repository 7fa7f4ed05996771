#include "tools/output/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "tools/output/printable.h"
#include "tools/output/replace_file.h"

namespace drs {
namespace {

constexpr std::streamoff kFileBytesMax = 16 << 20;

std::string label_value(std::string_view text) {
  std::string out;
  for (const char c : printable_value(text)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
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
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", family.name, family.help);
  }
  text_ += family.name;
  char separator = '{';
  for (const auto& [name, text] : labels) {
    text_ += fmt::format("{}{}=\"{}\"", separator, name, label_value(text));
    separator = ',';
  }
  text_ += fmt::format("{} {}\n", labels.empty() ? "" : "}", value);
}

void MetricsText::keep_others_of(std::string_view older) {
  while (!older.empty()) {
    const std::string_view line = older.substr(0, older.find('\n'));
    older.remove_prefix(std::min(line.size() + 1, older.size()));
    if (!line.empty() && std::ranges::find(names_, family_of(line)) == names_.end()) text_ += std::string(line) + "\n";
  }
}

std::string read_metrics_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || file.tellg() > kFileBytesMax) return "";
  std::string text(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return file ? text : "";
}

Result<void> write_metrics_file(const std::string& path, const MetricsText& metrics) {
  return replace_file(path, metrics.text(), 0644);
}

}  // namespace drs
