#include "engine/repository/block_index.h"

#include <algorithm>
#include <unordered_set>

#include "engine/format/names.h"
#include "engine/repository/block_index_unit.h"
#include "engine/repository/index_ends.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

constexpr std::size_t kTailReadBytes = 16 * kKiB;  // footer and table of most packs
constexpr std::size_t kListReadBytesMax =
    64 * kKiB;  // chunk lists read at once: the following ones are usually needed next

std::uint64_t list_key(BlockClaim place) {
  return key_of(place) + 1;
}

bool by_id(const DirectoryEntry& a, const DirectoryEntry& b) {
  return a.record.id < b.record.id;
}

}  // namespace

BlockIndex::BlockIndex(Repository& repository, ObjectStore& store, const PackCatalog& packs, Options options)
    : repository_(repository), store_(store), packs_(packs), options_(options) {}
BlockIndex::~BlockIndex() = default;

std::size_t BlockIndex::unit_count() const {
  return units_.size();
}
std::uint64_t BlockIndex::chunk_count() const {
  return chunk_count_;
}
std::uint64_t BlockIndex::block_count() const {
  return block_count_;
}
bool BlockIndex::unit_is_uncovered_pack(std::uint32_t unit) const {
  return units_.at(unit).uncovered_pack;
}
std::string BlockIndex::unit_name(std::uint32_t unit) const {
  return units_.at(unit).name;
}
std::size_t BlockIndex::unit_bytes(std::uint32_t unit) const {
  return units_.at(unit).bytes;
}
std::uint32_t BlockIndex::unit_blocks(std::uint32_t unit) const {
  return units_.at(unit).summary.block_count;
}
const std::vector<IndexedPack>& BlockIndex::unit_packs(std::uint32_t unit) const {
  return units_.at(unit).summary.packs;
}

Result<std::unique_ptr<BlockIndex>> BlockIndex::load(Repository& repository, ObjectStore& store,
                                                     const PackCatalog& packs, Options options, Listing listing) {
  std::unique_ptr<BlockIndex> index(new BlockIndex(repository, store, packs, options));
  bool whole = false;
  ListingRounds rounds;
  for (int attempt = 0; attempt < kListAttempts && !whole; ++attempt) {
    DRS_RETURN_IF_ERROR(index->load_index_objects(rounds, listing));
    whole = !rounds.next();
  }
  if (!whole)
    return Error(
        ErrorCode::kUnavailable,
        "objects under index/ vanish each time they are listed: run the command again when `drstream repair index` "
        "has ended");
  std::unordered_set<Digest, FixedBytesHash> covered;
  for (const Unit& unit : index->units_)
    for (const IndexedPack& pack : unit.summary.packs) covered.insert(pack.name);
  for (const PackInfo& pack : packs.packs()) {
    if (covered.contains(pack.name)) continue;
    auto loaded = index->load_uncovered(pack);
    if (loaded.ok()) continue;
    if (is_absent(loaded.error())) {
      index->vanished_ = true;
      continue;
    }
    if (!is_damage(loaded.error())) return std::move(loaded).error();
    index->add_problem(pack_name(pack.name), std::move(loaded).error());
  }
  return index;
}

// Messages name the object before the error: removes the name from the error text if it begins with it.
void BlockIndex::add_problem(std::string object, Error error) {
  if (error.message.starts_with(object + ": ")) error.message.erase(0, object.size() + 2);
  problems_.push_back({std::move(object), std::move(error)});
}

const BlockIndex::Problem* BlockIndex::problem_of_index_object() const {
  const auto found = std::ranges::find_if(
      problems_, [](const Problem& problem) { return problem.object.starts_with(name_prefix(ObjectKind::kIndex)); });
  return found == problems_.end() ? nullptr : &*found;
}

// Loads the listed objects that are not units yet. One of them may have vanished since it was listed, as when a repair
// replaced it; the next list shows its replacement.
Result<void> BlockIndex::load_index_objects(ListingRounds& rounds, Listing& listing) {
  auto listed = listing.take(repository_.store(), ObjectKind::kIndex);
  if (!listed.ok() && is_damage(listed.error())) {
    // index/ is not a folder. The packs' own tables serve instead.
    problems_.push_back({std::string(name_prefix(ObjectKind::kIndex)), std::move(listed).error()});
    return {};
  }
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> objects, std::move(listed));
  std::unordered_set<std::string> known;
  for (const Unit& unit : units_) known.insert(unit.name);
  for (const Problem& problem : problems_) known.insert(problem.object);
  std::erase_if(objects, [&](const ObjectInfo& info) { return known.contains(info.key); });
  const auto take = [&](const ObjectInfo& info, Result<IndexEnds> ends) -> Result<void> {
    if (ends.ok()) {
      add_unit(info.key, info.size_bytes, ends->summary, ends->salt);
      return {};
    }
    Error error = std::move(ends).error();
    if (is_absent(error)) {
      if (!rounds.is_absent_again(info.key)) return {};
      error = listed_but_absent();
    }
    if (!is_damage(error)) return error;
    add_problem(info.key, std::move(error));
    return {};
  };
  return read_index_ends(repository_, store_, objects, take);
}

