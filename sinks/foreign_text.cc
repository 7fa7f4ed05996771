#include "sinks/foreign_text.h"

namespace drs {

std::string foreign_text(std::string_view text, std::size_t bytes_max) {
  constexpr std::string_view kCut = "...";
  std::string out;
  for (const char c : text) {
    if (out.size() > bytes_max) break;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c > ' ' && c <= '~' ? c : '?';
    }
  }
  if (out.size() > bytes_max) {
    out.resize(bytes_max > kCut.size() ? bytes_max - kCut.size() : 0);
    out += kCut;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

}  // namespace drs
