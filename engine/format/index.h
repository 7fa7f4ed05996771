// Index objects: which blocks are in which packs, and which chunks are in which blocks (FORMAT.md "Index"). Written in
// one piece, read by ranges: the tail (summary), then hooks, directory or single chunk lists as needed.
#pragma once

#include <optional>
#include <vector>

#include "engine/format/kinds.h"
#include "engine/format/pack.h"
#include "engine/format/seal.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct IndexedPack {
  Digest name;
  std::uint64_t bytes = 0;
  Salt salt;
  friend bool operator==(const IndexedPack&, const IndexedPack&) = default;
};

struct IndexSession {
  Uuid session;
  std::uint64_t counter_min = 0;
  std::uint64_t counter_max = 0;
  std::uint32_t block_count = 0;
  friend bool operator==(const IndexSession&, const IndexSession&) = default;
};

struct IndexSummary {
  WallNs created_ns = 0;
  std::vector<IndexedPack> packs;
  std::vector<IndexSession> sessions;  // sorted by uuid
  std::uint32_t block_count = 0;
  std::uint64_t chunk_count = 0;
  std::uint64_t directory_offset_bytes = 0;
  std::uint32_t directory_sealed_bytes = 0;
  std::uint64_t hooks_offset_bytes = 0;
  std::uint32_t hooks_sealed_bytes = 0;
  friend bool operator==(const IndexSummary&, const IndexSummary&) = default;
};

struct DirectoryEntry {
  std::uint32_t pack = 0;  // index into IndexSummary::packs
  BlockRecord record;
  std::uint64_t list_offset_bytes = 0;  // in the index object; 0 if the block has no chunks
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

struct Hook {
  std::uint64_t word = 0;
  std::uint32_t block = 0;  // index into the directory
  std::uint16_t chunk = 0;
  friend bool operator==(const Hook&, const Hook&) = default;
};

// The input of an index object: a pack with the blocks of its table.
struct PackContents {
  IndexedPack pack;
  std::vector<TableBlock> blocks;
};

// Returns the complete object, of at most kIndexBlocksMax blocks. `salt`: only for tests; by default it is random.
Bytes encode_index(const RepositoryKeys& keys, CryptoBackend backend, const std::vector<PackContents>& packs,
                   WallNs created_ns, const Salt* salt = nullptr);
struct IndexCounts {
  std::size_t packs = 0;
  std::size_t sessions = 0;
  std::size_t blocks = 0;
  std::size_t chunks = 0;
};
// An upper bound of its size, so that the writer closes an index object before it exceeds kIndexBytesMax.
std::size_t index_bytes_max(const IndexCounts& counts);
// Each returns the plaintext of one section. The sessions of the directory's records must be those of the summary.
Bytes encode_index_summary(const IndexSummary& summary);
Bytes encode_index_directory(const std::vector<DirectoryEntry>& directory, const IndexSummary& summary);
Bytes encode_index_hooks(const std::vector<Hook>& hooks);
Bytes encode_chunk_list(const std::vector<ChunkEntry>& chunks);

// Each pack and each session has at least one block, so there are at most kIndexBlocksMax of each.
inline constexpr std::size_t kIndexSummarySealedBytesMax =
    8 + 4 + kIndexBlocksMax * 72 + 4 + kIndexBlocksMax * 36 + 4 + 8 + 12 + 12 + kSealBytes;
inline constexpr std::size_t kIndexFooterBytes = 12;
struct IndexFooter {
  std::uint64_t summary_ordinal = 0;
  std::uint32_t summary_sealed_bytes = 0;
};
// Decodes the last 12 bytes. The footer is not authenticated, so the length of the summary is checked against its
// maximum before memory is allocated for it. Errors: kTruncated, kCorrupt.
Result<IndexFooter> decode_index_footer(ByteView last_bytes, std::uint64_t object_bytes);

// Each decodes the opened plaintext of a section. Errors: kTruncated, kCorrupt, kFormatTooNew. `object_bytes` is the
// size of the index object, for range checks.
Result<IndexSummary> decode_index_summary(ByteView plain, std::uint64_t object_bytes);
Result<std::vector<DirectoryEntry>> decode_index_directory(ByteView plain, const IndexSummary& summary);
Result<std::vector<Hook>> decode_index_hooks(ByteView plain, const IndexSummary& summary);
// `raw_bytes`: the required sum of the chunks' lengths.
Result<std::vector<ChunkEntry>> decode_chunk_list(ByteView plain, std::uint32_t raw_bytes);

// The labels of the sections' seals.
SealLabel chunk_list_label(std::uint32_t block, std::uint32_t chunk_count);
SealLabel directory_label(const IndexSummary& summary);
SealLabel hooks_label(const IndexSummary& summary);
SealLabel summary_label(const IndexFooter& footer);

}  // namespace drs
