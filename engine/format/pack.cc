#include "engine/format/pack.h"

#include <algorithm>

#include "engine/format/corrupt.h"
#include "engine/format/session_list.h"

namespace drs {
namespace {

constexpr std::string_view kTable = "pack table";

// Block ids and ordinals must be distinct, and the blocks' byte ranges must not overlap.
Result<void> check_distinct(const std::vector<TableBlock>& blocks) {
  std::vector<const BlockRecord*> records;
  records.reserve(blocks.size());
  for (const TableBlock& block : blocks) records.push_back(&block.record);

  std::ranges::sort(records, {}, [](const BlockRecord* r) -> const BlockId& { return r->id; });
  for (std::size_t i = 1; i < records.size(); ++i)
    if (records[i - 1]->id == records[i]->id)
      return corrupt(kTable, ": block ", to_string(records[i]->id), " is listed twice");

  std::ranges::sort(records, {}, &BlockRecord::ordinal);
  for (std::size_t i = 1; i < records.size(); ++i)
    if (records[i - 1]->ordinal == records[i]->ordinal)
      return corrupt(kTable, ": ordinal ", records[i]->ordinal, " is used twice");

  std::ranges::sort(records, {}, &BlockRecord::offset_bytes);
  for (std::size_t i = 1; i < records.size(); ++i) {
    const std::uint64_t end_bytes = std::uint64_t{records[i - 1]->offset_bytes} + records[i - 1]->sealed_bytes;
    if (records[i]->offset_bytes < end_bytes)
      return corrupt(kTable, ": block ", to_string(records[i]->id), " begins at ", records[i]->offset_bytes,
                     ", inside the previous block, which ends at ", end_bytes);
  }
  return {};
}

}  // namespace

std::size_t pack_tail_bytes(const PackTableCounts& counts) {
  return kPackTableSealedBytesMin + counts.sessions * Uuid::kBytes + counts.blocks * kBlockRecordBytes +
         counts.chunks * kChunkEntryBytes + kPackFooterBytes;
}

Bytes encode_pack_table(const std::vector<TableBlock>& blocks) {
  DRS_ASSERT(blocks.size() <= kPackBlocksMax, "a pack has at most 1,024 blocks");
  SessionNumbers sessions;
  for (const TableBlock& block : blocks) sessions.number_of(block.record.id.session);
  Bytes out;
  ByteWriter writer(out);
  sessions.write(writer);
  writer.u32(static_cast<std::uint32_t>(blocks.size()));
  for (const TableBlock& block : blocks) {
    DRS_ASSERT(block.record.chunk_count == block.chunks.size(), "chunk_count differs from the number of chunks");
    writer.u32(sessions.number_of(block.record.id.session));
    write_block_fields(writer, block.record);
  }
  for (const TableBlock& block : blocks) write_chunks(writer, block.chunks);
  return out;
}

Bytes encode_pack_tail(ObjectSealer& sealer, const std::vector<TableBlock>& blocks) {
  const Bytes table = encode_pack_table(blocks);
  const SealLabel label{.kind = SealKind::kPackTable,
                        .codec = Codec::kRaw,
                        .ordinal = sealer.next_ordinal(),
                        .plain_bytes = table.size()};
  Bytes out;
  sealer.append(label, table, out);
  ByteWriter writer(out);
  writer.u64(label.ordinal);
  writer.u32(static_cast<std::uint32_t>(table.size() + kSealBytes));
  return out;
}

Result<std::vector<TableBlock>> decode_pack_table(ByteView table, std::uint64_t table_offset_bytes) {
  ByteReader reader(table, kTable);
  DRS_ASSIGN_OR_RETURN(SessionList sessions, SessionList::read(reader, kTable));
  const std::uint32_t count = reader.u32();
  DRS_RETURN_IF_ERROR(reader.check());
  if (count > kPackBlocksMax) return corrupt(kTable, ": ", count, " blocks, at most ", kPackBlocksMax, " are allowed");
  if (count > reader.remaining() / kBlockRecordBytes)
    return Error(ErrorCode::kTruncated, "pack table: " + std::to_string(count) + " blocks do not fit into the " +
                                            "remaining " + std::to_string(reader.remaining()) + " bytes");
  std::vector<TableBlock> blocks(count);
  for (TableBlock& block : blocks) {
    DRS_ASSIGN_OR_RETURN(const Uuid session, sessions.use(reader.u32()));
    DRS_ASSIGN_OR_RETURN(block.record, read_block_fields(reader, session, table_offset_bytes, kTable));
  }
  DRS_RETURN_IF_ERROR(sessions.finish());
  for (TableBlock& block : blocks) {
    if (block.record.kind != BlockKind::kData) continue;
    DRS_ASSIGN_OR_RETURN(block.chunks, read_chunks(reader, block.record.chunk_count, block.record.raw_bytes, kTable));
  }
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_RETURN_IF_ERROR(check_distinct(blocks));
  return blocks;
}

std::uint64_t pack_table_sealed_bytes_max(const ChunkParameters& chunks) {
  const std::uint64_t chunks_in_a_block = kBlockBytesMax / chunks.bytes_min + kShortChunksMax;
  return kPackTableSealedBytesMin +
         kPackBlocksMax * (Uuid::kBytes + kBlockRecordBytes + chunks_in_a_block * kChunkEntryBytes);
}

Result<PackFooter> decode_pack_footer(ByteView last_bytes, std::uint64_t pack_bytes, const ChunkParameters& chunks) {
  constexpr std::uint64_t kPackBytesMin = kEnvelopeBytes + kPackTableSealedBytesMin + kPackFooterBytes;
  if (pack_bytes < kPackBytesMin || last_bytes.size() < kPackFooterBytes)
    return Error(ErrorCode::kTruncated, "pack: object has " + std::to_string(pack_bytes) +
                                            " bytes, the shortest pack has " + std::to_string(kPackBytesMin));
  if (pack_bytes > kPackBytesMax)
    return corrupt("pack: object has ", pack_bytes, " bytes, at most ", kPackBytesMax, " are allowed");
  ByteReader reader(last_bytes.last(kPackFooterBytes), "pack footer");
  const PackFooter footer{.table_ordinal = reader.u64(), .table_sealed_bytes = reader.u32()};
  const std::uint64_t table_bytes_max =
      std::min(pack_bytes - kEnvelopeBytes - kPackFooterBytes, pack_table_sealed_bytes_max(chunks));
  if (footer.table_sealed_bytes < kPackTableSealedBytesMin || footer.table_sealed_bytes > table_bytes_max)
    return corrupt("pack footer: sealed length of the table is ", footer.table_sealed_bytes, ", expected ",
                   kPackTableSealedBytesMin, " to ", table_bytes_max);
  return footer;
}

Result<std::vector<TableBlock>> open_pack_table(const RepositoryKeys& keys, CryptoBackend backend,
                                                ByteView envelope_bytes, ByteView tail, std::uint64_t pack_bytes,
                                                const ChunkParameters& chunks) {
  DRS_ASSIGN_OR_RETURN(const Envelope envelope, decode_envelope(envelope_bytes, ObjectKind::kPack));
  DRS_ASSIGN_OR_RETURN(const ObjectOpener opener, ObjectOpener::make(keys, envelope, "", backend));
  DRS_ASSIGN_OR_RETURN(const PackFooter footer, decode_pack_footer(tail, pack_bytes, chunks));
  const std::size_t tail_bytes = footer.table_sealed_bytes + kPackFooterBytes;
  if (tail.size() < tail_bytes)
    return Error(ErrorCode::kTruncated, "pack: its last " + std::to_string(tail.size()) + " bytes are available, " +
                                            std::to_string(tail_bytes) + " are needed");
  const SealLabel label{.kind = SealKind::kPackTable,
                        .codec = Codec::kRaw,
                        .ordinal = footer.table_ordinal,
                        .plain_bytes = footer.table_sealed_bytes - kSealBytes};
  DRS_ASSIGN_OR_RETURN(const Bytes table, opener.open(label, tail.last(tail_bytes).first(footer.table_sealed_bytes)));
  DRS_ASSIGN_OR_RETURN(std::vector<TableBlock> blocks, decode_pack_table(table, footer.table_offset(pack_bytes)));
  for (const TableBlock& block : blocks)
    if (block.record.ordinal == footer.table_ordinal)
      return corrupt(kTable, ": block ", to_string(block.record.id), " has the table's ordinal ", footer.table_ordinal);
  return blocks;
}

Result<void> decode_block(const ObjectOpener& opener, const BlockRecord& record, ByteView sealed,
                          Decompressor& decompressor, MutableByteView scratch, MutableByteView plain) {
  DRS_ASSERT(plain.size() == record.raw_bytes, "the output must have exactly raw_bytes");
  const std::string where = "block " + to_string(record.id);
  if (sealed.size() != record.sealed_bytes || sealed.size() < kSealBytes)
    return corrupt(where, ": sealed length is ", sealed.size(), ", expected ", record.sealed_bytes);
  const std::size_t compressed_bytes = sealed.size() - kSealBytes;
  if (record.codec == Codec::kRaw) {
    if (compressed_bytes != plain.size())
      return corrupt(where, ": raw block holds ", compressed_bytes, " bytes, expected ", plain.size());
    if (auto opened = opener.open(record.label(), sealed, plain); !opened.ok())
      return std::move(opened).error().with_context(where);
  } else {
    DRS_ASSERT(scratch.size() >= compressed_bytes, "scratch smaller than the compressed block");
    const MutableByteView compressed = scratch.first(compressed_bytes);
    if (auto opened = opener.open(record.label(), sealed, compressed); !opened.ok())
      return std::move(opened).error().with_context(where);
    if (auto decoded = decompressor.decompress(record.codec, compressed, plain); !decoded.ok())
      return std::move(decoded).error().with_context(where);
  }
  if (const Xxh3Digest got = xxh3_128(plain); got != record.xxh3)
    return corrupt(where, ": plaintext has xxh3 ", got.hex(), ", expected ", record.xxh3.hex());
  return {};
}

}  // namespace drs