Result<void> BlockIndex::read_from(const Unit& unit, std::uint64_t offset_bytes, MutableByteView destination) {
  auto done = get_range(store_, unit.name, offset_bytes, destination);
  if (!done.ok() && is_absent(done.error())) {
    vanished_ = true;
    if (unit.uncovered_pack) set_unusable(unit.summary.packs.front().name);
  }
  return done;
}

std::uint32_t BlockIndex::register_unit(Unit unit) {
  const auto number = static_cast<std::uint32_t>(units_.size());
  for (const IndexSession& session : unit.summary.sessions) {
    Claims& claims = claims_[session.session];
    claims.ranges.push_back({session.counter_min, session.counter_max, number});
    claims.sorted = false;
  }
  chunk_count_ += unit.summary.chunk_count;
  block_count_ += unit.summary.block_count;
  units_.push_back(std::move(unit));
  return number;
}

void BlockIndex::add_unit(const std::string& name, std::uint64_t bytes, const IndexSummary& summary, const Salt& salt) {
  Unit unit;
  unit.name = name;
  unit.bytes = bytes;
  unit.salt = salt;
  unit.summary = summary;
  register_unit(std::move(unit));
}

// An uncovered pack is a unit whose directory and chunk lists come from the pack's own table.
Result<void> BlockIndex::load_uncovered(const PackInfo& pack) {
  Unit unit;
  unit.name = pack_name(pack.name);
  unit.bytes = pack.bytes;
  unit.uncovered_pack = true;
  IndexedPack indexed;
  indexed.name = pack.name;
  indexed.bytes = pack.bytes;
  unit.summary.packs.push_back(indexed);
  const std::uint32_t number = register_unit(std::move(unit));
  auto loaded = read_again_if_damaged([&] { return load_table(number); });
  if (!loaded.ok()) {
    units_.pop_back();
    return loaded;
  }
  const Directory entries = *directory(number);
  IndexSummary& summary = units_[number].summary;
  summary.block_count = static_cast<std::uint32_t>(entries->size());
  for (const DirectoryEntry& entry : *entries) {
    summary.chunk_count += entry.record.chunk_count;
    const BlockId& id = entry.record.id;
    if (summary.sessions.empty() || summary.sessions.back().session != id.session)
      summary.sessions.push_back({id.session, id.counter, id.counter, 0});
    summary.sessions.back().counter_max = id.counter;
    ++summary.sessions.back().block_count;
  }
  for (const IndexSession& session : summary.sessions) {
    Claims& claims = claims_[session.session];
    claims.ranges.push_back({session.counter_min, session.counter_max, number});
    claims.sorted = false;
  }
  chunk_count_ += summary.chunk_count;
  block_count_ += summary.block_count;
  return {};
}

