// Single-call zstd frames. Internal to codecs/: Compressor sets levels and limits and decides which blocks are stored
// raw.
#pragma once

#include <cstddef>
#include <memory>

#include "io/base/bytes.h"
#include "io/base/result.h"

extern "C" {
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;
}

namespace drs {

// One instance, one thread.
class ZstdEncoder {
 public:
  // Returns null if out of memory.
  static std::unique_ptr<ZstdEncoder> make();

  // Compresses `in` to one frame with its content size, no checksum. Returns the frame's length, or 0 if it does not
  // fit into `out`: zstd then stops early. Errors: kBusy if out of memory; kInternal.
  Result<std::size_t> compress(ByteView in, MutableByteView out, int level);

  [[nodiscard]] std::size_t context_bytes() const;
  // The maximum of context_bytes() for inputs of up to `input_bytes_max`.
  static std::size_t context_bytes_max(int level, std::size_t input_bytes_max);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  explicit ZstdEncoder(ZSTD_CCtx_s* context) : context_(context) {}
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

// One instance, one thread.
class ZstdDecoder {
 public:
  // Returns null if out of memory.
  static std::unique_ptr<ZstdDecoder> make();

  // Decodes `in`, which must be exactly one frame that declares and holds out.size() bytes. Errors: kCorrupt.
  Result<void> decompress(ByteView in, MutableByteView out);

  static std::size_t context_bytes();

 private:
  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  explicit ZstdDecoder(ZSTD_DCtx_s* context) : context_(context) {}
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
};

}  // namespace drs
