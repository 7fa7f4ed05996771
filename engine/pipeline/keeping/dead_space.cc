#include "engine/pipeline/keeping/dead_space.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "io/base/error_class.h"

namespace drs {
namespace {

// Dead bytes are left alone up to this part of the live ones: moving costs reads, writes and requests.
constexpr std::uint64_t kDeadShare = 10;
// Packs of less than this part of a full one are merged.
constexpr std::uint64_t kSmallShare = 4;

std::uint64_t dead_bytes_of(const PackInfo& pack, const PackUse& use) {
  return use.live_bytes == 0 ? pack.bytes : use.blocks_bytes - use.live_bytes;
}

class DeadSpaceMeter {
 public:
  DeadSpaceMeter(LiveData& live, const RunControl& control)
      : live_(live), control_(control), packs_(live.packs->packs()) {
    space_.uses.resize(packs_.size());
    listed_by_.resize(packs_.size(), kNoUnit);
    named_live_.resize(packs_.size());
    index_whole_ = live.index->problem_of_index_object() == nullptr;
  }

  Result<DeadSpace> measure() {
    // A block in several packs is live in one of them: in one where no mark names it, if there is one. Else each prune
    // would give up the good copy for one that cannot be moved.
    for (const Copies copies : {Copies::kUnmarked, Copies::kMarked}) DRS_RETURN_IF_ERROR(read_units(copies));
    sum_up();
    return std::move(space_);
  }

 private:
  static constexpr std::uint32_t kNoUnit = std::numeric_limits<std::uint32_t>::max();
  enum class Copies : std::uint8_t { kUnmarked, kMarked };

  Result<void> read_units(Copies copies) {
    const auto is_marked = [&](const std::optional<std::size_t>& place) { return place && packs_[*place].marked; };
    std::vector<std::uint32_t> units;
    for (std::uint32_t unit = 0; unit < live_.index->unit_count(); ++unit)
      if (copies == Copies::kUnmarked || std::ranges::any_of(places_of(unit), is_marked)) units.push_back(unit);
    return live_.index->visit_directories(units,
                                          [&](std::uint32_t unit, const Result<Directory>& entries) -> Result<void> {
                                            if (control_.cancel.cancelled())
                                              return Error(ErrorCode::kCancelled, "cancelled while reading the index");
                                            if (!entries.ok() && !is_object_fault(entries.error()))
                                              return entries.error();
                                            if (entries.ok())
                                              add_unit(unit, **entries, copies);
                                            else if (!live_.index->unit_is_uncovered_pack(unit))
                                              index_whole_ = false;
                                            return {};
                                          });
  }

  void add_unit(std::uint32_t unit, const std::vector<DirectoryEntry>& entries, Copies copies) {
    const std::vector<IndexedPack>& packs = live_.index->unit_packs(unit);
    const auto places = places_of(unit);
    std::vector<std::optional<std::size_t>> resized(packs.size());  // those that have another size
    for (std::size_t i = 0; i < packs.size(); ++i) {
      if (const auto& place = places[i]) {
        listed_by_[*place] = unit;
        space_.uses[*place].known = true;
      } else if (const auto there = place_of(packs[i].name); there && packs_[*there].bytes != packs[i].bytes) {
        resized[i] = there;
      }
    }
    for (const DirectoryEntry& entry : entries) {
      if (const auto& place = places[entry.pack])
        add(*place, entry.record, copies);
      else if (const auto& there = resized[entry.pack]; there && live_.blocks.contains(entry.record.id))
        named_live_[*there] = true;
    }
  }

  std::optional<std::size_t> place_of(const Digest& name) const {
    const auto found = std::ranges::lower_bound(packs_, name, {}, &PackInfo::name);
    if (found == packs_.end() || found->name != name) return std::nullopt;
    return static_cast<std::size_t>(found - packs_.begin());
  }

  // The place of each of its packs; none for a pack that is gone, or that an earlier unit has listed.
  std::vector<std::optional<std::size_t>> places_of(std::uint32_t unit) const {
    std::vector<std::optional<std::size_t>> places;
    for (const IndexedPack& pack : live_.index->unit_packs(unit)) {
      auto place = place_of(pack.name);
      // A list may show any size.
      const bool there = place && packs_[*place].bytes == pack.bytes;
      if (!there || (listed_by_[*place] != kNoUnit && listed_by_[*place] != unit)) place.reset();
      places.push_back(place);
    }
    return places;
  }

  void add(std::size_t place, const BlockRecord& block, Copies copies) {
    const PackInfo& pack = packs_[place];
    PackUse& use = space_.uses[place];
    if (copies == Copies::kUnmarked) use.blocks_bytes += block.sealed_bytes;
    if (pack.condemned || !live_.blocks.contains(block.id)) return;
    const PackMarks* const marks = pack.marked ? live_.packs->marks_of(pack.name) : nullptr;
    const bool marked = marks != nullptr && marks->covers(block.offset_bytes, block.sealed_bytes);
    if (marked == (copies == Copies::kMarked) && seen_.add(block.id)) use.live_bytes += block.sealed_bytes;
  }

