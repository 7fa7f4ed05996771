#include "engine/pipeline/push/block_sealer.h"

namespace drs {

Result<void> check_decodes_back(const ObjectOpener& opener, const SealLabel& label, ByteView sealed,
                                const Xxh3Digest& expected, const DecodeRoom& room) {
  auto result = opener.open(label, sealed, room.opened);
  if (result.ok() && label.codec != Codec::kRaw)
    result = room.decompressor.decompress(label.codec, room.opened, room.decoded);
  if (result.ok() && xxh3_128(room.decoded) == expected) return {};
  return Error(ErrorCode::kInternal, "it did not decode back to what was read" +
                                         (result.ok() ? "" : " (" + result.error().message + ")") +
                                         ": this machine's memory or processor is faulty, or drstream has a bug");
}

Result<BlockSealer> BlockSealer::make(const Options& options, PackWriter& packs, PushMeter& meter,
                                      MutableByteView scratch) {
  DRS_ASSIGN_OR_RETURN(Compressor compressor, Compressor::make(options.compression, kBlockBytesMax));
  DRS_ASSIGN_OR_RETURN(Decompressor decompressor, Decompressor::make());
  return BlockSealer(options, packs, meter, scratch, std::move(compressor), std::move(decompressor));
}

Result<std::size_t> BlockSealer::seal(const BlockJob& job) {
  StretchClock clock(*meter_);
  TableBlock block;
  block.record.id = {options_.session, job.counter};
  block.record.kind = job.kind;
  block.record.raw_bytes = static_cast<std::uint32_t>(job.plain.size());
  if (job.chunks) {
    block.chunks = *job.chunks;
    block.record.chunk_count = static_cast<std::uint16_t>(job.chunks->size());
  }
  block.record.xxh3 = xxh3_128(job.plain);
  const Xxh3Digest expected = block.record.xxh3;

  DRS_ASSIGN_OR_RETURN(const Compressor::Output output, compressor_.compress(job.plain, compressed_));
  block.record.codec = output.codec;
  const ByteView encoded = output.codec == Codec::kRaw ? job.plain : ByteView(compressed_.first(output.bytes));
  SealLabel label = block.record.label();
  clock.stage(PushStage::kCompress, job.plain.size());

  // Sealing writes the bytes from the worker's cache straight to their place in the pack.
  const std::size_t sealed_bytes = encoded.size() + kSealBytes;
  DRS_ASSIGN_OR_RETURN(PackWriter::Slot slot, packs_->reserve(std::move(block), sealed_bytes));
  label.ordinal = slot.ordinal;
  clock.restart();
  slot.sealer->seal(label, encoded, slot.sealed);
  clock.stage(PushStage::kSeal, encoded.size());

  if (options_.read_back) {
    const MutableByteView decoded = decoded_.first(job.plain.size());
    const MutableByteView opened = output.codec == Codec::kRaw ? decoded : compressed_.first(output.bytes);
    auto same = check_decodes_back(*slot.opener, label, slot.sealed, expected, {decompressor_, opened, decoded});
    if (!same.ok())
      return std::move(same).error().with_context("block " + to_string(BlockId{options_.session, job.counter}));
    clock.stage(PushStage::kDecodeBack, decoded.size());
  }
  packs_->finish(std::move(slot));
  return sealed_bytes;
}

}  // namespace drs
