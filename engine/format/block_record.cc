#include "engine/format/block_record.h"

#include "engine/format/corrupt.h"

namespace drs {
namespace {

Result<void> check_lengths(const BlockRecord& record, std::string_view what) {
  const auto wrong = [&](const auto&... parts) {
    return corrupt(what, ": block ", to_string(record.id), ": ", parts...);
  };
  if (record.raw_bytes == 0 || record.raw_bytes > kBlockBytesMax)
    return wrong("length before compression is ", record.raw_bytes, ", expected 1 to ", kBlockBytesMax);
  const std::uint64_t raw_sealed_bytes = std::uint64_t{record.raw_bytes} + kSealBytes;
  if (record.codec == Codec::kRaw && record.sealed_bytes != raw_sealed_bytes)
    return wrong("sealed length of a raw block is ", record.sealed_bytes, ", expected ", raw_sealed_bytes);
  if (record.codec != Codec::kRaw && (record.sealed_bytes <= kSealBytes || record.sealed_bytes >= raw_sealed_bytes))
    return wrong("sealed length of a compressed block is ", record.sealed_bytes, ", expected more than ", kSealBytes,
                 " and less than ", raw_sealed_bytes);
  const bool has_chunks = record.chunk_count > 0;
  if (has_chunks != (record.kind == BlockKind::kData))
    return wrong(record.chunk_count, " chunks in a block of kind ", static_cast<unsigned>(record.kind));
  if (record.chunk_count > record.raw_bytes)
    return wrong(record.chunk_count, " chunks in ", record.raw_bytes, " bytes");
  return {};
}

}  // namespace

void write_block_fields(ByteWriter& writer, const BlockRecord& record) {
  writer.u64(record.id.counter);
  writer.u8(static_cast<std::uint8_t>(record.kind));
  writer.u8(static_cast<std::uint8_t>(record.codec));
  writer.u16(record.chunk_count);
  writer.u32(record.offset_bytes);
  writer.u32(record.sealed_bytes);
  writer.u32(record.raw_bytes);
  writer.u64(record.ordinal);
  writer.raw(record.xxh3.view());
}

Result<BlockRecord> read_block_fields(ByteReader& reader, const Uuid& session, std::uint64_t seals_end_bytes,
                                      std::string_view what) {
  BlockRecord record;
  record.id = {.session = session, .counter = reader.u64()};
  const std::uint8_t kind = reader.u8();
  const std::uint8_t codec = reader.u8();
  record.chunk_count = reader.u16();
  record.offset_bytes = reader.u32();
  record.sealed_bytes = reader.u32();
  record.raw_bytes = reader.u32();
  record.ordinal = reader.u64();
  record.xxh3 = reader.fixed<16>();
  DRS_RETURN_IF_ERROR(reader.check());
  if (kind == 0) return corrupt(what, ": block ", to_string(record.id), ": kind is 0, expected 1 or 2");
  if (kind > 2) return too_new(what, ": block ", to_string(record.id), ": kind is ", kind, ", known are 1 and 2");
  if (codec > 2) return too_new(what, ": block ", to_string(record.id), ": codec is ", codec, ", known are 0 to 2");
  record.kind = static_cast<BlockKind>(kind);
  record.codec = static_cast<Codec>(codec);
  DRS_RETURN_IF_ERROR(check_lengths(record, what));
  const std::uint64_t end_bytes = std::uint64_t{record.offset_bytes} + record.sealed_bytes;
  if (record.offset_bytes < kEnvelopeBytes || end_bytes > seals_end_bytes)
    return corrupt(what, ": block ", to_string(record.id), ": seal lies at ", record.offset_bytes, " to ", end_bytes,
                   ", expected within ", kEnvelopeBytes, " to ", seals_end_bytes);
  return record;
}

void write_chunks(ByteWriter& writer, std::span<const ChunkEntry> chunks) {
  for (const ChunkEntry& chunk : chunks) {
    writer.raw(chunk.id.view());
    writer.u16(chunk.bytes);
  }
}

Result<std::vector<ChunkEntry>> read_chunks(ByteReader& reader, std::size_t count, std::uint32_t raw_bytes,
                                            std::string_view what) {
  if (count > reader.remaining() / kChunkEntryBytes)
    return Error(ErrorCode::kTruncated, std::string(what) + ": " + std::to_string(count) +
                                            " chunks do not fit into the remaining " +
                                            std::to_string(reader.remaining()) + " bytes");
  std::vector<ChunkEntry> chunks(count);
  std::uint64_t sum_bytes = 0;
  for (ChunkEntry& chunk : chunks) {
    chunk.id = reader.fixed<32>();
    chunk.bytes = reader.u16();
    if (chunk.bytes == 0) return corrupt(what, ": chunk ", chunk.id.hex(), " is empty");
    sum_bytes += chunk.bytes;
  }
  if (sum_bytes != raw_bytes) return corrupt(what, ": chunks sum to ", sum_bytes, " bytes, expected ", raw_bytes);
  return chunks;
}

}  // namespace drs
