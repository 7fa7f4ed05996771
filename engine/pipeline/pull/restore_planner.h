// Plans what a restore reads and when: turns the runs of a recipe into fetches of blocks into a fixed number of slots.
//
// A slot holds one decoded block. The planner sees the runs of up to two recipe parts ahead, so it knows when each
// block is needed again. It overwrites the block with the furthest next use (Belady's rule, the fewest fetches
// possible); blocks without a use within that horizon go first. So that blocks can be decoded before their turn, it
// avoids slots that were used since the last `read_ahead` fetches.
//
// Pure: no I/O, no clock, no threads. Memory: two decoded recipe parts and 8 bytes for each of their runs and blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/format/kinds.h"
#include "engine/format/recipe.h"

namespace drs {

// Decode `block` into `slot`. `sequence` counts fetches from 1. The slot may be overwritten once the first
// `runs_before` runs of the plan have been consumed; these need only fetches that come earlier in the plan.
struct PlannedFetch {
  BlockId block;
  std::uint64_t sequence = 0;
  std::uint64_t runs_before = 0;
  std::uint32_t slot = 0;
};

// The next bytes of the stream: `bytes` bytes from `offset_bytes` of the block that fetch number `fetch` put into
// `slot`. Without a fetch they are a gap, which no block fills.
struct PlannedRun {
  std::uint64_t stream_offset_bytes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t fetch = 0;  // 0: a gap
  std::uint32_t slot = 0;
  std::uint32_t offset_bytes = 0;
};

// One run, and the fetch that it needs, if any.
struct PlanStep {
  std::optional<PlannedFetch> fetch;
  PlannedRun run;
};

struct RestorePlannerOptions {
  std::uint32_t slots = 1;  // at least 1
  std::uint32_t read_ahead = 0;
};

class RestorePlanner {
 public:
  explicit RestorePlanner(const RestorePlannerOptions& options);

  // True while fewer than two parts lie ahead and `finish` was not called. Without another part the planner works with
  // a shorter horizon.
  [[nodiscard]] bool wants_part() const { return !finished_ && parts_.size() < kPartsAhead; }
  // Adds parts in stream order. To be called only while wants_part().
  void add_part(RecipePart part);
  // Adds, as a part of its own, bytes of the stream that no recipe part describes: one run without a fetch. To be
  // called only while wants_part().
  void add_gap(std::uint64_t stream_offset_bytes, std::uint64_t bytes);
  // States that no more parts follow.
  void finish() { finished_ = true; }

  // Returns the next step; empty if all parts so far are planned.
  std::optional<PlanStep> next();

 private:
  static constexpr std::size_t kPartsAhead = 2;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Part {
    RecipePart recipe;                        // of a gap: one run, and no blocks
    std::uint64_t runs_before = 0;            // number of its first run in the plan
    std::vector<std::uint32_t> next_use;      // by run: the next run of the same block in this part, or kNone
    std::vector<std::uint32_t> first_use;     // by block
    std::vector<std::uint32_t> blocks_by_id;  // indexes into recipe.blocks, sorted by id
    [[nodiscard]] std::uint64_t first_use_of(const BlockId& id) const;
    [[nodiscard]] bool is_gap() const { return recipe.blocks.empty(); }
  };
  struct Slot {
    BlockId block;
    std::uint64_t fetch = 0;  // 0: empty
    std::uint64_t last_use = 0;
    std::uint64_t next_use = kNever;
  };
  void append(Part part);
  [[nodiscard]] std::uint64_t next_use_after(const Part& part, std::uint32_t run) const;
  [[nodiscard]] std::uint32_t choose_slot() const;

  RestorePlannerOptions options_;
  bool finished_ = false;
  std::deque<Part> parts_;
  std::uint32_t run_ = 0;                  // in parts_.front()
  std::uint64_t stream_offset_bytes_ = 0;  // of that run
  std::uint64_t runs_added_ = 0;
  std::vector<Slot> slots_;
  std::unordered_map<BlockId, std::uint32_t, BlockIdHash> slot_of_;
  std::uint64_t fetches_ = 0;
  std::deque<std::uint64_t> recent_fetches_;  // the run numbers of the last `read_ahead` fetches, oldest first
};

// Reduces `part` to the runs between two stream offsets; shortens the first and the last one.
void clip_recipe_part(RecipePart& part, std::uint64_t begin_bytes, std::uint64_t end_bytes);

}  // namespace drs
