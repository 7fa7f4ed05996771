#include "engine/pipeline/keeping/verdict.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/parallel.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

constexpr std::size_t kTablesMax = 64;      // of packs that hold copies
constexpr std::size_t kJudgedAtOnce = 256;  // packs between two readings of the records
constexpr std::size_t kRemovedAtOnce = 1000;
constexpr std::size_t kTablesAtOnce = 16;  // read by as many threads
constexpr std::size_t kBlocksAtOnce = 16;  // read ahead

}  // namespace

Result<void> Verdict::check_cancelled() const {
  if (control_.cancel.cancelled())
    return Error(ErrorCode::kCancelled, "pruning was cancelled; what was condemned is deleted by a later prune");
  return {};
}

Result<void> Verdict::load_condemned() {
  DRS_ASSIGN_OR_RETURN(const CondemnedList list, PackCatalog::load_condemned(repository_));
  condemned_.insert(list.packs.begin(), list.packs.end());
  record_unreadable_ = !list.unreadable.empty();
  return {};
}

Result<void> Verdict::run(const std::vector<Digest>& names) {
  DRS_RETURN_IF_ERROR(load_condemned());
  DRS_ASSIGN_OR_RETURN(const auto stores, parallel_stores(repository_.store(), kTablesAtOnce));
  std::vector<PackInfo> packs;  // without those that are gone, and index objects
  for (const Digest& name : names)
    if (const PackInfo* const pack = live_.packs->find(name)) packs.push_back(*pack);
  std::vector<Judged> judged;
  for (std::size_t at = 0; at < packs.size(); at += kTablesAtOnce) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    const auto some = std::span(packs).subspan(at, std::min(kTablesAtOnce, packs.size() - at));
    std::vector<std::optional<Result<PackTable>>> tables(some.size());
    DRS_RETURN_IF_ERROR(
        for_each_parallel(stores.size(), some.size(), [&](std::size_t worker, std::size_t i) -> Result<void> {
          tables[i] = read_pack_table(repository_, *stores[worker], some[i].name, some[i].bytes);
          return {};
        }));
    for (std::size_t i = 0; i < some.size(); ++i) {
      DRS_ASSIGN_OR_RETURN(auto verdict, judge(some[i], *tables[i]));
      if (verdict) judged.push_back(*std::move(verdict));
    }
    if (judged.size() < kJudgedAtOnce) continue;
    DRS_RETURN_IF_ERROR(finish(std::exchange(judged, {})));
  }
  DRS_RETURN_IF_ERROR(finish(std::move(judged)));
  return run_index(names);
}

Result<std::optional<Verdict::Judged>> Verdict::judge(const PackInfo& pack, const Result<PackTable>& table) {
  if (!table.ok() && is_absent(table.error())) return std::optional<Judged>();  // another prune was faster
  if (!table.ok() && !is_object_fault(table.error())) return table.error();
  if (!table.ok()) return judge_without_table(pack, table.error());
  Judged judged{.pack = pack, .relies_on = {}, .moved = false, .tableless = false};
  std::vector<const TableBlock*> live;
  for (const TableBlock& block : table->blocks)
    if (live_.blocks.contains(block.record.id)) live.push_back(&block);
  // While a record cannot be read, it may name any pack: none justifies a deletion.
  if (record_unreadable_ && !live.empty())
    return stays(pack, "it holds live blocks, and a record under condemned/ cannot be read");
  for (std::size_t i = 0; i < live.size(); ++i) {
    const TableBlock& block = *live[i];
    DRS_RETURN_IF_ERROR(check_cancelled());
    if (i % kBlocksAtOnce == 0)
      DRS_RETURN_IF_ERROR(read_ahead(pack.name, std::span(live).subspan(i, std::min(kBlocksAtOnce, live.size() - i))));
    DRS_ASSIGN_OR_RETURN(const auto copy, copy_of(block.record.id, pack.name));
    if (copy) {
      judged.relies_on.insert(*copy);
      continue;
    }
    const auto moved = mover_.move({pack.name, *table, block});
    if (!moved.ok() && is_absent(moved.error())) return std::optional<Judged>();  // as above
    if (!moved.ok() && !is_object_fault(moved.error())) return moved.error();
    if (!moved.ok())
      return stays(pack, "a live block in it is damaged and has no other copy: " + moved.error().message);
    judged.moved = true;
  }
  return std::optional(std::move(judged));
}

std::optional<Verdict::Judged> Verdict::stays(const PackInfo& pack, const std::string& why) {
  problems_.push_back(pack_name(pack.name) + " is condemned, but stays: " + why);
  return std::nullopt;
}

