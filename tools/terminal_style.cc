#include "tools/terminal_style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace drs {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

TerminalStyle terminal_style(int fd) {
  TerminalStyle style;
  style.is_terminal = ::isatty(fd) == 1;
  const std::string_view kind = variable("TERM");
  style.knows_escapes = style.is_terminal && !kind.empty() && kind != "dumb";
  style.colours = style.knows_escapes && variable("NO_COLOR").empty();
  return style;
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string with_tone(std::string lines, Tone tone, const TerminalStyle& style) {
  if (tone == Tone::kPlain || !style.colours || lines.empty()) return lines;
  lines.insert(std::min(lines.find('\n'), lines.size()), "\x1b[0m");
  lines.insert(0, tone == Tone::kError ? "\x1b[31m" : "\x1b[33m");
  return lines;
}

}  // namespace drs
