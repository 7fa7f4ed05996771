#include "sinks/put_body.h"

#include <algorithm>

namespace drs {

std::size_t body_bytes(const PutOperation& operation) {
  std::size_t bytes = 0;
  for (const ByteView piece : operation.body) bytes += piece.size();
  return bytes;
}

bool body_matches(const PutOperation& operation, std::size_t at, ByteView read) {
  for (const ByteView piece : operation.body) {
    if (at >= piece.size()) {
      at -= piece.size();
      continue;
    }
    const std::size_t bytes = std::min(piece.size() - at, read.size());
    if (!std::equal(read.begin(), read.begin() + static_cast<std::ptrdiff_t>(bytes),
                    piece.begin() + static_cast<std::ptrdiff_t>(at)))
      return false;
    read = read.subspan(bytes);
    at = 0;
  }
  return read.empty();
}

}  // namespace drs
