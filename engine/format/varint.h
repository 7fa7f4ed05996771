// Arithmetic of varints (docs/FORMAT.md, "Conventions"). ByteWriter and ByteReader write and read them; the record
// block, which handles millions, has its own loops.
#pragma once

#include <cstddef>
#include <cstdint>

namespace drs {

inline constexpr std::size_t kVarintBytesMax = 10;

// The bytes of the varint of `value`.
constexpr std::size_t varint_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

// Zigzag: 0, -1, 1, -2, ... as 0, 1, 2, 3, ..., so that small numbers of either sign have short varints.
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t unzigzag(std::uint64_t coded) {
  return static_cast<std::int64_t>((coded >> 1) ^ (~(coded & 1) + 1));
}

// b - a and a + b modulo 2^64, so that any two numbers have a difference.
constexpr std::int64_t wrapped_difference(std::int64_t b, std::int64_t a) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a));
}
constexpr std::int64_t wrapped_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace drs
