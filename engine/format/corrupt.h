// The one way decoders here say that bytes are damaged: corrupt("recipe part: run ", 3, " is empty"), or that they mean
// something that this version does not know: too_new("slot: kind is ", 9).
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

inline void append_text(std::string& out, std::string_view text) {
  out += text;
}
inline void append_text(std::string& out, std::integral auto number) {
  out += std::to_string(number);
}

// An Error of kCorrupt whose message is its parts, texts and numbers, one after the other.
template <typename... Parts>
Error corrupt(const Parts&... parts) {
  std::string text;
  (append_text(text, parts), ...);
  return {ErrorCode::kCorrupt, std::move(text)};
}

template <typename... Parts>
Error too_new(const Parts&... parts) {
  std::string text;
  (append_text(text, parts), ...);
  return {ErrorCode::kFormatTooNew, text + ": use a newer drstream"};
}

}  // namespace drs
