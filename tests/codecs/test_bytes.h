// Test bytes: from hex, and pseudo-random from a seed.
#pragma once

#include <algorithm>
#include <string_view>

#include "io/base/bytes.h"

namespace drs {

inline Bytes bytes_from_hex(std::string_view hex) {
  Bytes out(hex.size() / 2);
  DRS_ASSERT(from_hex(hex, out), "a test vector is not hex");
  return out;
}

inline Bytes bytes_of(std::string_view text) {
  return {as_bytes(text).begin(), as_bytes(text).end()};
}

// SplitMix64 (Steele, Lea, Flood 2014), eight little-endian bytes at a time. Never change it: golden vectors are
// computed from its output.
inline Bytes pseudo_random_bytes(std::size_t count, std::uint64_t seed) {
  Bytes out(count);
  for (std::size_t at = 0; at < count; at += 8) {
    seed += 0x9E3779B97F4A7C15;
    std::uint64_t word = seed;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    word ^= word >> 31;
    std::memcpy(out.data() + at, &word, std::min<std::size_t>(8, count - at));
  }
  return out;
}

}  // namespace drs
