#include "engine/pipeline/copy/replica_copy.h"

#include <algorithm>
#include <set>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/index.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/pipeline/pull/block_recovery.h"
#include "engine/pipeline/push/reused_objects.h"
#include "engine/repository/parallel.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "io/base/error_class.h"
#include "io/failpoint.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

constexpr std::size_t kPacksInFlightMax = 8;
// Chunk lists gathered before an index object is written; as in a push.
constexpr std::size_t kIndexPendingBytesMax = 4 * kMiB;

// Reads the whole object into `buffer`. Errors: kCorrupt (its SHA-256 is not `digest`), kTruncated, the store's.
Result<ByteView> read_whole(ObjectStore& store, const std::string& name, std::size_t bytes, const Digest& digest,
                            MutableByteView buffer) {
  const MutableByteView whole = buffer.first(bytes);
  DRS_RETURN_IF_ERROR(get_range(store, name, 0, whole));
  const Digest got = sha256(whole);
  if (got == digest) return ByteView(whole);
  return Error(ErrorCode::kCorrupt, name + " is damaged: its bytes have the SHA-256 " + got.hex());
}

// Objects are never replaced: a copy stores a damaged one anew only after it was removed.
std::string remove_there(const std::string& name) {
  return "; remove " + name + " in the target and copy again, which stores it anew";
}

// The next step for a pack.
constexpr std::string_view kRepairThere =
    "; run `drstream repair packs` in the target, with this source as its --from-repository";

}  // namespace

Result<std::unique_ptr<ReplicaCopy>> ReplicaCopy::begin(const CopySource& source, Repository& target,
                                                        const CopyOptions& options, const RunControl& control,
                                                        CopyReport& report) {
  std::unique_ptr<ReplicaCopy> copy(new ReplicaCopy(source, target, options, control, report));
  DRS_RETURN_IF_ERROR(copy->open());
  return copy;
}

Result<void> ReplicaCopy::open() {
  DRS_ASSIGN_OR_RETURN(const ReplicaMemory memory, plan_replica_copy(options_.memory_bytes));
  objects_bytes_ = memory.objects_bytes;
  index_cache_bytes_ = memory.index_cache_bytes;
  const std::string stream = catalog_.live.empty() ? "copy" : catalog_.live.front().manifest.stream;
  DRS_ASSIGN_OR_RETURN(session_,
                       WriteSession::begin(target_, target_.store(), {.stream = stream, .host = options_.host}, {}));
  secured_since_ = target_.clock().steady();
  DRS_ASSIGN_OR_RETURN(const CondemnedList condemned, PackCatalog::load_condemned(target_));
  condemned_.insert(condemned.packs.begin(), condemned.packs.end());
  DRS_ASSIGN_OR_RETURN(target_packs_, PackCatalog::load(target_));
  for (const CondemnedList::Unreadable& record : target_packs_.unreadable_condemned())
    report_.warnings.push_back("in the target: " + record.warning());
  if (const auto warning = target_packs_.marks_warning()) report_.warnings.push_back("in the target: " + *warning);
  DRS_RETURN_IF_ERROR(target_.store().list("index/", [&](const ObjectInfo& info) -> Result<void> {
    target_index_.insert(info.key);
    return {};
  }));
  DRS_ASSIGN_OR_RETURN(target_snapshots_, load_snapshots(target_));

  DRS_ASSIGN_OR_RETURN(live_, LiveIndex::open(source_, source_.store(), {memory.index_cache_bytes}));
  for (const BlockIndex::Problem& problem : live_->index().problems())
    report_.warnings.push_back(problem.object + " in the source: " + problem.error.message);
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(source_, source_.store()));
  reader_ = std::make_unique<BlockReader>(std::move(reader));
  return {};
}

