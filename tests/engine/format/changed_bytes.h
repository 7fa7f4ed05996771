// Inputs of decoders: bytes with a number in front; malformed ones are valid ones with a change.
#pragma once

#include <cstring>

#include "io/base/bytes.h"

namespace drs::golden {

inline Bytes framed_u64(std::uint64_t front, ByteView plain) {
  Bytes out;
  ByteWriter writer(out);
  writer.u64(front);
  writer.raw(plain);
  return out;
}

inline Bytes with_u8(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}

inline Bytes with_u32(Bytes bytes, std::size_t at, std::uint32_t value) {
  DRS_ASSERT(at + sizeof value <= bytes.size(), "a field outside the input");
  std::memcpy(bytes.data() + at, &value, sizeof value);
  return bytes;
}

inline Bytes truncated(Bytes bytes, std::size_t by) {
  bytes.resize(bytes.size() - by);
  return bytes;
}

inline Bytes with_more(Bytes bytes) {
  bytes.push_back(0);
  return bytes;
}

// Replaces `erased` bytes at `at` by `piece`.
inline Bytes spliced(Bytes bytes, std::size_t at, std::size_t erased, const Bytes& piece) {
  const auto where = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  const auto after = bytes.erase(where, where + static_cast<std::ptrdiff_t>(erased));
  bytes.insert(after, piece.begin(), piece.end());
  return bytes;
}

}  // namespace drs::golden
