// Raw LZ4 blocks. Internal to codecs/: compression.h decides limits and what is stored raw.
#pragma once

#include <cstddef>
#include <vector>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// One instance, one thread.
class Lz4Encoder {
 public:
  Lz4Encoder();

  // Returns the block's length, or 0 if it does not fit into `out`. `in` is at most 1 GiB long.
  std::size_t compress(ByteView in, MutableByteView out);

  static std::size_t context_bytes();

 private:
  std::vector<std::uint64_t> state_;  // LZ4 wants its state aligned to 8 bytes
};

// Decodes `in`, which must hold exactly out.size() bytes. Any thread. Errors: kCorrupt.
Result<void> lz4_decompress(ByteView in, MutableByteView out);

}  // namespace drs
