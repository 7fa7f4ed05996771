// The record of a block and its list of chunks, as stored in pack tables and index objects (FORMAT.md "Pack").
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "codecs/compression.h"
#include "codecs/xxh3.h"
#include "engine/format/kinds.h"
#include "engine/format/seal.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// The location of a block in its pack, and the properties of its plaintext.
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

// The fields from counter to xxh3: 48 bytes. Each container writes the session number before them in its own way.
inline constexpr std::size_t kBlockFieldsBytes = 48;
void write_block_fields(ByteWriter& writer, const BlockRecord& record);

// Reads the same 48 bytes; `session` completes the id. The seal must lie after the envelope and end at or before
// `seals_end_bytes`. `what` names the container in errors. Errors: kTruncated, kCorrupt, kFormatTooNew (kind or codec).
Result<BlockRecord> read_block_fields(ByteReader& reader, const Uuid& session, std::uint64_t seals_end_bytes,
                                      std::string_view what);

void write_chunks(ByteWriter& writer, std::span<const ChunkEntry> chunks);

// Reads `count` non-empty chunks, whose lengths must sum to `raw_bytes`. Errors: kTruncated, kCorrupt.
Result<std::vector<ChunkEntry>> read_chunks(ByteReader& reader, std::size_t count, std::uint32_t raw_bytes,
                                            std::string_view what);

}  // namespace drs
