#include "engine/pipeline/keeping/condemn.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/format/names.h"
#include "engine/pipeline/keeping/deletion_record.h"
#include "engine/repository/index_writer.h"
#include "engine/repository/pack_table.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

using DigestSet = std::unordered_set<Digest, FixedBytesHash>;

// Smaller index objects are merged, if together they fill one, or if there are many: each costs two reads at every
// opening. A push closes an object at 4 MiB or kIndexBlocksMax blocks, whichever comes first.
constexpr std::size_t kSmallIndexBytes = 1 * kMiB;
constexpr std::uint32_t kSmallIndexBlocks = kIndexBlocksMax / 2;
constexpr std::size_t kFullIndexBytes = 4 * kMiB;
constexpr std::size_t kManySmallIndexes = 64;
constexpr std::size_t kBlocksAtOnce = 16;  // read ahead

class Condemnation {
 public:
  Condemnation(Repository& repository, LiveData& live, BlockMover& mover, const RunControl& control)
      : repository_(repository), live_(live), mover_(mover), control_(control) {}

  Result<CondemnReport> run(const ChosenPacks& chosen) {
    // From here on a usable copy of a block is one in a pack that stays.
    for (const auto* const packs : {&chosen.dead, &chosen.to_move})
      for (const PackInfo& pack : *packs) live_.index->set_unusable(pack.name);
    for (const PackInfo& pack : chosen.dead) take(pack);
    for (const PackInfo& pack : chosen.to_move) DRS_RETURN_IF_ERROR(move(pack));
    DRS_RETURN_IF_ERROR(mover_.flush());
    DRS_RETURN_IF_ERROR(rewrite_index());
    for (std::size_t at = 0; at < names_.size(); at += kCondemnedPacksMax) {
      DRS_RETURN_IF_ERROR(check_cancelled());
      const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = static_cast<std::ptrdiff_t>(std::min(kCondemnedPacksMax, names_.size() - at));
      DRS_ASSIGN_OR_RETURN(const Uuid record, put_condemned(repository_, std::vector<Digest>(begin, begin + count)));
      DRS_RETURN_IF_ERROR(put_waits(repository_, record));
    }
    return std::move(report_);
  }

 private:
  [[nodiscard]] Result<void> check_cancelled() const {
    if (control_.cancel.cancelled())
      return Error(ErrorCode::kCancelled, "pruning was cancelled; a later prune takes up what this one has moved");
    return {};
  }

  void take(const PackInfo& pack) {
    going_.insert(pack.name);
    names_.push_back(pack.name);
    ++report_.packs;
    report_.packs_bytes += pack.bytes;
  }

  // Whether the second half will find a copy: if it is damaged, that half moves the block.
  Result<bool> has_usable_copy(const BlockId& block) {
    const auto place = live_.index->locate(block);
    if (!place.ok() && !is_object_fault(place.error())) return place.error();
    return place.ok() && place->usable;
  }

