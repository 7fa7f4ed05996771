// Compression of one block at a time: zstd, lz4, or none where it does not pay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

class Lz4Encoder;
class ZstdDecoder;
class ZstdEncoder;

// How a block's bytes are to be read. docs/FORMAT.md, "Blocks".
enum class Codec : std::uint8_t { kRaw = 0, kZstd = 1, kLz4 = 2 };  // stored; never renumber

// What the operator chose. `level` matters to zstd only and is 0 for the others.
struct CompressionChoice {
  Codec codec = Codec::kZstd;
  int level = 1;
  friend bool operator==(const CompressionChoice&, const CompressionChoice&) = default;
};

inline constexpr int kZstdLevelMin = -7;
inline constexpr int kZstdLevelMax = 19;

// Reads "none", "lz4", "zstd" (level 1) or "zstd:N" with N in 1..19 or -7..-1. Errors: kUsage, saying what is accepted.
Result<CompressionChoice> parse_compression(std::string_view text);
// The text that parse_compression reads back to the same choice: "zstd:1".
std::string to_string(CompressionChoice choice);

// The most memory that a Compressor of this choice holds for inputs of up to `input_bytes_max`: for the memory sum.
std::size_t compression_context_bytes(CompressionChoice choice, std::size_t input_bytes_max);
// The same for a Decompressor. It does not depend on what is decoded.
std::size_t decompression_context_bytes();

// Compresses blocks one-shot, with one context that is reused. One instance, one thread.
//
// A zstd block is one frame with its content size in the header, no checksum and no dictionary; an lz4 block is one raw
// LZ4 block. From zstd level 4 on, an input of 64 KiB or more is first probed: three samples of 4 KiB (beginning,
// middle and end) are compressed at level 1, and if none of them shrinks below 97 %, the block is taken for
// incompressible: the high levels would spend ten times as long to find the same.
class Compressor {
 public:
  // Inputs larger than `input_bytes_max` (at most 1 GiB) are assertion failures later. Errors: kInternal when there is
  // no memory for the context.
  static Result<Compressor> make(CompressionChoice choice, std::size_t input_bytes_max);
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  ~Compressor();

  struct Output {
    Codec codec;
    std::size_t bytes;
  };

  // Compresses `in` into `out`, which is at least as long. Answers {kRaw, in.size()} when fewer than 3 % would be
  // saved: the caller then stores `in` itself, and the contents of `out` mean nothing. Errors: kInternal.
  Result<Output> compress(ByteView in, MutableByteView out);

  // Memory held now.
  [[nodiscard]] std::size_t context_bytes() const;

 private:
  Compressor(CompressionChoice choice, std::size_t input_bytes_max);
  CompressionChoice choice_;
  std::size_t input_bytes_max_;
  std::unique_ptr<ZstdEncoder> zstd_;
  std::unique_ptr<Lz4Encoder> lz4_;
};

// Reads blocks of every codec back. One instance, one thread.
class Decompressor {
 public:
  // Errors: kInternal when there is no memory for the context.
  static Result<Decompressor> make();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  // Decodes `in`, which must yield exactly out.size() bytes. Trusts nothing in `in`, never writes past `out`, and
  // allocates nothing. Errors: kCorrupt (then the contents of `out` mean nothing), also for a codec nobody knows.
  Result<void> decompress(Codec codec, ByteView in, MutableByteView out);

 private:
  explicit Decompressor(std::unique_ptr<ZstdDecoder> zstd);
  std::unique_ptr<ZstdDecoder> zstd_;
};

}  // namespace drs