Result<std::optional<Verdict::Judged>> Verdict::judge_without_table(const PackInfo& pack, const Error& unreadable) {
  const auto may_hold = [&](const std::string& what) {
    return stays(pack, "its table cannot be read, and it may hold " + what + ": " + unreadable.message);
  };
  if (is_too_new(unreadable)) return may_hold("anything");
  if (record_unreadable_) return may_hold("the only copy of a block, since a record under condemned/ cannot be read");
  DRS_ASSIGN_OR_RETURN(const IndexState* const index, index_state());
  if (index->vanished) return std::optional<Judged>();  // a later run judges it
  if (!index->unreadable.empty()) return may_hold("what " + index->unreadable + " lists, which cannot be read either");
  if (!index->names_all)
    return may_hold("a block of a snapshot that is nowhere else; `drstream verify` names the snapshot");
  DRS_ASSIGN_OR_RETURN(const std::vector<BlockId> blocks, listed_in(pack.name));
  Judged judged{.pack = pack, .relies_on = {}, .moved = false, .tableless = true};
  for (const BlockId& block : blocks) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    DRS_ASSIGN_OR_RETURN(const auto copy, copy_of(block, pack.name));
    if (!copy) {
      DRS_ASSIGN_OR_RETURN(const bool waits, is_moved_first(block, pack.name));
      if (waits) return std::optional<Judged>();  // a later run judges it
      return may_hold("the only copy of a block that can be read");
    }
    judged.relies_on.insert(*copy);
  }
  return std::optional(std::move(judged));
}

Result<bool> Verdict::is_moved_first(const BlockId& block, const Digest& pack) {
  for (std::uint32_t unit = 0; unit < live_.index->unit_count(); ++unit) {
    const std::vector<IndexedPack>& packs = live_.index->unit_packs(unit);
    DRS_ASSIGN_OR_RETURN(const Directory entries, live_.index->directory(unit));
    for (const DirectoryEntry& entry : *entries) {
      if (entry.record.id != block || packs[entry.pack].name == pack) continue;
      const PackInfo* const other = live_.packs->find(packs[entry.pack].name);
      if (other != nullptr && other->condemned && !other->marked) return true;
    }
  }
  return false;
}

Result<std::vector<BlockId>> Verdict::listed_in(const Digest& pack) {
  std::unordered_set<BlockId, BlockIdHash> blocks;
  for (std::uint32_t unit = 0; unit < live_.index->unit_count(); ++unit) {
    if (live_.index->unit_is_uncovered_pack(unit)) continue;
    const std::vector<IndexedPack>& packs = live_.index->unit_packs(unit);
    if (std::ranges::find(packs, pack, &IndexedPack::name) == packs.end()) continue;
    DRS_ASSIGN_OR_RETURN(const Directory entries, live_.index->directory(unit));
    for (const DirectoryEntry& entry : *entries)
      if (packs[entry.pack].name == pack && live_.blocks.contains(entry.record.id)) blocks.insert(entry.record.id);
  }
  return std::vector<BlockId>(blocks.begin(), blocks.end());
}

Result<const Verdict::IndexState*> Verdict::index_state() {
  if (index_state_) return &*index_state_;
  IndexState state;
  BlockIndex& index = *live_.index;
  if (const BlockIndex::Problem* const problem = index.problem_of_index_object()) state.unreadable = problem->object;
  std::vector<std::uint32_t> units(index.unit_count());
  std::iota(units.begin(), units.end(), 0U);
  BlockSet named;
  const auto take = [&](std::uint32_t unit, const Result<Directory>& entries) -> Result<void> {
    DRS_RETURN_IF_ERROR(check_cancelled());
    if (!entries.ok() && !is_object_fault(entries.error())) return entries.error();
    if (entries.ok()) {
      for (const DirectoryEntry& entry : **entries)
        if (live_.blocks.contains(entry.record.id)) named.add(entry.record.id);
    } else if (is_absent(entries.error())) {
      state.vanished = true;
    } else if (!index.unit_is_uncovered_pack(unit)) {
      // A pack that no index object lists, and whose table cannot be read, gives nothing to anybody.
      state.unreadable = index.unit_name(unit);
    }
    return {};
  };
  DRS_RETURN_IF_ERROR(index.visit_directories(units, take));
  state.vanished = state.vanished || index.vanished();
  state.names_all = named.size() == live_.blocks.size();
  index_state_ = std::move(state);
  return &*index_state_;
}

// Reads where each block will be looked for first: its copy, or else itself, to be moved.
Result<void> Verdict::read_ahead(const Digest& pack, std::span<const TableBlock* const> blocks) {
  std::vector<SealedRange> ahead;
  for (const TableBlock* const block : blocks) {
    const auto place = live_.index->locate(block->record.id);
    const bool elsewhere = place.ok() && place->usable && place->pack != pack;
    ahead.push_back(elsewhere ? sealed_range(place->pack, place->record) : sealed_range(pack, block->record));
  }
  return mover_.read_ahead(ahead);
}

