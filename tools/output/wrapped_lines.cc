#include "tools/output/wrapped_lines.h"

#include <algorithm>

namespace drs {
namespace {

constexpr std::size_t kColumnsMin = 40;
constexpr std::size_t kIndent = 2;

// Where what continues `line` begins.
std::size_t hanging_indent(std::string_view line, std::size_t columns) {
  const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
  std::size_t indent = begin + kIndent;
  for (std::size_t gap = line.find("  ", begin); gap < columns / 2; gap = line.find("  ", indent)) {
    const std::size_t cell = line.find_first_not_of(' ', gap);
    if (cell >= columns / 2) break;  // also at the end of the line
    indent = cell;
  }
  return indent;
}

void add_wrapped(std::string& out, std::string_view line, std::size_t columns) {
  const std::size_t indent = hanging_indent(line, columns);
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t word = std::min(line.find_first_not_of(' ', at), line.size());
    const std::size_t end = std::min(line.find(' ', word), line.size());
    const std::size_t width = text_columns(line.substr(word, end - word));
    if (used > indent && used + (word - at) + width > columns) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
    } else {
      out.append(line.substr(at, word - at));
      used += word - at;
    }
    out.append(line.substr(word, end - word));
    used += width;
    at = end;
  }
}

}  // namespace

std::size_t text_columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string wrapped_lines(std::string_view lines, std::size_t columns) {
  if (columns < kColumnsMin) return std::string(lines);
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const std::string_view line = lines.substr(0, end);
    if (text_columns(line) <= columns)
      out += line;
    else
      add_wrapped(out, line, columns);
    if (end == std::string_view::npos) break;
    out += '\n';
    lines.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace drs