  Result<void> move(const PackInfo& pack) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    const auto moved = [&]() -> Result<void> {
      DRS_ASSIGN_OR_RETURN(const PackTable table,
                           read_pack_table(repository_, repository_.store(), pack.name, pack.bytes));
      std::vector<const TableBlock*> blocks;
      for (const TableBlock& block : table.blocks) {
        if (!live_.blocks.contains(block.record.id)) continue;
        DRS_ASSIGN_OR_RETURN(const bool has_copy, has_usable_copy(block.record.id));
        if (!has_copy) blocks.push_back(&block);
      }
      std::vector<SealedRange> ahead;
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        DRS_RETURN_IF_ERROR(check_cancelled());
        if (i % kBlocksAtOnce == 0) {
          ahead.clear();
          for (std::size_t next = i; next < std::min(blocks.size(), i + kBlocksAtOnce); ++next)
            ahead.push_back(sealed_range(pack.name, blocks[next]->record));
          DRS_RETURN_IF_ERROR(mover_.read_ahead(ahead));
        }
        DRS_RETURN_IF_ERROR(mover_.move({pack.name, table, *blocks[i]}));
        control_.progress.bytes += blocks[i]->record.sealed_bytes;
      }
      return {};
    }();
    if (moved.ok())
      take(pack);
    else if (!is_object_fault(moved.error()))
      return moved;
    else if (!is_absent(moved.error()))  // gone: another prune was faster
      report_.left.push_back(pack_name(pack.name) + ": " + moved.error().message);
    return {};
  }

  [[nodiscard]] bool stays(const Digest& name) const { return !condemned_.contains(name) && !going_.contains(name); }

  // Whether blocks of a pack that is gone are live and in no other pack: their chunks are needed to rebuild them.
  Result<bool> lists_lost_blocks(const std::vector<DirectoryEntry>& entries, std::size_t pack) {
    for (const DirectoryEntry& entry : entries) {
      if (entry.pack != pack || !live_.blocks.contains(entry.record.id)) continue;
      DRS_ASSIGN_OR_RETURN(const bool has_copy, has_usable_copy(entry.record.id));
      if (!has_copy) return true;
    }
    return false;
  }

  struct Unit {
    std::uint32_t number = 0;
    std::vector<bool> keeps;  // for each of its packs
    bool stale = false;       // lists a pack that is not needed any more
    bool condemned = false;   // a record names it
  };

  Result<std::optional<Unit>> judge_unit(std::uint32_t number) {
    if (live_.index->unit_is_uncovered_pack(number)) return std::optional<Unit>();
    Unit unit{.number = number, .keeps = {}, .stale = false, .condemned = false};
    unit.condemned = condemned_.contains(parse_name(live_.index->unit_name(number))->digest);
    const std::vector<IndexedPack> packs = live_.index->unit_packs(number);
    Directory entries;
    for (std::size_t i = 0; i < packs.size(); ++i) {
      bool keeps = stays(packs[i].name);
      const bool is_listed = live_.packs->find(packs[i].name) != nullptr;
      // One that no record names is lost, or younger than the list.
      if (keeps && !is_listed) {
        const auto there = repository_.store().stat(pack_name(packs[i].name));
        if (!there.ok() && !is_absent(there.error())) return there.error();
        keeps = there.ok();
      }
      if (!keeps && !is_listed) {
        if (entries == nullptr) {
          const auto read = live_.index->directory(number);
          if (!read.ok() && !is_object_fault(read.error())) return read.error();
          if (!read.ok()) return std::optional<Unit>();  // `repair index` mends it
          entries = *read;
        }
        DRS_ASSIGN_OR_RETURN(keeps, lists_lost_blocks(*entries, i));
      }
      unit.keeps.push_back(keeps);
      if (!keeps) unit.stale = true;
    }
    return std::optional(std::move(unit));
  }

  [[nodiscard]] bool is_small(std::uint32_t unit) const {
    return live_.index->unit_bytes(unit) < kSmallIndexBytes && live_.index->unit_blocks(unit) < kSmallIndexBlocks;
  }

  [[nodiscard]] bool are_worth_merging(const std::vector<Unit>& small) const {
    std::uint64_t blocks = 0, bytes = 0;
    for (const Unit& unit : small) {
      blocks += live_.index->unit_blocks(unit.number);
      bytes += live_.index->unit_bytes(unit.number);
    }
    return blocks >= kIndexBlocksMax || bytes >= kFullIndexBytes || small.size() >= kManySmallIndexes;
  }

  Result<std::vector<Unit>> readable(std::vector<Unit> units) {
    std::vector<Unit> found;
    for (Unit& unit : units) {
      const auto entries = live_.index->directory(unit.number);
      if (!entries.ok() && !is_object_fault(entries.error())) return entries.error();
      if (entries.ok()) found.push_back(std::move(unit));
    }
    return found;
  }

  Result<void> rewrite_index() {
    DRS_ASSIGN_OR_RETURN(const CondemnedList condemned, PackCatalog::load_condemned(repository_));
    condemned_.insert(condemned.packs.begin(), condemned.packs.end());
    // Of two prunes at once, each may have condemned an object since another one lists its packs, which the other prune
    // condemned: then these packs are written anew.
    std::vector<Unit> condemned_units;
    std::vector<Unit> replaced, small;
    for (std::uint32_t number = 0; number < live_.index->unit_count(); ++number) {
      DRS_ASSIGN_OR_RETURN(auto unit, judge_unit(number));
      if (!unit) continue;
      if (unit->condemned) {
        condemned_units.push_back(*std::move(unit));
      } else if (unit->stale) {
        replaced.push_back(*std::move(unit));
      } else if (is_small(number)) {
        small.push_back(*std::move(unit));
      } else {
        cover(*unit);
      }
    }
    // One that cannot be read stays, so it is no reason to write the others anew in each run.
    if (are_worth_merging(small)) {
      DRS_ASSIGN_OR_RETURN(small, readable(std::move(small)));
    }
    if (are_worth_merging(small))
      std::ranges::move(small, std::back_inserter(replaced));
    else
      for (const Unit& unit : small) cover(unit);
    std::ranges::move(condemned_units, std::back_inserter(replaced));
    IndexWriter writer(repository_, repository_.store());
    for (const Unit& unit : replaced) DRS_RETURN_IF_ERROR(replace(unit, writer));
    DRS_RETURN_IF_ERROR(writer.flush());
    // Durable now. An object whose content did not change has its old name, and stays.
    const DigestSet written = digests_of(writer.written());
    for (const Digest& name : replaced_) {
      if (written.contains(name)) continue;
      names_.push_back(name);
      ++report_.index_objects;
    }
    return {};
  }

  static DigestSet digests_of(const std::vector<std::string>& names) {
    DigestSet digests;
    for (const std::string& name : names) digests.insert(parse_name(name)->digest);
    return digests;
  }

  void cover(const Unit& unit) {
    for (const IndexedPack& pack : live_.index->unit_packs(unit.number)) covered_.insert(pack.name);
  }

  // Writes the packs of the unit that stay, unless another index object lists them.
  Result<void> replace(const Unit& unit, IndexWriter& writer) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    const auto contents = contents_of(unit);
    if (!contents.ok() && !is_object_fault(contents.error())) return contents.error();
    if (!contents.ok()) return {};  // it stays; `repair index` mends it
    for (const PackContents& pack : *contents) DRS_RETURN_IF_ERROR(writer.add(pack));
    if (!unit.condemned) replaced_.push_back(parse_name(live_.index->unit_name(unit.number))->digest);
    return {};
  }

  Result<std::vector<PackContents>> contents_of(const Unit& unit) {
    const std::vector<IndexedPack> packs = live_.index->unit_packs(unit.number);
    std::vector<PackContents> contents;
    std::vector<std::optional<std::size_t>> places(packs.size());
    std::vector<Digest> now_covered;
    for (std::size_t i = 0; i < packs.size(); ++i) {
      if (!unit.keeps[i] || covered_.contains(packs[i].name)) continue;
      places[i] = contents.size();
      contents.push_back({packs[i], {}});
      now_covered.push_back(packs[i].name);
    }
    if (contents.empty()) return contents;
    DRS_ASSIGN_OR_RETURN(const Directory entries, live_.index->directory(unit.number));
    std::vector<TableBlock> blocks;
    for (const DirectoryEntry& entry : *entries) blocks.push_back({entry.record, {}});
    DRS_RETURN_IF_ERROR(live_.index->visit_chunks(
        unit.number, [&](std::uint32_t block, const std::vector<ChunkEntry>& chunks) -> Result<void> {
          blocks[block].chunks = chunks;
          return {};
        }));
    for (std::size_t i = 0; i < blocks.size(); ++i)
      if (const auto place = places[(*entries)[i].pack]) contents[*place].blocks.push_back(std::move(blocks[i]));
    covered_.insert(now_covered.begin(), now_covered.end());
    return contents;
  }

  Repository& repository_;
  LiveData& live_;
  BlockMover& mover_;
  const RunControl& control_;
  CondemnReport report_;
  DigestSet going_;
  DigestSet condemned_;  // packs and index objects that a record names
  DigestSet covered_;    // packs that an index object lists that stays, or that was written
  std::vector<Digest> replaced_;
  std::vector<Digest> names_;
};

}  // namespace

Result<CondemnReport> condemn(Repository& repository, LiveData& live, BlockMover& mover, const ChosenPacks& chosen,
                              const RunControl& control) {
  return Condemnation(repository, live, mover, control).run(chosen);
}

}  // namespace drs
