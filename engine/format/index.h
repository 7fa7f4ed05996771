// Index objects: which blocks lie in which packs, and which chunks in which blocks (FORMAT.md "Index"). Written whole,
// read by ranges: the tail (summary), then hooks, directory or single chunk lists as needed.
#pragma once

#include <optional>
#include <vector>

#include "engine/format/kinds.h"
#include "engine/format/pack.h"
#include "engine/format/seal.h"
#include "io/bytes.h"
#include "io/result.h"

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
  std::uint32_t pack = 0;  // place in IndexSummary::packs
  BlockRecord record;
  std::uint64_t list_offset_bytes = 0;  // in the index object; 0 when the block has no chunks
  friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

struct Hook {
  std::uint64_t word = 0;
  std::uint32_t block = 0;  // place in the directory
  std::uint16_t chunk = 0;
  friend bool operator==(const Hook&, const Hook&) = default;
};

// What goes into an index object: packs with the blocks of their tables.
struct PackContents {
  IndexedPack pack;
  std::vector<TableBlock> blocks;
};

// The whole object. At most kIndexBlocksMax blocks in all. `salt`: tests fix it.
Bytes encode_index(const RepositoryKeys& keys, CryptoBackend backend, const std::vector<PackContents>& packs,
                   WallNs created_ns, const Salt* salt = nullptr);
// Upper bound of its size, for closing an index object before it exceeds kIndexBytesMax.
std::size_t index_bytes_max(std::size_t packs, std::size_t sessions, std::size_t blocks, std::size_t chunks);
// The plaintext of each section. The directory's records must be those of the summary's sessions.
Bytes encode_index_summary(const IndexSummary& summary);
Bytes encode_index_directory(const std::vector<DirectoryEntry>& directory, const IndexSummary& summary);
Bytes encode_index_hooks(const std::vector<Hook>& hooks);
Bytes encode_chunk_list(const std::vector<ChunkEntry>& chunks);

// Its packs and its sessions are those of its blocks.
inline constexpr std::size_t kIndexSummarySealedBytesMax =
    8 + 4 + kIndexBlocksMax * 72 + 4 + kIndexBlocksMax * 36 + 4 + 8 + 12 + 12 + kSealBytes;
inline constexpr std::size_t kIndexFooterBytes = 12;
struct IndexFooter {
  std::uint64_t summary_ordinal = 0;
  std::uint32_t summary_sealed_bytes = 0;
};
// From the last 12 bytes. Nothing authenticates a footer: no more memory is taken for a summary than it can need.
// Errors: kTruncated, kCorrupt.
Result<IndexFooter> decode_index_footer(ByteView last_bytes, std::uint64_t object_bytes);

// Each takes an opened plaintext. Errors: kTruncated, kCorrupt. `object_bytes` is the size of the index object, for
// range checks.
Result<IndexSummary> decode_index_summary(ByteView plain, std::uint64_t object_bytes);
Result<std::vector<DirectoryEntry>> decode_index_directory(ByteView plain, const IndexSummary& summary);
Result<std::vector<Hook>> decode_index_hooks(ByteView plain, const IndexSummary& summary);
// `raw_bytes`: what the chunks' lengths must sum to.
Result<std::vector<ChunkEntry>> decode_chunk_list(ByteView plain, std::uint32_t raw_bytes);

// Labels of the sections' seals.
SealLabel chunk_list_label(std::uint32_t block, std::uint32_t chunk_count);
SealLabel directory_label(const IndexSummary& summary);
SealLabel hooks_label(const IndexSummary& summary);
SealLabel summary_label(const IndexFooter& footer);

}  // namespace drs
