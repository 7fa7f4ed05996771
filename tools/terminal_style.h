// What a descriptor may be sent besides plain text: nothing where it is no terminal; colours and the erasing of a line
// where TERM names one that knows them; no colours with NO_COLOR (no-color.org).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace drs {

inline constexpr std::string_view kEraseLine = "\r\x1b[K";  // where the terminal knows escapes

enum class Tone : std::uint8_t { kPlain, kWarning, kError };

struct TerminalStyle {
  bool is_terminal = false;
  bool knows_escapes = false;  // false for TERM=dumb, and where TERM is not set
  bool colours = false;
};
// Reads TERM and NO_COLOR.
TerminalStyle terminal_style(int fd);

// How many columns it has now: 80 where it does not say.
std::size_t terminal_columns(int fd);

// `lines` with the first of them in the colour of `tone`: yellow for a warning, red for an error.
std::string with_tone(std::string lines, Tone tone, const TerminalStyle& style);

}  // namespace drs