// Uses the sizes that the index states, which the format bounds. The sizes in a list have no bound and must not
// determine how much memory is allocated.
Result<void> ReplicaCopy::make_room(const Needs& needs) {
  std::size_t largest_bytes = slot_bytes_;
  std::string largest;
  const auto measure = [&](const std::string& name, std::uint64_t bytes) {
    if (bytes <= largest_bytes) return;
    largest_bytes = static_cast<std::size_t>(bytes);
    largest = name;
  };
  for (const auto& [pack, bytes] : needs.packs)
    if (target_packs_.find(pack) == nullptr || needs.marked.contains(pack)) measure(pack_name(pack), bytes);
  for (const std::uint32_t unit : needs.units) {
    const BlockIndex& index = live_->index();
    const std::string name = index.unit_name(unit);
    if (!index.unit_is_uncovered_pack(unit) && !target_index_.contains(name)) measure(name, index.unit_bytes(unit));
  }
  if (largest.empty()) return {};
  const std::size_t slot_bytes = (largest_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  // One object in a buffer, plus the stores' memory while it is read or put.
  const std::size_t moving_bytes = slot_bytes + source_.store().operation_bytes() + target_.store().operation_bytes();
  if (moving_bytes > objects_bytes_)
    return Error(ErrorCode::kUsage,
                 largest + " has " + std::to_string(largest_bytes) +
                     " bytes and must fit into memory in full: --memory must be " +
                     std::to_string((options_.memory_bytes + moving_bytes - objects_bytes_) / kMiB + 8) +
                     " MiB or more");
  const std::size_t slots = std::min(objects_bytes_ / moving_bytes, kPacksInFlightMax);
  readers_.clear();
  writers_.clear();
  buffers_.reset();
  arena_.reset();
  DRS_ASSIGN_OR_RETURN(arena_, BufferArena::map(slots * slot_bytes));
  buffers_ = std::make_unique<BufferPool>(arena_->carve(slots * slot_bytes), slot_bytes, slots);
  DRS_ASSIGN_OR_RETURN(readers_, worker_stores(source_.store(), slots));
  DRS_ASSIGN_OR_RETURN(writers_, worker_stores(target_.store(), slots));
  slot_bytes_ = slot_bytes;
  return {};
}

Result<void> ReplicaCopy::add(const Snapshot& snapshot) {
  if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
  using Outcome = SnapshotCopy::Outcome;
  SnapshotCopy entry{.source = &snapshot, .outcome = Outcome::kCopied, .target_name = snapshot.name, .problem = {}};
  const auto is_removed = [&](const Removal& removal) { return removal.manifest_name == snapshot.name; };
  const auto is_there = [&](const Snapshot& there) { return there.name == snapshot.name; };
  const auto is_broken = [&](const BrokenManifest& broken) { return broken.name == snapshot.name; };
  const SnapshotCatalog& target = target_snapshots_;
  const auto broken = std::find_if(target.broken.begin(), target.broken.end(), is_broken);
  if (std::any_of(target.removed.begin(), target.removed.end(), is_removed)) {
    entry.outcome = Outcome::kRemoved;
    entry.target_name.clear();
  } else if (std::any_of(target.live.begin(), target.live.end(), is_there)) {
    entry.outcome = Outcome::kPresent;
  } else if (std::binary_search(target.fences.begin(), target.fences.end(), snapshot.name)) {
    entry.outcome = Outcome::kFenced;
    entry.problem =
        "a prune of the target has fenced an earlier copy of this snapshot: its manifest can never be stored there. "
        "`drstream forget` it in the source, `drstream unforget` it there, and copy again: it gets a new id";
    entry.target_name.clear();
  } else if (broken != target.broken.end() && is_too_new(broken->error)) {
    note_obstacle(entry, {broken->error.with_context(snapshot.name + " is in the target, but cannot be read")});
  } else if (broken != target.broken.end()) {
    entry.outcome = Outcome::kDamagedThere;
    entry.problem = broken->error.message + remove_there(snapshot.name);
  } else {
    DRS_ASSIGN_OR_RETURN(const auto obstacle, copy_whole(snapshot));
    if (obstacle) {
      note_obstacle(entry, *obstacle);
      entry.target_name.clear();
      ++progress_.problems;
    }
  }
  report_.snapshots.push_back(std::move(entry));
  return session_->heartbeat_result();
}

void ReplicaCopy::note_obstacle(SnapshotCopy& entry, const Obstacle& obstacle) {
  using Outcome = SnapshotCopy::Outcome;
  const ErrorCode code = obstacle.error.code;
  const bool skipped = code == ErrorCode::kUsage || code == ErrorCode::kConflict || is_too_new(obstacle.error);
  entry.outcome = obstacle.there ? Outcome::kDamagedThere : skipped ? Outcome::kSkipped : Outcome::kDamaged;
  entry.problem = obstacle.error.message;
  entry.reason = obstacle.error.code;
}

Result<std::optional<ReplicaCopy::Obstacle>> ReplicaCopy::copy_whole(const Snapshot& snapshot) {
  auto needs = needs_of(snapshot);
  if (!needs.ok() && !is_object_fault(needs.error())) return needs.error();
  auto obstacle = std::optional<Obstacle>();
  if (!needs.ok()) {
    obstacle = Obstacle{needs.error()};
  } else {
    DRS_ASSIGN_OR_RETURN(obstacle, copy_needs(snapshot, *needs));
  }
  if (obstacle) {
    Error explained = explain(obstacle->error);
    if (explained.code != obstacle->error.code) obstacle = Obstacle{std::move(explained)};
  }
  if (obstacle && !obstacle->there) {
    // What a prune of the source has deleted, behind a removal mark, is no damage.
    DRS_ASSIGN_OR_RETURN(const auto removal, removal_of(source_.keys(), source_.store(), snapshot.name));
    if (removal) obstacle->error = removed_meanwhile();
  }
  if (obstacle) return obstacle;
  DRS_ASSIGN_OR_RETURN(const auto damage, copy_manifest(snapshot, *needs));
  return damage ? std::optional(Obstacle{*damage}) : std::nullopt;
}

// Copies packs and index objects.
Result<std::optional<ReplicaCopy::Obstacle>> ReplicaCopy::copy_needs(const Snapshot& snapshot, Needs& needs) {
  DRS_RETURN_IF_ERROR(check_not_condemned(snapshot, needs, condemned_));
  if (auto doubt = may_be_condemned(needs)) return std::optional(Obstacle{*std::move(doubt), true});
  DRS_ASSIGN_OR_RETURN(auto too_little, room_for(needs));
  if (too_little) return too_little;
  DRS_ASSIGN_OR_RETURN(const Missing missing, missing_packs(needs));
  if (missing.target_damage) return std::optional(Obstacle{*missing.target_damage, true});
  DRS_RETURN_IF_ERROR(copy_packs(missing.packs));
  for (const auto& [pack, bytes] : needs.packs)
    if (const auto found = damaged_.find(pack); found != damaged_.end()) return std::optional(Obstacle{found->second});
  DRS_ASSIGN_OR_RETURN(auto unmoved, move_blocks(needs));
  if (unmoved) return unmoved;
  for (;;) {
    DRS_ASSIGN_OR_RETURN(const bool whole, copy_index(needs));
    if (whole) return std::optional<Obstacle>();
    // The packs are copied, but the source's index was listed again: find the units anew.
    auto now = needs_of(snapshot);
    if (!now.ok() && !is_object_fault(now.error())) return now.error();
    if (!now.ok()) return std::optional(Obstacle{now.error()});
    needs.units = std::move(now->units);
    DRS_ASSIGN_OR_RETURN(too_little, room_for(needs));
    if (too_little) return too_little;
  }
}

// Returns an obstacle if memory does not suffice, since another snapshot may need less.
Result<std::optional<ReplicaCopy::Obstacle>> ReplicaCopy::room_for(const Needs& needs) {
  auto room = make_room(needs);
  if (room.ok()) return std::optional<Obstacle>();
  if (room.error().code != ErrorCode::kUsage) return std::move(room).error();
  return std::optional(Obstacle{std::move(room).error()});
}

Result<ReplicaCopy::Missing> ReplicaCopy::missing_packs(const Needs& needs) {
  Missing missing;
  for (const auto& [name, bytes] : needs.packs) {
    const PackInfo* const there = target_packs_.find(name);
    if (there == nullptr) {
      if (!damaged_.contains(name)) missing.packs.push_back({.name = name, .bytes = bytes});
      continue;
    }
    if (there->bytes != bytes) {
      missing.target_damage =
          Error(ErrorCode::kCorrupt, pack_name(name) + " in the target has " + std::to_string(there->bytes) +
                                         " bytes, expected " + std::to_string(bytes) + std::string(kRepairThere));
    } else if (needs.marked.contains(name) && !proved_.contains(name)) {
      // A damage mark proves nothing: read the pack.
      const PooledBuffer buffer = buffers_->acquire();
      const auto whole = read_again_if_damaged([&, size = bytes, &pack = name] {
        return read_whole(target_.store(), pack_name(pack), static_cast<std::size_t>(size), pack, buffer.bytes());
      });
      if (!whole.ok() && !is_object_fault(whole.error())) return whole.error();
      if (whole.ok())
        proved_.insert(name);
      else
        missing.target_damage =
            Error(whole.error().code, "in the target " + whole.error().message + std::string(kRepairThere));
    }
    ++report_.packs_present;
  }
  std::sort(missing.packs.begin(), missing.packs.end(),
            [](const PackInfo& a, const PackInfo& b) { return a.name < b.name; });
  return missing;
}

Result<void> ReplicaCopy::copy_packs(const std::vector<PackInfo>& packs) {
  for (const PackInfo& pack : packs) progress_.total_bytes += pack.bytes;
  DRS_RETURN_IF_ERROR(for_each_parallel(readers_.size(), packs.size(), [&](std::size_t worker, std::size_t number) {
    return copy_pack(worker, packs[number]);
  }));
  for (const PackInfo& pack : packs) {
    if (damaged_.contains(pack.name)) continue;
    target_packs_.add(pack.name, pack.bytes);
    fresh_.insert(pack.name);
    secured_.insert(pack_name(pack.name));
    ++report_.packs;
    report_.stored_bytes += pack.bytes;
  }
  return {};
}

Result<void> ReplicaCopy::copy_pack(std::size_t worker, const PackInfo& pack) {
  if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
  if (worker == 0) DRS_RETURN_IF_ERROR(session_->heartbeat_result());  // the calling thread, which owns session_
  const std::string name = pack_name(pack.name);
  const PooledBuffer buffer = buffers_->acquire();
  const auto whole =
      read_whole(*readers_[worker], name, static_cast<std::size_t>(pack.bytes), pack.name, buffer.bytes());
  progress_.bytes += pack.bytes;
  {
    const std::lock_guard lock(mutex_);
    report_.read_bytes += pack.bytes;
    if (!whole.ok() && is_object_fault(whole.error())) {
      damaged_.emplace(pack.name, whole.error());
      return {};
    }
  }
  if (!whole.ok()) return whole.error();
  auto stored = put_settled(*writers_[worker], name, *whole, pack.name);
  if (!stored.ok()) return std::move(stored).error().with_context("storing " + name);
  progress_.stored_bytes += pack.bytes;
  return failpoint("copy.pack");
}

// Returns false if unit numbers have become invalid: the source was listed again.
Result<bool> ReplicaCopy::copy_index(const Needs& needs) {
  const BlockIndex& index = live_->index();
  const std::uint64_t lists = live_->lists_made();
  const std::set<std::uint32_t> units(needs.units.begin(), needs.units.end());
  for (const std::uint32_t unit : units) {
    if (index.unit_is_uncovered_pack(unit) || target_index_.contains(index.unit_name(unit))) continue;
    const std::vector<IndexedPack>& packs = index.unit_packs(unit);
    const bool whole = std::all_of(packs.begin(), packs.end(), [&](const IndexedPack& pack) {
      const PackInfo* const there = target_packs_.find(pack.name);
      return there != nullptr && there->bytes == pack.bytes;
    });
    if (whole) {
      DRS_RETURN_IF_ERROR(copy_index_object(unit));
    } else {
      DRS_RETURN_IF_ERROR(write_index(unit));
    }
    if (live_->lists_made() != lists) return false;
  }
  return true;
}

Result<void> ReplicaCopy::copy_index_object(std::uint32_t unit) {
  const BlockIndex& index = live_->index();
  const std::string name = index.unit_name(unit);
  const PooledBuffer buffer = buffers_->acquire();
  const Digest digest = parse_name(name)->digest;
  const auto object = read_whole(source_.store(), name, index.unit_bytes(unit), digest, buffer.bytes());
  if (!object.ok()) {
    if (is_absent(object.error())) return write_index(unit);  // a repair has replaced it
    if (!is_object_fault(object.error())) return object.error();
    report_.warnings.push_back(object.error().message +
                               ", and was not copied: readers of the target use the tables of its packs instead; run "
                               "`drstream repair index` there");
    return {};
  }
  DRS_RETURN_IF_ERROR(failpoint("copy.before_index"));
  DRS_RETURN_IF_ERROR(put_settled(target_.store(), name, *object, digest));
  target_index_.insert(name);
  for (const IndexedPack& pack : index.unit_packs(unit)) fresh_.erase(pack.name);
  ++report_.index_objects;
  return {};
}

// An index object that names packs missing in the target would look like damage there: writes a new one for the packs
// that the target has. Ends early if a repair has replaced the object and the source was listed again.
Result<void> ReplicaCopy::write_index(std::uint32_t unit) {
  std::vector<PackContents> pending;
  std::size_t pending_blocks = 0;
  std::size_t pending_bytes = 0;
  const auto write = [&]() -> Result<void> {
    if (pending.empty()) return {};
    const Bytes object = encode_index(target_.keys(), target_.crypto(), pending, target_.clock().wall_ns());
    const Digest digest = sha256(object);
    DRS_RETURN_IF_ERROR(failpoint("copy.before_index"));
    DRS_RETURN_IF_ERROR(put_settled(target_.store(), index_name(digest), object, digest));
    for (const PackContents& contents : pending) fresh_.erase(contents.pack.name);
    ++report_.index_objects;
    pending.clear();
    pending_blocks = pending_bytes = 0;
    return {};
  };
  const std::vector<IndexedPack> packs = live_->index().unit_packs(unit);
  for (const IndexedPack& pack : packs) {
    if (!fresh_.contains(pack.name)) continue;
    const auto contents = contents_of(unit, pack);
    if (!contents.ok()) {
      if (!is_object_fault(contents.error())) return contents.error();
      const std::uint64_t lists = live_->lists_made();
      const std::string name = live_->index().unit_name(unit);
      if (auto renewed = live_->renew(std::nullopt, contents.error()); !renewed.ok()) return std::move(renewed).error();
      if (live_->lists_made() != lists) break;
      report_.warnings.push_back(name + " is damaged: " + contents.error().message);
      continue;
    }
    if (pending_blocks + contents->blocks.size() > kIndexBlocksMax || pending_bytes > kIndexPendingBytesMax)
      DRS_RETURN_IF_ERROR(write());
    pending_blocks += contents->blocks.size();
    for (const TableBlock& block : contents->blocks)
      pending_bytes += sizeof(TableBlock) + block.chunks.size() * sizeof(ChunkEntry);
    pending.push_back(*contents);
  }
  return write();
}

Result<PackContents> ReplicaCopy::contents_of(std::uint32_t unit, const IndexedPack& pack) {
  PackContents contents{pack, {}};
  BlockIndex& index = live_->index();
  for (std::uint32_t block = 0; block < index.unit_blocks(unit); ++block) {
    const auto location = index.location({unit, block});
    if (!location.ok() && is_absent(location.error())) continue;  // its pack is missing
    if (!location.ok()) return location.error();
    if (location->pack != pack.name) continue;
    TableBlock entry{location->record, {}};
    if (entry.record.chunk_count > 0) {
      DRS_ASSIGN_OR_RETURN(const ChunkList chunks, index.chunks({unit, block}));
      entry.chunks = *chunks;
    }
    contents.blocks.push_back(std::move(entry));
  }
  return contents;
}

Result<std::optional<Error>> ReplicaCopy::copy_manifest(const Snapshot& snapshot, const Needs& needs) {
  const auto object = get_object(source_.store(), snapshot.name, kDocumentBytesMax);
  if (!object.ok() && !is_object_fault(object.error())) return object.error();
  if (!object.ok()) return std::optional(object.error());
  const auto manifest = open_manifest(source_.keys(), snapshot.name, *object);
  if (!manifest.ok() || document_identity(*object) != snapshot.digest)
    return std::optional(Error(ErrorCode::kCorrupt, snapshot.name + " has changed since it was listed"));
  // A prune's fence takes the manifest's name, so the manifest is put under a session of that name.
  DRS_ASSIGN_OR_RETURN(
      const auto session,
      WriteSession::begin(
          target_, target_.store(),
          {.stream = snapshot.manifest.stream, .host = options_.host, .session = snapshot.manifest.session}, {}));
  DRS_ASSIGN_OR_RETURN(const CondemnedList condemned, PackCatalog::load_condemned(target_));
  DRS_RETURN_IF_ERROR(check_not_condemned(snapshot, needs, DigestSet(condemned.packs.begin(), condemned.packs.end())));
  const auto& known = target_packs_.unreadable_condemned();  // those that may_be_condemned has checked
  for (const CondemnedList::Unreadable& record : condemned.unreadable)
    if (std::none_of(known.begin(), known.end(), [&](const auto& other) { return other.name == record.name; }))
      return std::optional(Error(ErrorCode::kCorrupt, "in the target: " + record.warning()));
  DRS_RETURN_IF_ERROR(session_->check_not_fenced());
  DRS_RETURN_IF_ERROR(secure(needs));
  DRS_RETURN_IF_ERROR(session->commit(snapshot.name, *object));
  return std::optional<Error>();
}

Result<void> ReplicaCopy::check_not_condemned(const Snapshot& snapshot, const Needs& needs,
                                              const DigestSet& condemned) {
  for (const PackSizes* const packs : {&needs.packs, &needs.there})
    for (const auto& [pack, bytes] : *packs)
      if (condemned.contains(pack))
        return Error(ErrorCode::kConflict, "a prune of the target has condemned " + pack_name(pack) + ", which " +
                                               snapshot.name +
                                               " needs, while the copy ran: the snapshot was not copied; copy again");
  return {};
}

std::optional<Error> ReplicaCopy::may_be_condemned(const Needs& needs) const {
  const auto& unreadable = target_packs_.unreadable_condemned();
  if (unreadable.empty()) return std::nullopt;
  for (const auto& [pack, bytes] : needs.packs) {
    const PackInfo* const there = target_packs_.find(pack);
    if (there != nullptr && !there->may_be_condemned) continue;
    return Error(ErrorCode::kCorrupt, pack_name(pack) +
                                          (there != nullptr ? " in the target may be condemned: "
                                                            : " is not in the target, and may be condemned there: ") +
                                          unreadable.front().warning());
  }
  return std::nullopt;
}

// Secures the packs, and every index object of the target: finding the ones that name these packs would need reading
// them all.
Result<void> ReplicaCopy::secure(const Needs& needs) {
  ObjectStore& store = target_.store();
  if (!store.secures()) return {};
  if (target_.clock().steady() - secured_since_ > kSecuredFor) {
    secured_.clear();
    secured_since_ = target_.clock().steady();
  }
  std::vector<ObjectKey> names;
  for (const PackSizes* const packs : {&needs.packs, &needs.there})
    for (const auto& [pack, bytes] : *packs)
      if (!secured_.contains(pack_name(pack))) names.push_back(pack_name(pack));
  DRS_RETURN_IF_ERROR(store.list("index/", [&](const ObjectInfo& info) -> Result<void> {
    if (parse_name(info.key) && !secured_.contains(info.key)) names.push_back(info.key);
    return {};
  }));
  DRS_RETURN_IF_ERROR(secure_for_commit(store, names));
  secured_.insert(names.begin(), names.end());
  return {};
}

}  // namespace drs
