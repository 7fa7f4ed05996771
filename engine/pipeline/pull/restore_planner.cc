#include "engine/pipeline/pull/restore_planner.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace drs {

RestorePlanner::RestorePlanner(const RestorePlannerOptions& options) : options_(options), slots_(options.slots) {
  DRS_ASSERT(options.slots > 0, "a restore needs at least one slot");
  slot_of_.reserve(options.slots);
}

void RestorePlanner::add_part(RecipePart recipe) {
  DRS_ASSERT(wants_part(), "more parts than the planner looks ahead");
  Part part;
  part.recipe = std::move(recipe);
  part.runs_before = runs_added_;
  runs_added_ += part.recipe.runs.size();

  // Backwards, so that first_use always holds the nearest use after the current run.
  const std::vector<Run>& runs = part.recipe.runs;
  part.next_use.resize(runs.size());
  part.first_use.assign(part.recipe.blocks.size(), kNone);
  for (std::size_t i = runs.size(); i > 0; --i) {
    std::uint32_t& nearest = part.first_use[runs[i - 1].block];
    part.next_use[i - 1] = std::exchange(nearest, static_cast<std::uint32_t>(i - 1));
  }
  part.blocks_by_id.resize(part.recipe.blocks.size());
  std::iota(part.blocks_by_id.begin(), part.blocks_by_id.end(), 0U);
  std::sort(part.blocks_by_id.begin(), part.blocks_by_id.end(),
            [&](std::uint32_t a, std::uint32_t b) { return part.recipe.blocks[a] < part.recipe.blocks[b]; });

  for (Slot& slot : slots_) {
    if (slot.fetch != 0 && slot.next_use == kNever) slot.next_use = part.first_use_of(slot.block);
  }
  append(std::move(part));
}

void RestorePlanner::add_gap(std::uint64_t stream_offset_bytes, std::uint64_t bytes) {
  DRS_ASSERT(wants_part(), "more parts than the planner looks ahead");
  Part part;
  part.recipe.stream_offset_bytes = stream_offset_bytes;
  part.recipe.stream_bytes = bytes;
  part.recipe.runs.push_back({.bytes = bytes});
  part.runs_before = runs_added_++;
  append(std::move(part));
}

void RestorePlanner::append(Part part) {
  if (parts_.empty()) stream_offset_bytes_ = part.recipe.stream_offset_bytes;
  parts_.push_back(std::move(part));
}

std::uint64_t RestorePlanner::Part::first_use_of(const BlockId& id) const {
  const auto found =
      std::lower_bound(blocks_by_id.begin(), blocks_by_id.end(), id,
                       [&](std::uint32_t place, const BlockId& wanted) { return recipe.blocks[place] < wanted; });
  if (found == blocks_by_id.end() || recipe.blocks[*found] != id || first_use[*found] == kNone) return kNever;
  return runs_before + first_use[*found];
}

std::uint64_t RestorePlanner::next_use_after(const Part& part, std::uint32_t run) const {
  if (part.next_use[run] != kNone) return part.runs_before + part.next_use[run];
  for (std::size_t i = 1; i < parts_.size(); ++i) {
    const std::uint64_t use = parts_[i].first_use_of(part.recipe.blocks[part.recipe.runs[run].block]);
    if (use != kNever) return use;
  }
  return kNever;
}

std::optional<PlanStep> RestorePlanner::next() {
  while (!parts_.empty() && run_ == parts_.front().recipe.runs.size()) {
    parts_.pop_front();
    run_ = 0;
    if (!parts_.empty()) stream_offset_bytes_ = parts_.front().recipe.stream_offset_bytes;
  }
  if (parts_.empty()) return std::nullopt;

  const Part& part = parts_.front();
  const Run& run = part.recipe.runs[run_];
  if (part.is_gap()) {
    ++run_;
    return PlanStep{.fetch = std::nullopt, .run = {.stream_offset_bytes = stream_offset_bytes_, .bytes = run.bytes}};
  }
  const BlockId& block = part.recipe.blocks[run.block];
  const std::uint64_t number = part.runs_before + run_;
  PlanStep step;
  const auto resident = slot_of_.find(block);
  std::uint32_t place = 0;
  if (resident != slot_of_.end()) {
    place = resident->second;
  } else {
    place = choose_slot();
    Slot& slot = slots_[place];
    step.fetch = PlannedFetch{block, ++fetches_, slot.fetch == 0 ? 0 : slot.last_use + 1, place};
    if (slot.fetch != 0) slot_of_.erase(slot.block);
    slot_of_.emplace(block, place);
    slot.block = block;
    slot.fetch = fetches_;
    recent_fetches_.push_back(number);
    if (recent_fetches_.size() > options_.read_ahead) recent_fetches_.pop_front();
  }
  Slot& slot = slots_[place];
  slot.last_use = number;
  slot.next_use = next_use_after(part, run_);
  step.run = {stream_offset_bytes_, run.bytes, slot.fetch, place, run.offset_bytes};
  stream_offset_bytes_ += run.bytes;
  ++run_;
  return step;
}

std::uint32_t RestorePlanner::choose_slot() const {
  // The next block of a slot used since this run would have to wait until the stream has passed that use.
  const std::uint64_t busy_from = recent_fetches_.empty() ? kNever : recent_fetches_.front();
  // Overwrite first a block that is not needed again, to reuse memory that is warm in the cache; then an empty slot;
  // then the block with the furthest next use. Idle slots before busy ones; then the oldest last use.
  const auto rank = [&](const Slot& slot) {
    if (slot.fetch == 0) return 1;
    if (slot.last_use >= busy_from) return 3;
    return slot.next_use == kNever ? 0 : 2;
  };
  const auto better = [&](const Slot& a, const Slot& b) {
    const int a_rank = rank(a);
    const int b_rank = rank(b);
    if (a_rank != b_rank) return a_rank < b_rank;
    if (a_rank == 1) return false;  // any
    if (a.next_use != b.next_use) return a.next_use > b.next_use;
    return a.last_use < b.last_use;
  };
  std::uint32_t best = 0;
  for (std::uint32_t i = 1; i < slots_.size(); ++i)
    if (better(slots_[i], slots_[best])) best = i;
  return best;
}

void clip_recipe_part(RecipePart& part, std::uint64_t begin_bytes, std::uint64_t end_bytes) {
  std::vector<Run> kept;
  std::uint64_t offset_bytes = part.stream_offset_bytes;
  std::uint64_t kept_bytes = 0;
  for (Run run : part.runs) {
    const std::uint64_t from = std::max(offset_bytes, begin_bytes);
    const std::uint64_t to = std::min(offset_bytes + run.bytes, end_bytes);
    if (from < to) {
      run.offset_bytes += static_cast<std::uint32_t>(from - offset_bytes);
      offset_bytes += run.bytes;
      run.bytes = to - from;
      kept_bytes += run.bytes;
      kept.push_back(run);
    } else {
      offset_bytes += run.bytes;
    }
  }
  part.stream_offset_bytes = std::max(part.stream_offset_bytes, begin_bytes);
  part.stream_bytes = kept_bytes;
  part.runs = std::move(kept);
}

}  // namespace drs
