#include "codecs/lz4_codec.h"

#include <lz4.h>

namespace drs {
namespace {

constexpr int kAcceleration = 1;  // LZ4's default

const char* chars(ByteView bytes) {
  return reinterpret_cast<const char*>(bytes.data());
}
char* chars(MutableByteView bytes) {
  return reinterpret_cast<char*>(bytes.data());
}

}  // namespace

Lz4Encoder::Lz4Encoder() : state_((context_bytes() + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t)) {}

std::size_t Lz4Encoder::compress(ByteView in, MutableByteView out) {
  DRS_ASSERT(in.size() <= kGiB && out.size() <= kGiB, "input too long for LZ4");
  return static_cast<std::size_t>(LZ4_compress_fast_extState(
      state_.data(), chars(in), chars(out), static_cast<int>(in.size()), static_cast<int>(out.size()), kAcceleration));
}

std::size_t Lz4Encoder::context_bytes() {
  return static_cast<std::size_t>(LZ4_sizeofState());
}

Result<void> lz4_decompress(ByteView in, MutableByteView out) {
  DRS_ASSERT(out.size() <= kGiB, "output too long for LZ4");
  if (in.empty() || in.size() > kGiB) return Error(ErrorCode::kCorrupt, "LZ4 block has an impossible length");
  const int bytes =
      LZ4_decompress_safe(chars(in), chars(out), static_cast<int>(in.size()), static_cast<int>(out.size()));
  if (bytes < 0) return Error(ErrorCode::kCorrupt, "LZ4 block is damaged");
  if (static_cast<std::size_t>(bytes) != out.size()) {
    return Error(ErrorCode::kCorrupt,
                 "LZ4 block holds " + std::to_string(bytes) + " bytes, expected " + std::to_string(out.size()));
  }
  return {};
}

}  // namespace drs
