#include "codecs/compression.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "codecs/lz4_codec.h"
#include "codecs/zstd_codec.h"
#include "io/base/catch_thrown.h"

namespace drs {
namespace {

constexpr std::size_t kInputBytesMax = kGiB;

// Probing of high zstd levels; compression.h explains why.
constexpr int kProbedLevelMin = 4;
constexpr int kProbeLevel = 1;
constexpr std::size_t kProbeSampleBytes = 4 * kKiB;
constexpr std::size_t kProbedInputBytesMin = 64 * kKiB;

// The longest compressed form that is worth storing: less than 97 % of the input.
constexpr std::size_t worthwhile_bytes_max(std::size_t input_bytes) {
  return input_bytes == 0 ? 0 : ((input_bytes * 97) - 1) / 100;
}

Result<bool> any_sample_shrinks(ZstdEncoder& zstd, ByteView in) {
  const std::array<std::size_t, 3> sample_offsets = {0, (in.size() - kProbeSampleBytes) / 2,
                                                     in.size() - kProbeSampleBytes};
  std::array<Byte, worthwhile_bytes_max(kProbeSampleBytes)> scratch;
  for (const std::size_t offset : sample_offsets) {
    DRS_ASSIGN_OR_RETURN(const std::size_t bytes,
                         zstd.compress(in.subspan(offset, kProbeSampleBytes), scratch, kProbeLevel));
    if (bytes != 0) return true;
  }
  return false;
}

Error not_a_compression(std::string_view text) {
  return Error(ErrorCode::kUsage, "unknown compression \"" + std::string(text) +
                                      "\": use none, lz4, zstd, or zstd:N with N in 1..19 or -7..-1");
}

}  // namespace

Result<CompressionChoice> parse_compression(std::string_view text) {
  if (text == "none") return CompressionChoice{Codec::kRaw, 0};
  if (text == "lz4") return CompressionChoice{Codec::kLz4, 0};
  if (text == "zstd") return CompressionChoice{};
  constexpr std::string_view kZstdPrefix = "zstd:";
  if (!text.starts_with(kZstdPrefix)) return not_a_compression(text);
  const std::string_view digits = text.substr(kZstdPrefix.size());
  CompressionChoice choice;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), choice.level);
  const bool in_range = choice.level >= kZstdLevelMin && choice.level <= kZstdLevelMax && choice.level != 0;
  if (error != std::errc{} || end != digits.data() + digits.size() || !in_range) return not_a_compression(text);
  return choice;
}

std::string to_string(CompressionChoice choice) {
  switch (choice.codec) {
    case Codec::kRaw: return "none";
    case Codec::kLz4: return "lz4";
    case Codec::kZstd: return "zstd:" + std::to_string(choice.level);
  }
  DRS_ASSERT(false, "no such codec");
}

std::size_t compression_context_bytes(CompressionChoice choice, std::size_t input_bytes_max) {
  switch (choice.codec) {
    case Codec::kRaw: return 0;
    case Codec::kLz4: return Lz4Encoder::context_bytes();
    case Codec::kZstd: {
      const std::size_t bytes = ZstdEncoder::context_bytes_max(choice.level, input_bytes_max);
      if (choice.level < kProbedLevelMin) return bytes;
      return std::max(bytes, ZstdEncoder::context_bytes_max(kProbeLevel, kProbeSampleBytes));
    }
  }
  DRS_ASSERT(false, "no such codec");
}

std::size_t decompression_context_bytes() {
  return ZstdDecoder::context_bytes();
}

Compressor::Compressor(CompressionChoice choice, std::size_t input_bytes_max)
    : choice_(choice), input_bytes_max_(input_bytes_max) {}
Compressor::Compressor(Compressor&&) noexcept = default;
Compressor& Compressor::operator=(Compressor&&) noexcept = default;
Compressor::~Compressor() = default;

Result<Compressor> Compressor::make(CompressionChoice choice, std::size_t input_bytes_max) {
  DRS_ASSERT(input_bytes_max <= kInputBytesMax, "blocks are at most 1 GiB long");
  Compressor compressor(choice, input_bytes_max);
  if (choice.codec == Codec::kZstd) {
    compressor.zstd_ = ZstdEncoder::make();
    if (compressor.zstd_ == nullptr) return no_memory_error();
  } else if (choice.codec == Codec::kLz4) {
    compressor.lz4_ = std::make_unique<Lz4Encoder>();
  }
  return compressor;
}

Result<Compressor::Output> Compressor::compress(ByteView in, MutableByteView out) {
  DRS_ASSERT(in.size() <= input_bytes_max_, "block longer than this compressor's input_bytes_max");
  DRS_ASSERT(out.size() >= in.size(), "output smaller than the block");
  const Output raw{Codec::kRaw, in.size()};
  const MutableByteView room = out.first(worthwhile_bytes_max(in.size()));
  if (room.empty()) return raw;
  std::size_t bytes = 0;
  if (zstd_ != nullptr) {
    if (choice_.level >= kProbedLevelMin && in.size() >= kProbedInputBytesMin) {
      DRS_ASSIGN_OR_RETURN(const bool promising, any_sample_shrinks(*zstd_, in));
      if (!promising) return raw;
    }
    DRS_ASSIGN_OR_RETURN(bytes, zstd_->compress(in, room, choice_.level));
  } else if (lz4_ != nullptr) {
    bytes = lz4_->compress(in, room);
  }
  return bytes == 0 ? raw : Output{choice_.codec, bytes};
}

std::size_t Compressor::context_bytes() const {
  if (zstd_ != nullptr) return zstd_->context_bytes();
  return lz4_ != nullptr ? Lz4Encoder::context_bytes() : 0;
}

Decompressor::Decompressor(std::unique_ptr<ZstdDecoder> zstd) : zstd_(std::move(zstd)) {}
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

Result<Decompressor> Decompressor::make() {
  std::unique_ptr<ZstdDecoder> zstd = ZstdDecoder::make();
  if (zstd == nullptr) return no_memory_error();
  return Decompressor(std::move(zstd));
}

Result<void> Decompressor::decompress(Codec codec, ByteView in, MutableByteView out) {
  switch (codec) {
    case Codec::kRaw:
      if (in.size() != out.size()) {
        return Error(ErrorCode::kCorrupt,
                     "raw block holds " + std::to_string(in.size()) + " bytes, expected " + std::to_string(out.size()));
      }
      if (!in.empty()) std::memcpy(out.data(), in.data(), in.size());
      return {};
    case Codec::kZstd: return zstd_->decompress(in, out);
    case Codec::kLz4: return lz4_decompress(in, out);
  }
  return Error(ErrorCode::kCorrupt, "unknown codec " + std::to_string(static_cast<unsigned>(codec)));
}

}  // namespace drs