  void sum_up() {
    SpaceTotals& totals = space_.totals;
    for (std::size_t i = 0; i < packs_.size(); ++i) {
      const PackInfo& pack = packs_[i];
      PackUse& use = space_.uses[i];
      if (index_whole_ && !named_live_[i]) use.known = true;
      ++totals.packs;
      totals.packs_bytes += pack.bytes;
      if (pack.condemned) {
        ++totals.condemned_packs;
        totals.condemned_bytes += pack.bytes;
      } else if (!use.known) {
        ++totals.unknown_packs;
      } else {
        totals.live_bytes += use.live_bytes;
        totals.dead_bytes += dead_bytes_of(pack, use);
      }
    }
  }

  LiveData& live_;
  const RunControl& control_;
  const std::vector<PackInfo>& packs_;
  std::vector<std::uint32_t> listed_by_;  // the unit that each pack was first found in
  std::vector<bool> named_live_;          // index objects list live blocks in it, and another size of it
  bool index_whole_ = false;
  DeadSpace space_;
  BlockSet seen_;
};

struct Candidate {
  const PackInfo* pack = nullptr;
  std::uint64_t live_bytes = 0;
  std::uint64_t dead_bytes = 0;
};

}  // namespace

Result<DeadSpace> measure_dead_space(LiveData& live, const RunControl& control) {
  return DeadSpaceMeter(live, control).measure();
}

ChosenPacks choose_packs(const LiveData& live, const DeadSpace& space, const ChoiceOptions& options) {
  ChosenPacks chosen;
  std::vector<Candidate> partly;
  // Dead bytes in them. What cannot be moved, as it is young or marked, is no reason to move anything else.
  std::uint64_t movable_bytes = 0;
  const std::vector<PackInfo>& packs = live.packs->packs();
  const auto old_enough = [&](const PackInfo& pack) {
    if (options.age_min.count() == 0) return true;
    return pack.stored_ns != 0 && options.now_ns - pack.stored_ns >= options.age_min.count();
  };
  const auto is_billed_anyway = [&](const PackInfo& pack) {
    return pack.stored_ns != 0 && options.now_ns - pack.stored_ns <
                                      std::chrono::nanoseconds(std::chrono::hours(24 * pack.billed_days)).count();
  };
  for (std::size_t i = 0; i < packs.size(); ++i) {
    const PackInfo& pack = packs[i];
    if (pack.condemned || !space.uses[i].known) continue;
    const Candidate candidate{&pack, space.uses[i].live_bytes, dead_bytes_of(pack, space.uses[i])};
    if (!old_enough(pack)) {
      chosen.young_bytes += candidate.dead_bytes;
    } else if (options.leave_billed && is_billed_anyway(pack)) {
      chosen.billed_bytes += candidate.dead_bytes;
    } else if (candidate.live_bytes == 0) {
      chosen.dead.push_back(pack);
      chosen.dead_bytes += pack.bytes;
      continue;
    } else if (!pack.marked) {
      partly.push_back(candidate);
      movable_bytes += candidate.dead_bytes;
    }
    chosen.left_bytes += candidate.dead_bytes;
  }
  const auto take = [&](const Candidate& candidate) {
    if (chosen.move_bytes + candidate.live_bytes > options.move_bytes_max) return false;
    chosen.to_move.push_back(*candidate.pack);
    chosen.move_bytes += candidate.live_bytes;
    chosen.dead_bytes += candidate.dead_bytes;
    chosen.left_bytes -= candidate.dead_bytes;
    return true;
  };
  std::ranges::sort(partly, [](const Candidate& a, const Candidate& b) {
    // The larger share of dead bytes, without division.
    return a.dead_bytes * b.pack->bytes > b.dead_bytes * a.pack->bytes;
  });
  std::vector<Candidate> small;
  std::uint64_t small_bytes = 0;
  for (const Candidate& candidate : partly) {
    if (movable_bytes * kDeadShare > space.totals.live_bytes) {
      movable_bytes -= candidate.dead_bytes;  // also if it is over the budget
      if (take(candidate)) continue;
    }
    if (candidate.pack->bytes >= options.pack_bytes_target / kSmallShare) continue;
    small.push_back(candidate);
    small_bytes += candidate.live_bytes;
  }
  // A merge of less than fills a pack leaves as many small ones.
  const std::uint64_t budget_left = options.move_bytes_max - chosen.move_bytes;
  if (std::min(small_bytes, budget_left) >= options.pack_bytes_target)
    for (const Candidate& candidate : small) take(candidate);
  return chosen;
}

}  // namespace drs
