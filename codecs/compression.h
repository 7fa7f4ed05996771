// Compression of one block at a time: zstd, lz4, or none if the block does not shrink enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

class Lz4Encoder;
class ZstdDecoder;
class ZstdEncoder;

// How a stored block is encoded. docs/FORMAT.md, "Blocks".
enum class Codec : std::uint8_t { kRaw = 0, kZstd = 1, kLz4 = 2 };  // stored; never renumber

// The operator's choice. `level` applies to zstd only and is 0 for the others.
struct CompressionChoice {
  Codec codec = Codec::kZstd;
  int level = 1;
  friend bool operator==(const CompressionChoice&, const CompressionChoice&) = default;
};

inline constexpr int kZstdLevelMin = -7;
inline constexpr int kZstdLevelMax = 19;

// Parses "none", "lz4", "zstd" (level 1) or "zstd:N" with N in 1..19 or -7..-1. Errors: kUsage, listing what is
// accepted.
Result<CompressionChoice> parse_compression(std::string_view text);
// The text that parse_compression parses to the same choice: "zstd:1".
std::string to_string(CompressionChoice choice);

// The most memory that a Compressor of this choice holds for inputs of up to `input_bytes_max`: for the memory budget.
std::size_t compression_context_bytes(CompressionChoice choice, std::size_t input_bytes_max);
// The same for a Decompressor. It does not depend on the input.
std::size_t decompression_context_bytes();

// Compresses each block in one call, with a reused context. One instance, one thread.
//
// A zstd block is one frame with its content size in the header, no checksum and no dictionary; an lz4 block is one raw
// LZ4 block. From zstd level 4 on, an input of 64 KiB or more is first probed: three samples of 4 KiB (beginning,
// middle and end) are compressed at level 1. If none of them shrinks below 97 %, the block counts as incompressible:
// the high levels would need ten times as long to find that out.
class Compressor {
 public:
  // compress() asserts that inputs have at most `input_bytes_max` (at most 1 GiB). Errors: kBusy if out of memory.
  static Result<Compressor> make(CompressionChoice choice, std::size_t input_bytes_max);
  Compressor(Compressor&&) noexcept;
  Compressor& operator=(Compressor&&) noexcept;
  ~Compressor();

  struct Output {
    Codec codec;
    std::size_t bytes;
  };

  // Compresses `in` into `out`, which is at least as long. Returns {kRaw, in.size()} if it would save less than 3 %:
  // the caller then stores `in` itself, and the contents of `out` are unspecified. Errors: kBusy if out of memory;
  // kInternal.
  Result<Output> compress(ByteView in, MutableByteView out);

  // The memory held now.
  [[nodiscard]] std::size_t context_bytes() const;

 private:
  Compressor(CompressionChoice choice, std::size_t input_bytes_max);
  CompressionChoice choice_;
  std::size_t input_bytes_max_;
  std::unique_ptr<ZstdEncoder> zstd_;
  std::unique_ptr<Lz4Encoder> lz4_;
};

// Decompresses blocks of every codec. One instance, one thread.
class Decompressor {
 public:
  // Errors: kBusy if out of memory.
  static Result<Decompressor> make();
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  // Decodes `in`, which must yield exactly out.size() bytes. Treats `in` as untrusted, never writes past `out`, and
  // does not allocate. Errors: kCorrupt, also for an unknown codec; the contents of `out` are then unspecified.
  Result<void> decompress(Codec codec, ByteView in, MutableByteView out);

 private:
  explicit Decompressor(std::unique_ptr<ZstdDecoder> zstd);
  std::unique_ptr<ZstdDecoder> zstd_;
};

}  // namespace drs
