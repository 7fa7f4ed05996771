#include "codecs/crc32c.h"

#include <array>
#include <cstring>

namespace drs {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // bit-reversed
constexpr std::size_t kStride = 8;

// kTables[n][b]: the remainder of byte b followed by n zero bytes.
using Tables = std::array<std::array<std::uint32_t, 256>, kStride>;
constexpr Tables make_tables() {
  Tables out{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t remainder = b;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1U) != 0 ? kPolynomial : 0U);
    out[0][b] = remainder;
  }
  for (std::size_t n = 1; n < kStride; ++n)
    for (std::size_t b = 0; b < 256; ++b) out[n][b] = (out[n - 1][b] >> 8) ^ out[0][out[n - 1][b] & 0xFFU];
  return out;
}
constexpr Tables kTables = make_tables();

std::uint64_t word_at(const Byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, kStride);
  return word;
}

std::uint32_t by_tables(ByteView bytes, std::uint32_t remainder) {
  for (; bytes.size() >= kStride; bytes = bytes.subspan(kStride)) {
    const std::uint64_t word = word_at(bytes.data()) ^ remainder;
    remainder = 0;
    for (std::size_t i = 0; i < kStride; ++i) remainder ^= kTables[kStride - 1 - i][(word >> (8 * i)) & 0xFFU];
  }
  for (const Byte byte : bytes) remainder = (remainder >> 8) ^ kTables[0][(remainder ^ byte) & 0xFFU];
  return remainder;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(ByteView bytes, std::uint32_t remainder) {
  std::uint64_t wide = remainder;
  for (; bytes.size() >= kStride; bytes = bytes.subspan(kStride))
    wide = __builtin_ia32_crc32di(wide, word_at(bytes.data()));
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const Byte byte : bytes) narrow = __builtin_ia32_crc32qi(narrow, byte);
  return narrow;
}
bool has_instruction() {
  return __builtin_cpu_supports("sse4.2") != 0;
}
#else
std::uint32_t by_instruction(ByteView bytes, std::uint32_t remainder) {
  return by_tables(bytes, remainder);
}
bool has_instruction() {
  return false;
}
#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
  static const bool kHasInstruction = has_instruction();
  return ~(kHasInstruction ? by_instruction(bytes, ~before) : by_tables(bytes, ~before));
}

std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t before) {
  return ~by_tables(bytes, ~before);
}

}  // namespace drs
