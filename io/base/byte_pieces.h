// Bytes that lie in several pieces, to be read end to end.
#pragma once

#include <cstddef>
#include <span>

#include "io/base/bytes.h"

namespace drs {

inline std::size_t total_bytes(std::span<const ByteView> pieces) {
  std::size_t total = 0;
  for (const ByteView piece : pieces) total += piece.size();
  return total;
}

}  // namespace drs