Result<const PackTable*> Verdict::table_of(const Digest& pack, std::uint64_t bytes) {
  const auto found = std::ranges::find(tables_, pack, &CachedTable::pack);
  if (found != tables_.end()) {
    tables_.splice(tables_.begin(), tables_, found);
    return &tables_.front().table;
  }
  DRS_ASSIGN_OR_RETURN(PackTable table, read_pack_table(repository_, repository_.store(), pack, bytes));
  std::unordered_map<BlockId, std::size_t, BlockIdHash> places;
  for (std::size_t i = 0; i < table.blocks.size(); ++i) places.emplace(table.blocks[i].record.id, i);
  tables_.push_front({pack, std::move(table), std::move(places)});
  if (tables_.size() > kTablesMax) tables_.pop_back();
  return &tables_.front().table;
}

Result<std::optional<Digest>> Verdict::copy_of(const BlockId& block, const Digest& pack) {
  for (;;) {
    const auto place = live_.index->locate(block);
    if (!place.ok() && !is_object_fault(place.error())) return place.error();
    // `usable` is false for what is condemned, missing, or marked as damaged.
    if (!place.ok() || !place->usable || place->pack == pack || condemned_.contains(place->pack))
      return std::optional<Digest>();
    const auto confirmed = [&]() -> Result<void> {
      DRS_ASSIGN_OR_RETURN(const PackTable* const table, table_of(place->pack, place->pack_bytes));
      const auto at = tables_.front().places.find(block);
      if (at == tables_.front().places.end())
        return Error(ErrorCode::kCorrupt, "the index says that it holds a block that its table does not name");
      return mover_.check({place->pack, *table, table->blocks[at->second]});
    }();
    if (confirmed.ok()) return std::optional(place->pack);
    if (!is_object_fault(confirmed.error())) return confirmed.error();
    if (!is_absent(confirmed.error()))
      problems_.push_back(
          "a copy of a live block does not count, and other blocks of its pack neither: " + confirmed.error().message +
          "; run `drstream verify --read-data`, which marks what is damaged");
    live_.index->set_unusable(place->pack);  // the next claim names another pack
  }
}

Result<void> Verdict::finish(std::vector<Judged> judged) {
  DRS_ASSIGN_OR_RETURN(const std::vector<IndexedPack> moved, mover_.flush());
  for (const IndexedPack& pack : moved) live_.packs->add(pack.name, pack.bytes);
  if (judged.empty()) return {};
  // After everything on which the deletions rely is there: a record that names one of these packs is durable before the
  // pack is deleted.
  DRS_RETURN_IF_ERROR(load_condemned());
  const auto is_condemned = [&](const Digest& name) { return condemned_.contains(name); };
  const bool moved_condemned =
      std::ranges::any_of(moved, [&](const IndexedPack& pack) { return is_condemned(pack.name); });
  std::vector<ObjectInfo> removable;
  DigestSet relied_on;
  for (const Judged& verdict : judged) {
    const bool holds_live = verdict.moved || !verdict.relies_on.empty();
    if ((holds_live || verdict.tableless) && record_unreadable_) continue;
    if (verdict.moved && moved_condemned) continue;  // a later run moves again
    if (std::ranges::any_of(verdict.relies_on, is_condemned)) continue;
    removable.push_back({pack_name(verdict.pack.name), verdict.pack.bytes, verdict.pack.stored_ns});
    relied_on.insert(verdict.relies_on.begin(), verdict.relies_on.end());
  }
  DRS_RETURN_IF_ERROR(secure(relied_on));
  return remove(removable, totals_.packs, totals_.packs_bytes);
}

// Whoever put these packs may have died before their names were durable. Locks need no extension here: what a lock
// protects, it protects where it lies.
Result<void> Verdict::secure(const DigestSet& packs) {
  ObjectStore& store = repository_.store();
  if (packs.empty() || !store.secures() || store.locks()) return {};
  std::vector<ObjectKey> names;
  for (const Digest& pack : packs) names.push_back(pack_name(pack));
  return store.secure(names);
}

