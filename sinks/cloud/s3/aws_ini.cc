#include "sinks/cloud/s3/aws_ini.h"

#include <algorithm>
#include <optional>
#include <string>

namespace drs {
namespace {

constexpr std::string_view kSpace = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

// The text before a '#' or ';' that follows a space.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i)
    if ((text[i] == '#' || text[i] == ';') && kSpace.find(text[i - 1]) != std::string_view::npos)
      return trimmed(text.substr(0, i));
  return text;
}

// The name in "[name]"; only a comment may follow.
std::optional<std::string_view> section_name(std::string_view line) {
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view rest = trimmed(line.substr(end + 1));
  const std::string_view name = trimmed(line.substr(1, end - 1));
  if (name.empty() || (!rest.empty() && rest.front() != '#' && rest.front() != ';')) return std::nullopt;
  return name;
}

std::optional<AwsIniSetting> setting(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  AwsIniSetting out;
  out.name = trimmed(line.substr(0, equals));
  // Keep the space before the value, for a comment in its place.
  out.value = trimmed(without_comment(line.substr(equals + 1)));
  if (out.name.empty()) return std::nullopt;
  return out;
}

// Takes the file line by line.
class Parser {
 public:
  // False if the line cannot be parsed.
  bool take(std::string_view line) {
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return true;
    const std::size_t indent = line.find_first_not_of(kSpace);
    if (indent > indent_ && above_) return take_indented(content);
    if (content.front() == '[') return take_section(content);
    const std::optional<AwsIniSetting> found = setting(content);
    if (!found || sections_.empty()) return false;
    sections_.back().settings.push_back(*found);
    above_ = *found;
    indent_ = indent;
    return true;
  }
  std::vector<AwsIniSection> sections() && { return std::move(sections_); }

 private:
  bool take_section(std::string_view content) {
    const std::optional<std::string_view> name = section_name(content);
    if (!name) return false;
    sections_.push_back({*name, {}});
    above_.reset();
    return true;
  }
  // A continuation line of a value, which no setting that drstream reads has, or a setting within a group.
  bool take_indented(std::string_view content) {
    if (!above_->value.empty()) return true;
    std::optional<AwsIniSetting> found = setting(content);
    if (!found) return false;
    found->group = above_->name;
    sections_.back().settings.push_back(*found);
    return true;
  }

  std::vector<AwsIniSection> sections_;
  std::optional<AwsIniSetting> above_;  // the last setting that is not indented below another
  std::size_t indent_ = 0;              // its
};

}  // namespace

Result<std::vector<AwsIniSection>> parse_aws_ini(std::string_view text) {
  Parser parser;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    ++number;
    if (!parser.take(text.substr(0, length)))
      return Error(ErrorCode::kUsage,
                   "line " + std::to_string(number) + " is neither a [section] nor a \"name = value\" inside one");
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return std::move(parser).sections();
}

}  // namespace drs
