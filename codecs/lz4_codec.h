// Raw LZ4 blocks. Internal to codecs/: Compressor sets the limits and decides which blocks are stored raw.
#pragma once

#include <cstddef>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// One instance, one thread.
class Lz4Encoder {
 public:
  Lz4Encoder();

  // Returns the block's length, or 0 if it does not fit into `out`. `in` is at most 1 GiB long.
  std::size_t compress(ByteView in, MutableByteView out);

  static std::size_t context_bytes();

 private:
  std::vector<std::uint64_t> state_;  // LZ4 requires its state to be aligned to 8 bytes
};

// Decodes `in`, which must decode to exactly out.size() bytes. Thread-safe. Errors: kCorrupt.
Result<void> lz4_decompress(ByteView in, MutableByteView out);

}  // namespace drs
