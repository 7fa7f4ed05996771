// Compresses a block, seals it into the open pack, and decodes it back before anybody relies on it. One per worker.
#pragma once

#include "codecs/compression.h"
#include "engine/pipeline/pack_writer.h"
#include "engine/pipeline/segment.h"
#include "io/bytes.h"

namespace drs {

// Opens and decodes a block that was just sealed, and compares it with the XXH3 of what was read. `opened`: room for
// what the seal holds; `decoded`: for the block; the same where the block is not compressed. Errors: kInternal.
Result<void> check_decodes_back(const ObjectOpener& opener, const SealLabel& label, ByteView sealed,
                                const Xxh3Digest& expected, Decompressor& decompressor, MutableByteView opened,
                                MutableByteView decoded);

class BlockSealer {
 public:
  // `scratch`: two halves of at least kBlockBytesMax each, this worker's own.
  static Result<BlockSealer> make(CompressionChoice compression, bool read_back, const Uuid& session, PackWriter& packs,
                                  PushMeter& meter, MutableByteView scratch);
  // Returns how many bytes were stored. Errors: kInternal when the block does not decode back to what it was (this
  // machine computes wrongly: nothing it made can be trusted); kCancelled.
  Result<std::size_t> seal(const BlockJob& job);

 private:
  BlockSealer(bool read_back, const Uuid& session, PackWriter& packs, PushMeter& meter, MutableByteView scratch,
              Compressor compressor, Decompressor decompressor)
      : read_back_(read_back),
        session_(session),
        packs_(&packs),
        meter_(&meter),
        compressed_(scratch.first(scratch.size() / 2)),
        decoded_(scratch.last(scratch.size() / 2)),
        compressor_(std::move(compressor)),
        decompressor_(std::move(decompressor)) {}
  bool read_back_;
  Uuid session_;
  PackWriter* packs_;
  PushMeter* meter_;
  MutableByteView compressed_, decoded_;
  Compressor compressor_;
  Decompressor decompressor_;
};

}  // namespace drs