// Reads the table of an uncovered pack into the cache: its directory and all chunk lists.
Result<void> BlockIndex::load_table(std::uint32_t number) {
  Unit& unit = units_[number];
  if (unit.bytes < kEnvelopeBytes + kPackFooterBytes || unit.bytes > kPackBytesMax)
    return Error(ErrorCode::kCorrupt, unit.name + ": a pack cannot have " + std::to_string(unit.bytes) + " bytes");
  Bytes head(kEnvelopeBytes);
  DRS_RETURN_IF_ERROR(read_from(unit, 0, head));
  Bytes tail(std::min<std::uint64_t>(unit.bytes, kTailReadBytes));
  DRS_RETURN_IF_ERROR(read_from(unit, unit.bytes - tail.size(), tail));
  auto footer = decode_pack_footer(ByteView(tail).last(kPackFooterBytes), unit.bytes, repository_.config().chunks);
  if (!footer.ok()) return std::move(footer).error().with_context(unit.name);
  const std::size_t needed = footer->table_sealed_bytes + kPackFooterBytes;
  if (tail.size() < needed) {
    tail.resize(needed);
    DRS_RETURN_IF_ERROR(read_from(unit, unit.bytes - needed, tail));
  }
  auto table =
      open_pack_table(repository_.keys(), repository_.crypto(), head, tail, unit.bytes, repository_.config().chunks);
  if (!table.ok()) return std::move(table).error().with_context(unit.name);
  auto envelope = decode_envelope(head, ObjectKind::kPack);
  if (!envelope.ok()) return std::move(envelope).error().with_context(unit.name);
  unit.summary.packs.front().salt = envelope->salt;

  std::sort(table->begin(), table->end(),
            [](const TableBlock& a, const TableBlock& b) { return a.record.id < b.record.id; });
  auto entries = std::make_shared<std::vector<DirectoryEntry>>();
  for (std::uint32_t i = 0; i < table->size(); ++i) {
    TableBlock& block = (*table)[i];
    DirectoryEntry entry;
    entry.record = block.record;
    entries->push_back(entry);
    if (block.chunks.empty()) continue;
    const std::size_t bytes = block.chunks.size() * sizeof(ChunkEntry);
    add_to_cache(list_key({number, i}), nullptr,
                 std::make_shared<const std::vector<ChunkEntry>>(std::move(block.chunks)), bytes);
  }
  const std::size_t bytes = entries->size() * sizeof(DirectoryEntry);
  add_to_cache(directory_key(number), std::move(entries), nullptr, bytes);
  return {};
}

Result<Bytes> BlockIndex::open_section(const Unit& unit, const SealLabel& label, std::uint64_t offset_bytes,
                                       std::size_t sealed_bytes) {
  if (sealed_bytes < kSealBytes) return Error(ErrorCode::kCorrupt, unit.name + ": a section is shorter than its tag");
  const auto number = static_cast<std::uint32_t>(&unit - units_.data());
  if (!opener_ || opener_unit_ != number) {
    opener_ = std::make_unique<ObjectOpener>(
        ObjectOpener::for_salt(repository_.keys(), ObjectKind::kIndex, unit.salt, repository_.crypto()));
    opener_unit_ = number;
  }
  Bytes sealed(sealed_bytes);
  Bytes plain(sealed_bytes - kSealBytes);
  auto read = read_again_if_damaged([&]() -> Result<void> {
    DRS_RETURN_IF_ERROR(read_from(unit, offset_bytes, sealed));
    return opener_->open(label, sealed, plain);
  });
  if (!read.ok()) return std::move(read).error().with_context(unit.name);
  return plain;
}

BlockIndex::CacheEntry* BlockIndex::cached(std::uint64_t key) {
  const auto place = cache_places_.find(key);
  if (place == cache_places_.end()) return nullptr;
  cache_.splice(cache_.begin(), cache_, place->second);
  return &*place->second;
}

void BlockIndex::add_to_cache(std::uint64_t key, Directory entries, ChunkList list, std::size_t bytes) {
  if (cached(key) != nullptr) return;
  constexpr std::size_t kEntryOverheadBytes = 160;  // list and map nodes, shared_ptr block
  cache_.push_front({key, std::move(entries), std::move(list), bytes + kEntryOverheadBytes});
  cache_places_[key] = cache_.begin();
  cached_bytes_ += bytes + kEntryOverheadBytes;
  trim_cache();
}

void BlockIndex::trim_cache() {
  while (cached_bytes_ > options_.cache_bytes && cache_.size() > 1) {
    cached_bytes_ -= cache_.back().bytes;
    cache_places_.erase(cache_.back().key);
    cache_.pop_back();
  }
}

Result<Directory> BlockIndex::directory(std::uint32_t number) {
  DRS_ASSERT(number < units_.size(), "unit number out of range");
  if (const CacheEntry* entry = cached(directory_key(number))) return entry->directory;
  const Unit& unit = units_[number];
  if (unit.uncovered_pack) {
    DRS_RETURN_IF_ERROR(read_again_if_damaged([&] { return load_table(number); }));
    return cached(directory_key(number))->directory;
  }
  DRS_ASSIGN_OR_RETURN(const Bytes plain,
                       open_section(unit, directory_label(unit.summary), unit.summary.directory_offset_bytes,
                                    unit.summary.directory_sealed_bytes));
  return decode_directory(number, plain);
}

