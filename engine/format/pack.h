// Packs and their tables (FORMAT.md "Pack"). Encoding and decoding are separate halves over bytes.
#pragma once

#include <vector>

#include "codecs/chunker.h"
#include "codecs/compression.h"
#include "engine/format/block_record.h"
#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct TableBlock {
  BlockRecord record;
  std::vector<ChunkEntry> chunks;  // record.chunk_count of them
  friend bool operator==(const TableBlock&, const TableBlock&) = default;
};

inline constexpr std::size_t kPackFooterBytes = 12;
inline constexpr std::size_t kBlockRecordBytes = 4 + kBlockFieldsBytes;
// An empty table, sealed.
inline constexpr std::size_t kPackTableSealedBytesMin = 8 + kSealBytes;

// Bytes that the sealed table and footer of a pack with so many blocks, chunks and sessions take.
std::size_t pack_tail_bytes(std::size_t blocks, std::size_t chunks, std::size_t sessions);

// The table's plaintext.
Bytes encode_pack_table(const std::vector<TableBlock>& blocks);
// Sealed table and footer, to append to the pack.
Bytes encode_pack_tail(ObjectSealer& sealer, const std::vector<TableBlock>& blocks);

// `table_offset_bytes` is where the sealed table begins, for range checks: every seal lies behind the envelope and
// before it, and no two overlap. Checks counts, kinds, sums of chunk lengths, and that no block id and no ordinal comes
// twice. Errors: kTruncated, kCorrupt.
Result<std::vector<TableBlock>> decode_pack_table(ByteView table, std::uint64_t table_offset_bytes);

struct PackFooter {
  std::uint64_t table_ordinal = 0;
  std::uint32_t table_sealed_bytes = 0;
  [[nodiscard]] std::uint64_t table_offset(std::uint64_t pack_bytes) const {
    return pack_bytes - kPackFooterBytes - table_sealed_bytes;
  }
};
// What the sealed table of a pack takes at most in a repository that cuts its chunks like this. Only the last chunk of
// a stream is shorter than their minimum; a block has at most kShortChunksMax of those.
inline constexpr std::size_t kShortChunksMax = 16;
std::uint64_t pack_table_sealed_bytes_max(const ChunkParameters& chunks);

// From the last 12 bytes. Nothing authenticates a footer, so what it states is held against what a table can be before
// anybody takes memory for it. Errors: kTruncated, kCorrupt (no table of this repository, or it would not fit the
// pack).
Result<PackFooter> decode_pack_footer(ByteView last_bytes, std::uint64_t pack_bytes, const ChunkParameters& chunks);

// The table of a whole or partial pack: `envelope_bytes` its first 78 bytes, `tail` its last bytes, at least sealed
// table and footer.
Result<std::vector<TableBlock>> open_pack_table(const RepositoryKeys& keys, CryptoBackend backend,
                                                ByteView envelope_bytes, ByteView tail, std::uint64_t pack_bytes,
                                                const ChunkParameters& chunks);

// Opens, decompresses and checks one block: `sealed` as stored, `plain` exactly record.raw_bytes, `scratch` at least
// record.sealed_bytes - 16 bytes (unused for raw blocks). Errors: kCorrupt.
Result<void> decode_block(const ObjectOpener& opener, const BlockRecord& record, ByteView sealed,
                          Decompressor& decompressor, MutableByteView scratch, MutableByteView plain);

}  // namespace drs
