// Terminals: which escapes and colours a descriptor takes, how wide it is, and its echo.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace drs {

inline constexpr std::string_view kEraseLine = "\r\x1b[K";  // where the terminal knows escapes

// kVerbatim: JSON, and pages that have their form; neither coloured nor wrapped.
enum class Tone : std::uint8_t { kVerbatim, kPlain, kWarning, kError };

// What a descriptor accepts besides plain text: nothing if it is not a terminal; colours and line erasing if TERM names
// a terminal that has them; no colours with NO_COLOR (no-color.org).
struct TerminalStyle {
  bool is_terminal = false;
  bool knows_escapes = false;  // false for TERM=dumb, and where TERM is not set
  bool colours = false;
};
// Reads TERM and NO_COLOR.
TerminalStyle terminal_style(int fd);

// Its columns now; 80 if it does not report them.
std::size_t terminal_columns(int fd);

// `lines` as what `style` describes, of this width, shows them best. On a terminal long lines are wrapped
// (wrapped_lines.h); with colours the first line is yellow for a warning, red for an error.
std::string lines_for(const TerminalStyle& style, std::size_t columns, std::string_view lines, Tone tone);

// Turns the echo off during its lifetime, while a secret is typed; one at a time. The echo is restored on every signal
// that ends a process by default, on a stop (Ctrl-Z; off again once continued), and on the exit at a second SIGTERM.
// Only SIGKILL leaves it off.
class SilencedEcho {
 public:
  explicit SilencedEcho(int fd);  // borrowed
  ~SilencedEcho();
  SilencedEcho(const SilencedEcho&) = delete;
  SilencedEcho& operator=(const SilencedEcho&) = delete;
  // False: this terminal's echo could not be turned off.
  [[nodiscard]] bool silent() const { return silent_; }

 private:
  bool silent_ = false;
};

// Turns a silenced echo on again, from any thread and from signal handlers: for an exit that runs no destructor.
void restore_terminal_echo();

}  // namespace drs