Result<Directory> BlockIndex::decode_directory(std::uint32_t number, ByteView plain) {
  const Unit& unit = units_[number];
  auto decoded = decode_index_directory(plain, unit.summary);
  if (!decoded.ok()) return std::move(decoded).error().with_context(unit.name);
  auto entries = std::make_shared<const std::vector<DirectoryEntry>>(*std::move(decoded));
  add_to_cache(directory_key(number), entries, nullptr, entries->size() * sizeof(DirectoryEntry));
  return Directory(entries);
}

Result<void> BlockIndex::read_ahead(std::span<const BlockId> blocks) {
  std::vector<std::uint32_t> units;
  for (const BlockId& block : blocks)
    each_claiming_unit(block, [&](std::uint32_t unit) {
      units.push_back(unit);
      return true;
    });
  std::ranges::sort(units);
  units.erase(std::ranges::unique(units).begin(), units.end());
  return visit_directories(units,
                           [](std::uint32_t, const Result<Directory>&) -> Result<void> { return Result<void>(); });
}

std::vector<std::uint32_t> BlockIndex::units_of_session(const Uuid& session) const {
  std::vector<std::uint32_t> units;
  if (const auto found = claims_.find(session); found != claims_.end())
    for (const Claim& claim : found->second.ranges) units.push_back(claim.unit);
  std::ranges::sort(units);
  units.erase(std::ranges::unique(units).begin(), units.end());
  return units;
}

// Calls `visit(unit)` for the units whose summaries claim the block, those with the highest counters first, until it
// returns true.
template <typename Visit>
void BlockIndex::each_claiming_unit(const BlockId& id, const Visit& visit) {
  const auto found = claims_.find(id.session);
  if (found == claims_.end()) return;
  Claims& claims = found->second;
  if (!claims.sorted) {
    std::sort(claims.ranges.begin(), claims.ranges.end(),
              [](const Claim& a, const Claim& b) { return a.counter_min < b.counter_min; });
    std::uint64_t highest = 0;
    for (Claim& claim : claims.ranges) claim.counter_max_before = highest = std::max(highest, claim.counter_max);
    claims.sorted = true;
  }
  auto at = std::upper_bound(claims.ranges.begin(), claims.ranges.end(), id.counter,
                             [](std::uint64_t counter, const Claim& claim) { return counter < claim.counter_min; });
  while (at != claims.ranges.begin()) {
    --at;
    if (at->counter_max_before < id.counter) return;
    if (at->counter_max >= id.counter && visit(at->unit)) return;
  }
}

template <typename Visit>
Result<void> BlockIndex::each_claim(const BlockId& id, const Visit& visit) {
  std::optional<Error> unreadable;
  bool stopped = false;
  each_claiming_unit(id, [&](std::uint32_t unit) {
    auto entries = directory(unit);
    if (!entries.ok()) {
      unreadable = std::move(entries).error();
      return false;  // another unit may claim the block
    }
    DirectoryEntry wanted;
    wanted.record.id = id;
    // A block may lie in several packs of one unit.
    auto entry = std::lower_bound((*entries)->begin(), (*entries)->end(), wanted, by_id);
    for (; !stopped && entry != (*entries)->end() && entry->record.id == id; ++entry)
      stopped = visit(BlockClaim{unit, static_cast<std::uint32_t>(entry - (*entries)->begin())}, *entry);
    return stopped;
  });
  if (unreadable && !stopped) return *std::move(unreadable);
  return {};
}

Result<BlockLocation> BlockIndex::locate(const BlockId& id) {
  std::optional<BlockLocation> best;
  std::string lost;
  const auto searched = each_claim(id, [&](BlockClaim place, const DirectoryEntry&) {
    auto found = location(place);
    if (!found.ok()) {
      lost = found.error().message;
      return false;
    }
    if (!best || found->usable) best = *std::move(found);
    return best->usable;
  });
  if (best) return *std::move(best);
  if (!searched.ok()) return searched.error();
  return Error(ErrorCode::kNotFound, "block " + to_string(id) + " is lost: " +
                                         (lost.empty() ? "no index object or pack table names it" : lost));
}

Result<BlockClaim> BlockIndex::any_claim(const BlockId& id) {
  std::optional<BlockClaim> found;
  DRS_RETURN_IF_ERROR(each_claim(id, [&](BlockClaim place, const DirectoryEntry&) {
    found = place;
    return true;
  }));
  if (found) return *found;
  return Error(ErrorCode::kNotFound, "no index object or pack table names block " + to_string(id));
}

Result<IndexedPack> BlockIndex::claimed_pack(BlockClaim place) {
  DRS_ASSIGN_OR_RETURN(const Directory entries, directory(place.unit));
  DRS_ASSERT(place.block < entries->size(), "block number out of range");
  return units_[place.unit].summary.packs[(*entries)[place.block].pack];
}

