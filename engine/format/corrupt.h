// How decoders report damaged bytes: corrupt("recipe part: run ", 3, " is empty"), and values that this version does
// not know: too_new("slot: kind is ", 9).
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

inline void append_text(std::string& out, std::string_view text) {
  out += text;
}
inline void append_text(std::string& out, std::integral auto number) {
  out += std::to_string(number);
}

// Returns a kCorrupt error; its message is the concatenation of the parts, which are texts and integers.
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

// A count that the remaining bytes cannot hold, noticed before memory is taken for it.
inline Error too_many(std::string_view what, std::string_view entries, std::uint64_t count,
                      std::size_t remaining_bytes) {
  return {ErrorCode::kTruncated, std::string(what) + ": " + std::to_string(count) + " " + std::string(entries) +
                                     " do not fit into the remaining " + std::to_string(remaining_bytes) + " bytes"};
}

}  // namespace drs
