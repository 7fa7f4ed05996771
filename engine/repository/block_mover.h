// Moves blocks into new packs: out of packs that are to be deleted, from the packs of a replica, or rebuilt. A block
// keeps its id, so the recipes that name it stay valid. Every block is decoded and its chunks are compared with their
// ids before it is stored again, and the new seal is opened again. Packs are built in memory, one at a time. Threads:
// one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "codecs/chunk_hasher.h"
#include "codecs/compression.h"
#include "engine/format/index.h"
#include "engine/format/pack.h"
#include "engine/format/seal.h"
#include "engine/repository/index_writer.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/repository.h"

namespace drs {

// Where a block of a pack comes from.
struct StoredBlock {
  const Digest& pack;
  const PackTable& table;        // of that pack
  const TableBlock& block;       // of that table
  ObjectStore* store = nullptr;  // where the pack is; by default where the mover reads
};

// The bytes of a block's seal in its pack.
struct SealedRange {
  Digest pack;
  std::uint32_t offset_bytes = 0;
  std::uint32_t bytes = 0;
  friend auto operator<=>(const SealedRange&, const SealedRange&) = default;
};

inline SealedRange sealed_range(const Digest& pack, const BlockRecord& record) {
  return {pack, record.offset_bytes, record.sealed_bytes};
}

class BlockMover {
 public:
  // Blocks that are read at once.
  static constexpr std::size_t kReadAheadBytesMax = 16 * kMiB;

  struct Options {
    std::size_t pack_bytes_target = 16 * kMiB;  // a pack is closed when the next block would not fit
    ObjectStore* from = nullptr;                // where blocks are read: by default the store that is written
  };
  // New packs go into `store`, an instance on the objects of `repository`. Blocks come from there, or from a replica
  // (Options::from). All must outlive the object.
  static Result<BlockMover> make(Repository& repository, ObjectStore& store, Options options);

  // Reads blocks at the same time, for the calls that follow; forgets those of the call before. At most
  // kReadAheadBytesMax together are read, and what cannot be read is left to these calls. Errors: the store itself
  // failed.
  Result<void> read_ahead(std::span<const SealedRange> blocks);
  // Reads and checks a block without moving it. Errors: kCorrupt, kTruncated (the block is damaged; the text names it),
  // kNotFound (its pack is gone), the store's.
  Result<void> check(const StoredBlock& from);
  // The plaintext of the block that `check` has read last, until the next call.
  [[nodiscard]] ByteView plain() const { return plain_; }
  // Adds the block to the open pack, unless it was moved since the last `flush`: no table names a block twice. Stores
  // the open pack first if the block does not fit. Errors: as `check`; kInternal (it does not decode back: this machine
  // computes wrong results); those of put_settled.
  Result<void> move(const StoredBlock& from);
  // Adds a block of which only the plaintext is there, newly compressed, in the same way. Of `block` its id, kind,
  // length, XXH3 and chunks count: the plaintext is compared with them. Errors: kCorrupt (it is not this block's
  // plaintext), else as `move`.
  Result<void> add_rebuilt(const TableBlock& block, ByteView plain);
  // Only compares. Errors: kCorrupt.
  Result<void> check_rebuilt(const TableBlock& block, ByteView plain);
  // Stores the open pack, and an index object for all packs stored since the last call. Both are durable on return.
  // Returns these packs. Errors: those of put_settled.
  Result<std::vector<IndexedPack>> flush();

  struct Totals {
    std::uint64_t blocks = 0;
    std::uint64_t sealed_bytes = 0;
    std::uint64_t packs = 0;
  };
  [[nodiscard]] const Totals& totals() const { return totals_; }

 private:
  BlockMover(Repository& repository, ObjectStore& store, Options options, Decompressor decompressor);
  Result<void> open(const StoredBlock& from);
  Result<void> check_plain(const TableBlock& block);
  Result<void> encode(BlockRecord& record);
  Result<void> place(const TableBlock& block);
  Result<void> check_chunks(const TableBlock& block);
  Result<void> append(const TableBlock& block);
  Result<void> close_pack();

  Repository* repository_;
  ObjectStore* store_;
  ObjectStore* from_;
  Options options_;
  Decompressor decompressor_;
  std::optional<Compressor> compressor_;  // for blocks that are encoded anew
  ChunkHasher hasher_;
  std::map<SealedRange, Bytes> ahead_;
  Bytes sealed_, encoded_, plain_;
  std::vector<ByteView> messages_;
  std::vector<ChunkId> ids_;

  std::unique_ptr<ObjectSealer> sealer_;  // of the open pack
  std::optional<ObjectOpener> opener_;    // of the open pack
  Bytes pack_;
  std::vector<TableBlock> table_;
  PackTableCounts counts_;
  IndexWriter index_;
  std::vector<IndexedPack> stored_;
  std::unordered_set<BlockId, BlockIdHash> moved_;  // since the last flush
  Totals totals_;
};

}  // namespace drs
