// Is this chunk stored already, and where? Answers from a table of bounded size over what the repository knew at the
// start and what this push has added.
//
// Exact while every known chunk fits the table. Beyond that *sampled*: the table keeps the chunks whose words end in
// `shift` zero bits (hooks), and a hit on one loads that block's neighbourhood of chunk lists, whose chunks then stand
// in the table as long as the lists are cached (sparse indexing: Lillibridge et al., FAST 2009). The blocks of the
// stream's last snapshot are loaded ahead of the stream. A hit is always confirmed by full id and length from the
// block's chunk list, and only blocks in packs that exist, and are neither condemned nor damaged, count. Threads: one
// thread at a time.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/pipeline/dedup_table.h"
#include "engine/pipeline/previous_recipe.h"
#include "engine/pipeline/recipe_builder.h"
#include "engine/pipeline/session_blocks.h"
#include "engine/repository/block_index.h"

namespace drs {

class DedupIndex {
 public:
  struct Options {
    std::size_t table_bytes = 0;
    std::size_t mirrored_blocks_max = 2048;  // sampled: blocks whose every chunk stands in the table
  };
  // `index`, `reader` and `blocks` must outlive it. `session` is this push's own.
  static Result<std::unique_ptr<DedupIndex>> make(BlockIndex& index, BlockReader& reader, SessionBlocks& blocks,
                                                  const Uuid& session, PreviousRecipe previous, Options options,
                                                  std::vector<std::string>& warnings);

  struct Answer {
    std::optional<ChunkPlace> place;
    bool sparse = false;  // known, but only in blocks that are to be emptied, or that the last
                          // snapshot no longer used: store it anew
    // Where the block of `place` lies, if another push has stored it and it is not the block of the answer before.
    std::optional<BlockLocation> stored;
  };
  // Errors: the store's, where the index could not be read for want of the store.
  Result<Answer> find(const ChunkId& id, std::uint16_t bytes);
  // A block of this push, complete: its chunks can be found from now on.
  void add_block(std::uint64_t counter, const SessionBlocks::Chunks& chunks);
  // Tells where the stream is, so that the neighbourhood of the last snapshot is loaded (sampled only).
  void advance(std::uint64_t stream_offset_bytes);

  [[nodiscard]] unsigned sample_shift() const { return shift_; }  // 0: exact

 private:
  // Units from here on are this push's own blocks: unit and block make the counter.
  static constexpr std::uint32_t kOwnUnits = 0x80000000U;
  static constexpr unsigned kOwnBlockBits = 12;

  struct Candidate {
    BlockId id;
    ChunkList chunks;
    PreviousRecipe::Use use = PreviousRecipe::Use::kUnknown;
    bool usable = false;
    std::optional<BlockLocation> stored;  // by another push
  };
  struct Mirrored {
    std::uint64_t key;
    ChunkList chunks;
  };

  DedupIndex(BlockIndex& index, BlockReader& reader, SessionBlocks& blocks, const Uuid& session,
             PreviousRecipe previous, Options options, DedupTable table)
      : index_(index),
        reader_(reader),
        blocks_(blocks),
        session_(session),
        previous_(std::move(previous)),
        options_(options),
        table_(std::move(table)) {}
  Result<void> load(std::vector<std::string>& warnings);
  Result<void> load_unit(std::uint32_t unit);
  void insert(std::uint64_t word, ChunkHint hint);
  void make_room();
  [[nodiscard]] bool sampled(std::uint64_t word) const { return (word & ((std::uint64_t{1} << shift_) - 1)) == 0; }
  // What the table keeps 32 bits of: without the bits that are zero in every sample.
  [[nodiscard]] std::uint64_t table_word(std::uint64_t word) const { return word >> shift_at_load_; }
  [[nodiscard]] bool is_mirrored(std::uint32_t unit, std::uint32_t block) const {
    return mirrored_places_.contains(std::uint64_t{unit} << 32 | block);
  }
  // When sampling, a quarter of the table is for the chunks of mirrored blocks, the rest for samples.
  [[nodiscard]] std::size_t mirrored_entries_max() const { return table_.size_max() / 4; }
  [[nodiscard]] std::size_t samples_max() const {
    return shift_ == 0 ? table_.size_max() : table_.size_max() - mirrored_entries_max();
  }
  static ChunkHint own_hint(std::uint64_t counter, std::size_t chunk);
  Result<Candidate> candidate(std::uint32_t unit, std::uint32_t block);
  void mirror(std::uint32_t unit, std::uint32_t block, const ChunkList& chunks);
  template <typename Action>
  void each_plain(std::uint64_t key, const ChunkList& chunks, const Action& action) const;
  void drop_oldest_mirrored();
  void mirror_following(std::uint32_t unit, std::uint32_t block);
  [[nodiscard]] std::optional<ChunkPlace> match(const Candidate& candidate, std::size_t chunk, const ChunkId& id,
                                                std::uint16_t bytes);

  BlockIndex& index_;
  BlockReader& reader_;
  SessionBlocks& blocks_;
  const Uuid session_;
  PreviousRecipe previous_;
  const Options options_;
  DedupTable table_;
  unsigned shift_ = 0;
  unsigned shift_at_load_ = 0;

  // After a hit the next chunk is usually the next of the same block.
  std::optional<Candidate> last_;
  std::size_t last_chunk_ = 0;
  std::uint32_t last_offset_bytes_ = 0;

  std::list<Mirrored> mirrored_;  // most recently used first
  std::unordered_map<std::uint64_t, std::list<Mirrored>::iterator> mirrored_places_;
  std::size_t mirrored_entries_ = 0;
  std::uint64_t prefetched_to_bytes_ = 0;
};

}  // namespace drs
