// Text within HTML and XML. Names, messages and quotes come from stored objects, from servers and from children, so
// anyone who can store an object chooses their bytes: none of them may become markup, a control character or a bidi
// mark, and none may make a page unreadable by its length. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace drs {

inline constexpr std::size_t kMarkupValueBytesMax = 240;
inline constexpr std::size_t kMarkupProblemBytesMax = 1200;
inline constexpr std::size_t kMarkupMessageBytesMax = 8192;

// A value within a line: printable (tools/output/printable.h), at most about `bytes_max` long with its middle
// left out, and escaped for text and for attributes in quotes, as both HTML and XML 1.0 take it.
std::string markup_value(std::string_view value, std::size_t bytes_max = kMarkupValueBytesMax);
// The same for a message, whose line feeds stay and which may be longer.
std::string markup_message(std::string_view message);

// `text` with its middle replaced by "… [N bytes] …" if it is longer than `bytes_max`. Cuts between characters.
std::string without_middle(std::string_view text, std::size_t bytes_max);

}  // namespace drs
