// Compresses a block, seals it into the open pack, and decodes it back before anything relies on it. One instance per
// worker.
#pragma once

#include "codecs/compression.h"
#include "engine/pipeline/push/pack_writer.h"
#include "engine/pipeline/push/segment.h"
#include "io/base/bytes.h"

namespace drs {

// The decompressor and memory for decoding a block.
struct DecodeRoom {
  Decompressor& decompressor;
  MutableByteView opened;   // for the sealed content
  MutableByteView decoded;  // for the block: the same memory if it is not compressed
};

// Opens and decodes a block that was just sealed, and compares its XXH3 with that of the bytes read. Errors: kInternal.
Result<void> check_decodes_back(const ObjectOpener& opener, const SealLabel& label, ByteView sealed,
                                const Xxh3Digest& expected, const DecodeRoom& room);

class BlockSealer {
 public:
  struct Options {
    Uuid session;  // owner of the blocks
    CompressionChoice compression;
    bool read_back = true;  // decode each block before it is stored
  };
  // `scratch`: the worker's own memory, two halves of at least kBlockBytesMax each.
  static Result<BlockSealer> make(const Options& options, PackWriter& packs, PushMeter& meter, MutableByteView scratch);
  // Returns the block's size in the pack, in bytes. Errors: kInternal (the block does not decode back to its input: the
  // machine computes wrong results, and none of its output can be trusted); kCancelled.
  Result<std::size_t> seal(const BlockJob& job);

 private:
  BlockSealer(const Options& options, PackWriter& packs, PushMeter& meter, MutableByteView scratch,
              Compressor compressor, Decompressor decompressor)
      : options_(options),
        packs_(&packs),
        meter_(&meter),
        compressed_(scratch.first(scratch.size() / 2)),
        decoded_(scratch.last(scratch.size() / 2)),
        compressor_(std::move(compressor)),
        decompressor_(std::move(decompressor)) {}
  Options options_;
  PackWriter* packs_;
  PushMeter* meter_;
  MutableByteView compressed_, decoded_;
  Compressor compressor_;
  Decompressor decompressor_;
};

}  // namespace drs
