// Packs and their tables: encoding and decoding (FORMAT.md "Pack").
#pragma once

#include <vector>

#include "codecs/chunker.h"
#include "codecs/compression.h"
#include "engine/format/block_record.h"
#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct TableBlock {
  BlockRecord record;
  std::vector<ChunkEntry> chunks;  // record.chunk_count of them
  friend bool operator==(const TableBlock&, const TableBlock&) = default;
};

inline constexpr std::size_t kPackFooterBytes = 12;
inline constexpr std::size_t kBlockRecordBytes = 4 + kBlockFieldsBytes;
// The size of an empty sealed table.
inline constexpr std::size_t kPackTableSealedBytesMin = 8 + kSealBytes;

struct PackTableCounts {
  std::size_t sessions = 0;
  std::size_t blocks = 0;
  std::size_t chunks = 0;
};
// The size of the sealed table and footer of a pack with this many sessions, blocks and chunks.
std::size_t pack_tail_bytes(const PackTableCounts& counts);

// Returns the table's plaintext.
Bytes encode_pack_table(const std::vector<TableBlock>& blocks);
// Returns the sealed table and the footer, to append to the pack.
Bytes encode_pack_tail(ObjectSealer& sealer, const std::vector<TableBlock>& blocks);

// `table_offset_bytes` is the offset of the sealed table, for range checks: all seals must lie between the envelope and
// the table, without overlap. Also checks counts, kinds, sums of chunk lengths, and that block ids and ordinals are
// unique. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<std::vector<TableBlock>> decode_pack_table(ByteView table, std::uint64_t table_offset_bytes);

struct PackFooter {
  std::uint64_t table_ordinal = 0;
  std::uint32_t table_sealed_bytes = 0;
  [[nodiscard]] std::uint64_t table_offset(std::uint64_t pack_bytes) const {
    return pack_bytes - kPackFooterBytes - table_sealed_bytes;
  }
};
// The maximum size of a pack's sealed table with these chunk parameters. Only the last chunk of a stream is shorter
// than bytes_min; a block has at most kShortChunksMax of those.
inline constexpr std::size_t kShortChunksMax = 16;
std::uint64_t pack_table_sealed_bytes_max(const ChunkParameters& chunks);

// Decodes the last 12 bytes. The footer is not authenticated, so the table's length is checked against its maximum
// before the caller allocates memory for it. Errors: kTruncated, kCorrupt (longer than any table of this repository, or
// longer than the pack).
Result<PackFooter> decode_pack_footer(ByteView last_bytes, std::uint64_t pack_bytes, const ChunkParameters& chunks);

// Opens the table of a pack. `envelope_bytes` are its first 78 bytes; `tail` are its last bytes, at least sealed table
// and footer. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<std::vector<TableBlock>> open_pack_table(const RepositoryKeys& keys, CryptoBackend backend,
                                                ByteView envelope_bytes, ByteView tail, std::uint64_t pack_bytes,
                                                const ChunkParameters& chunks);

// Opens, decompresses and checks one block. `sealed` is the stored block; `plain` has exactly record.raw_bytes;
// `scratch` has at least record.sealed_bytes - 16 bytes (unused for raw blocks). Errors: kCorrupt.
Result<void> decode_block(const ObjectOpener& opener, const BlockRecord& record, ByteView sealed,
                          Decompressor& decompressor, MutableByteView scratch, MutableByteView plain);

}  // namespace drs
