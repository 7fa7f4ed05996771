// Finds where a chunk is stored already. Uses a table of bounded size over the chunks that the repository had when the
// push began, and those that the push has added.
//
// The index is exact while every known chunk fits the table. Beyond that it is *sampled*: the table keeps the chunks
// whose words end in `shift` zero bits (hooks). A hit on a hook loads the chunk lists of its block and of the blocks
// after it; their chunks stay in the table as long as these lists are cached (sparse indexing: Lillibridge et al., FAST
// 2009). The blocks of the stream's last snapshot are loaded ahead of the stream. Every hit is confirmed by full id and
// length from the block's chunk list. Only blocks in packs that exist, and are neither condemned nor damaged, count.
// Threads: one thread at a time.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/pipeline/push/dedup_table.h"
#include "engine/pipeline/push/previous_recipe.h"
#include "engine/pipeline/push/recipe_builder.h"
#include "engine/pipeline/push/session_blocks.h"
#include "engine/repository/block_index.h"

namespace drs {

class DedupIndex {
 public:
  struct Options {
    Uuid session = {};  // this push's own
    std::size_t table_bytes = 0;
    std::size_t mirrored_blocks_max = 2048;  // sampled: blocks with every chunk in the table
  };
  // `index`, `reader` and `blocks` must outlive the result. Adds a warning for each index
  // object that cannot be read. Errors: kIo with ENOMEM (no address space for the table); the store's.
  static Result<std::unique_ptr<DedupIndex>> make(BlockIndex& index, BlockReader& reader, SessionBlocks& blocks,
                                                  PreviousRecipe previous, Options options,
                                                  std::vector<std::string>& warnings);

  struct Answer {
    std::optional<ChunkPlace> place;
    // Known, but in a block that the last snapshot used sparsely, and in none that it used densely: store it anew.
    bool sparse = false;
    // Where the block of `place` lies, if another push stored it and the previous answer named another block.
    std::optional<BlockLocation> stored;
  };
  // An index object that is damaged or missing counts as no answer. Errors: the store's.
  Result<Answer> find(const ChunkId& id, std::uint16_t bytes);
  // Adds a complete block of this push: `find` returns its chunks from now on.
  void add_block(std::uint64_t counter, const SessionBlocks::Chunks& chunks);
  // Sampled only: loads the blocks that the last snapshot used near this offset of the stream.
  void advance(std::uint64_t stream_offset_bytes);

  [[nodiscard]] unsigned sample_shift() const { return shift_; }  // 0: exact

 private:
  // Unit numbers from here on denote this push's own blocks: unit and block together encode the counter.
  static constexpr std::uint32_t kOwnUnits = 0x80000000U;
  static constexpr unsigned kOwnBlockBits = 12;

  struct Candidate {
    BlockId id;
    ChunkList chunks;
    PreviousRecipe::Use use = PreviousRecipe::Use::kUnknown;
    bool usable = false;
    std::optional<BlockLocation> stored;  // set if another push stored the block
  };
  struct Mirrored {
    std::uint64_t key;
    ChunkList chunks;
  };

  DedupIndex(BlockIndex& index, BlockReader& reader, SessionBlocks& blocks, PreviousRecipe previous, Options options,
             DedupTable table)
      : index_(index),
        reader_(reader),
        blocks_(blocks),
        previous_(std::move(previous)),
        options_(options),
        table_(std::move(table)) {}
  Result<void> load(std::vector<std::string>& warnings);
  Result<void> load_unit(std::uint32_t unit);
  void insert(std::uint64_t word, ChunkHint hint);
  void make_room();
  [[nodiscard]] bool sampled(std::uint64_t word) const { return (word & ((std::uint64_t{1} << shift_) - 1)) == 0; }
  // The word without the bits that are zero in every sample: the table keeps its low 32 bits.
  [[nodiscard]] std::uint64_t table_word(std::uint64_t word) const { return word >> shift_at_load_; }
  [[nodiscard]] bool is_mirrored(BlockClaim place) const { return mirrored_places_.contains(key_of(place)); }
  // When sampled, a quarter of the table holds the chunks of mirrored blocks, the rest holds samples.
  [[nodiscard]] std::size_t mirrored_entries_max() const { return table_.size_max() / 4; }
  [[nodiscard]] std::size_t samples_max() const {
    return shift_ == 0 ? table_.size_max() : table_.size_max() - mirrored_entries_max();
  }
  static ChunkHint own_hint(std::uint64_t counter, std::size_t chunk);
  Result<Candidate> candidate(BlockClaim place);
  void mirror(BlockClaim place, const ChunkList& chunks);
  template <typename Action>
  void each_plain(std::uint64_t key, const ChunkList& chunks, const Action& action) const;
  void drop_oldest_mirrored();
  void mirror_following(BlockClaim place);
  [[nodiscard]] std::optional<ChunkPlace> match(const Candidate& candidate, std::size_t chunk, const ChunkId& id,
                                                std::uint16_t bytes);

  BlockIndex& index_;
  BlockReader& reader_;
  SessionBlocks& blocks_;
  PreviousRecipe previous_;
  const Options options_;
  DedupTable table_;
  unsigned shift_ = 0;
  unsigned shift_at_load_ = 0;

  // After a hit the next chunk of the stream is usually the next one of the same block.
  std::optional<Candidate> last_;
  std::size_t last_chunk_ = 0;
  std::uint32_t last_offset_bytes_ = 0;

  std::list<Mirrored> mirrored_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<Mirrored>::iterator> mirrored_places_;
  std::size_t mirrored_entries_ = 0;
  std::uint64_t prefetched_to_bytes_ = 0;
};

}  // namespace drs