void BlockIndex::drop_cache() {
  cache_places_.clear();
  cache_.clear();
  cached_bytes_ = 0;
}

Result<BlockLocation> BlockIndex::location(BlockClaim place) {
  DRS_ASSIGN_OR_RETURN(const Directory entries, directory(place.unit));
  DRS_ASSERT(place.block < entries->size(), "block number out of range");
  const DirectoryEntry& entry = (*entries)[place.block];
  const IndexedPack& pack = units_[place.unit].summary.packs[entry.pack];
  const PackInfo* info = packs_.find(pack.name);
  if (info == nullptr) return Error(ErrorCode::kNotFound, pack_name(pack.name) + " is missing");
  if (info->bytes != pack.bytes)
    return Error(ErrorCode::kNotFound, pack_name(pack.name) + " has " + std::to_string(info->bytes) +
                                           " bytes, expected " + std::to_string(pack.bytes));
  const bool usable = !unusable_packs_.contains(pack.name) &&
                      packs_.usable(*info, entry.record.offset_bytes, entry.record.sealed_bytes);
  return BlockLocation{place, entry.record, pack.name, pack.bytes, pack.salt, usable};
}

// Reads the chunk lists of a block and of the blocks after it in the same unit into the cache.
Result<void> BlockIndex::load_lists(BlockClaim place) {
  const auto [number, block] = place;
  DRS_ASSIGN_OR_RETURN(const Directory entries, directory(number));
  const Unit& unit = units_[number];
  const std::uint64_t begin = (*entries)[block].list_offset_bytes;
  std::uint64_t end = begin;
  std::uint32_t last = block;
  for (std::uint32_t i = block; i < entries->size(); ++i) {
    const DirectoryEntry& entry = (*entries)[i];
    if (entry.record.chunk_count == 0) continue;
    const std::uint64_t after = entry.list_offset_bytes + list_sealed_bytes(entry.record);
    if (entry.list_offset_bytes != end || (i != block && after - begin > kListReadBytesMax)) break;
    end = after;
    last = i;
  }
  Bytes sealed(end - begin);
  DRS_RETURN_IF_ERROR(read_from(unit, begin, sealed));
  const ObjectOpener opener =
      ObjectOpener::for_salt(repository_.keys(), ObjectKind::kIndex, unit.salt, repository_.crypto());
  // Backwards, so that the list of `block` becomes the most recently used one.
  for (std::uint32_t i = last + 1; i-- > block;) {
    const DirectoryEntry& entry = (*entries)[i];
    if (entry.record.chunk_count == 0 || cache_places_.contains(list_key({number, i}))) continue;
    const ByteView seal = ByteView(sealed).subspan(entry.list_offset_bytes - begin, list_sealed_bytes(entry.record));
    Bytes plain(seal.size() - kSealBytes);
    auto opened = opener.open(chunk_list_label(i, entry.record.chunk_count), seal, plain);
    if (!opened.ok()) {
      if (i != block) continue;
      return std::move(opened).error().with_context(unit.name + ", chunk list " + std::to_string(i));
    }
    auto list = decode_chunk_list(plain, entry.record.raw_bytes);
    if (!list.ok()) {
      if (i != block) continue;
      return std::move(list).error().with_context(unit.name + ", chunk list " + std::to_string(i));
    }
    const std::size_t bytes = list->size() * sizeof(ChunkEntry);
    add_to_cache(list_key({number, i}), nullptr, std::make_shared<const std::vector<ChunkEntry>>(*std::move(list)),
                 bytes);
  }
  return {};
}

Result<ChunkList> BlockIndex::chunks(BlockClaim place) {
  if (const CacheEntry* entry = cached(list_key(place))) return entry->list;
  DRS_ASSIGN_OR_RETURN(const Directory entries, directory(place.unit));
  DRS_ASSERT(place.block < entries->size(), "block number out of range");
  if ((*entries)[place.block].record.chunk_count == 0) return ChunkList(std::make_shared<std::vector<ChunkEntry>>());
  DRS_RETURN_IF_ERROR(read_again_if_damaged(
      [&] { return units_[place.unit].uncovered_pack ? load_table(place.unit) : load_lists(place); }));
  const CacheEntry* entry = cached(list_key(place));
  if (entry == nullptr) return Error(ErrorCode::kInternal, "the index cache is too small for one chunk list");
  return entry->list;
}

}  // namespace drs
