#include "tools/output/markup_text.h"

#include <fmt/format.h>

#include "tools/output/printable.h"

namespace drs {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

// `text` is UTF-8.
std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t i = 0; i < text.size(); ++i) {
    // U+FFFE and U+FFFF, which XML 1.0 forbids.
    if (text.substr(i).starts_with("\xEF\xBF\xBE") || text.substr(i).starts_with("\xEF\xBF\xBF")) {
      out += "\xEF\xBF\xBD";
      i += 2;
      continue;
    }
    switch (text[i]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += text[i];
    }
  }
  return out;
}

}  // namespace

std::string without_middle(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  std::size_t head = bytes_max * 2 / 3;
  std::size_t tail = text.size() - bytes_max / 6;
  while (head > 0 && continues_character(text[head])) --head;
  while (tail < text.size() && continues_character(text[tail])) ++tail;
  return fmt::format("{}… [{} bytes] …{}", text.substr(0, head), text.size(), text.substr(tail));
}

std::string markup_value(std::string_view value, std::size_t bytes_max) {
  return escaped(without_middle(printable_value(value), bytes_max));
}

std::string markup_message(std::string_view message) {
  return escaped(without_middle(printable_lines(message), kMarkupMessageBytesMax));
}

}  // namespace drs