// Deletes several at once; where the store refuses one, deletes one after the other to learn which.
Result<void> Verdict::remove(const std::vector<ObjectInfo>& objects, std::uint64_t& count, std::uint64_t& bytes) {
  ObjectStore& store = repository_.store();
  const auto is_gone = [&](const ObjectInfo& object) {
    deleted_.insert(parse_name(object.key)->digest);
    ++count;
    bytes += object.size_bytes;
  };
  for (std::size_t at = 0; at < objects.size(); at += kRemovedAtOnce) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    const auto some = std::span(objects).subspan(at, std::min(kRemovedAtOnce, objects.size() - at));
    std::vector<ObjectKey> keys;
    for (const ObjectInfo& object : some) keys.push_back(object.key);
    const auto removed = store.remove_all(keys);
    if (!removed.ok() && removed.error().code != ErrorCode::kDenied) return removed.error();
    for (const ObjectInfo& object : some) {
      const auto one = removed.ok() ? removed : store.remove(object.key);
      if (one.ok() || is_absent(one.error())) {
        is_gone(object);
        continue;
      }
      if (one.error().code != ErrorCode::kDenied) return one.error();
      ++totals_.locked;
      totals_.locked_bytes += object.size_bytes;
    }
  }
  return {};
}

Result<void> Verdict::run_index(const std::vector<Digest>& names) {
  const DigestSet wanted(names.begin(), names.end());
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository_.list(ObjectKind::kIndex));
  std::vector<ObjectInfo> condemned;
  for (const ObjectInfo& info : listed)
    if (wanted.contains(parse_name(info.key)->digest)) condemned.push_back(info);
  if (condemned.empty()) return {};
  // Index objects that were written since `live_` was loaded count, and those that have vanished do not.
  DRS_ASSIGN_OR_RETURN(live_.index, BlockIndex::load(repository_, repository_.store(), *live_.packs, {}));
  DRS_RETURN_IF_ERROR(load_condemned());
  if (record_unreadable_) {
    problems_.push_back(std::to_string(condemned.size()) +
                        " index objects are condemned, but stay: a record under condemned/ cannot be read");
    return {};
  }
  DigestSet covered;  // packs that an index object lists that no record names
  std::unordered_map<std::string, std::uint32_t> units;
  for (std::uint32_t unit = 0; unit < live_.index->unit_count(); ++unit) {
    if (live_.index->unit_is_uncovered_pack(unit)) continue;
    const std::string name = live_.index->unit_name(unit);
    units.emplace(name, unit);
    if (condemned_.contains(parse_name(name)->digest)) continue;
    for (const IndexedPack& pack : live_.index->unit_packs(unit)) covered.insert(pack.name);
  }
  std::vector<ObjectInfo> removable;
  for (const ObjectInfo& info : condemned) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    const auto unit = units.find(info.key);
    if (unit == units.end()) {
      // One that is gone was deleted by another prune.
      const auto& damaged = live_.index->problems();
      if (std::ranges::find(damaged, info.key, &BlockIndex::Problem::object) != damaged.end())
        problems_.push_back(info.key +
                            " is condemned, but stays: it cannot be read, so it may be the only list of blocks");
      continue;
    }
    const auto superseded = is_superseded(unit->second, covered);
    if (!superseded.ok() && is_absent(superseded.error())) continue;  // another prune was faster
    if (!superseded.ok() && !is_object_fault(superseded.error())) return superseded.error();
    if (!superseded.ok())
      problems_.push_back(info.key +
                          " is condemned, but stays: its list of blocks cannot be read: " + superseded.error().message);
    else if (*superseded)
      removable.push_back(info);
  }
  return remove(removable, totals_.index_objects, totals_.index_bytes);
}

// Whether other index objects have all entries of this one that are needed.
Result<bool> Verdict::is_superseded(std::uint32_t unit, const DigestSet& covered) {
  DRS_ASSIGN_OR_RETURN(const Directory entries, live_.index->directory(unit));
  const std::vector<IndexedPack> packs = live_.index->unit_packs(unit);
  for (std::size_t number = 0; number < packs.size(); ++number) {
    const Digest& name = packs[number].name;
    if (covered.contains(name)) continue;
    const bool there = live_.packs->find(name) != nullptr && !deleted_.contains(name);
    if (there && !condemned_.contains(name)) return false;
    if (there) {
      // A condemned pack that stays: this may be the only list of a table that cannot be read.
      const auto table = read_pack_table(repository_, repository_.store(), name, packs[number].bytes);
      if (!table.ok() && !is_object_fault(table.error())) return table.error();
      if (!table.ok() && !is_absent(table.error())) return false;
      continue;
    }
    for (const DirectoryEntry& entry : *entries) {
      if (entry.pack != number || !live_.blocks.contains(entry.record.id)) continue;
      const auto place = live_.index->locate(entry.record.id);
      if (!place.ok() && !is_object_fault(place.error())) return place.error();
      if (!place.ok() || !place->usable) return false;  // lost, or may be: it can be rebuilt from these chunks
    }
  }
  return true;
}

}  // namespace drs
