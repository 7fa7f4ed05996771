// Packs and their tables (FORMAT.md "Pack"). Encoding and decoding are separate halves over bytes.
#pragma once

#include <vector>

#include "codecs/compression.h"
#include "codecs/xxh3.h"
#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Where a block lies in its pack and what it decodes to.
struct BlockRecord {
  BlockId id;
  BlockKind kind = BlockKind::kData;
  Codec codec = Codec::kRaw;
  std::uint32_t offset_bytes = 0;
  std::uint32_t sealed_bytes = 0;
  std::uint32_t raw_bytes = 0;
  std::uint64_t ordinal = 0;
  Xxh3Digest xxh3;
  std::uint16_t chunk_count = 0;

  [[nodiscard]] SealLabel label() const {
    return {kind == BlockKind::kData ? SealKind::kDataBlock : SealKind::kRecipeBlock, codec, ordinal, raw_bytes};
  }
  friend bool operator==(const BlockRecord&, const BlockRecord&) = default;
};

struct TableBlock {
  BlockRecord record;
  std::vector<ChunkEntry> chunks;  // record.chunk_count of them
  friend bool operator==(const TableBlock&, const TableBlock&) = default;
};

inline constexpr std::size_t kPackFooterBytes = 12;
inline constexpr std::size_t kBlockRecordBytes = 52;

// Bytes that the sealed table and footer of a pack with so many blocks, chunks and sessions take.
std::size_t pack_tail_bytes(std::size_t blocks, std::size_t chunks, std::size_t sessions);

// The table's plaintext.
Bytes encode_pack_table(const std::vector<TableBlock>& blocks);
// Sealed table and footer, to append to the pack.
Bytes encode_pack_tail(ObjectSealer& sealer, const std::vector<TableBlock>& blocks);

// `pack_bytes` is the size of the pack, for range checks. Checks counts, kinds, ranges (within the pack, behind the
// envelope, before the table when `table_offset` is given as pack_bytes), sums of chunk lengths. Errors: kTruncated,
// kCorrupt.
Result<std::vector<TableBlock>> decode_pack_table(ByteView table, std::uint64_t pack_bytes);

struct PackFooter {
  std::uint64_t table_ordinal = 0;
  std::uint32_t table_sealed_bytes = 0;
  [[nodiscard]] std::uint64_t table_offset(std::uint64_t pack_bytes) const {
    return pack_bytes - kPackFooterBytes - table_sealed_bytes;
  }
};
// From the last 12 bytes. Errors: kTruncated, kCorrupt (the table would not fit the pack).
Result<PackFooter> decode_pack_footer(ByteView last_bytes, std::uint64_t pack_bytes);

// The table of a whole or partial pack: `envelope_bytes` its first 78 bytes, `tail` its last bytes, at least sealed
// table and footer.
Result<std::vector<TableBlock>> open_pack_table(const RepositoryKeys& keys, CryptoBackend backend,
                                                ByteView envelope_bytes, ByteView tail, std::uint64_t pack_bytes);

// Opens, decompresses and checks one block: `sealed` as stored, `plain` exactly record.raw_bytes, `scratch` at least
// record.sealed_bytes - 16 bytes (unused for raw blocks). Errors: kCorrupt.
Result<void> decode_block(const ObjectOpener& opener, const BlockRecord& record, ByteView sealed,
                          Decompressor& decompressor, MutableByteView scratch, MutableByteView plain);

}  // namespace drs
