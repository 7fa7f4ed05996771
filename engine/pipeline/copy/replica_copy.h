// A copy into a replica: stores the objects verbatim.
//
// A snapshot needs the packs that hold the blocks of its recipe. Packs that the replica lacks are read in full, a few
// in parallel, each into its own buffer; each is compared with its name and put. Then follow the index objects that
// locate their blocks, then the manifest. If a repair of the source's index replaces a listed object, the source is
// listed again.
//
// Protection against a prune of the replica (docs/FORMAT.md, "Replicas"): one session spans the whole copy. It begins
// before the replica's condemned packs, and then all its packs, are listed. Each manifest is put under a session of its
// own name, which begins before condemned packs are listed again and before the first session is checked for a fence. A
// pack that was ever condemned there is neither used nor put again; while a record of condemned packs cannot be read,
// no snapshot is copied that needs a pack which this copy has not stored. The objects that a manifest relies on are
// secured before it is put (ObjectStore::secure). Threads: one thread at a time; `add` and `heal` start others for the
// packs.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/pipeline/copy/copy.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/write_session.h"
#include "io/buffer_pool.h"

namespace drs {

class ReplicaCopy {
 public:
  // Lists both repositories. All arguments must outlive the copy. Adds to `report`.
  static Result<std::unique_ptr<ReplicaCopy>> begin(const CopySource& source, Repository& target,
                                                    const CopyOptions& options, const RunControl& control,
                                                    CopyReport& report);
  // Copies the source's removal marks: of all streams if every snapshot was chosen, else of the streams of `chosen`.
  // Entries of its retired objects become marks. Marks of snapshots that the target has are copied only for a mirror.
  // Errors: the stores'.
  Result<void> carry_marks(const std::vector<const Snapshot*>& chosen);
  // Copies one snapshot, or reports why not. Errors: those of copy_snapshots.
  Result<void> add(const Snapshot& snapshot);
  // To be called after the last `add`: copies again the packs that the target has lost of snapshots that it had.
  // Errors: as `add`.
  Result<void> heal();
  // Of an error that is due to a fence of this copy's session, behind which a prune deletes what it has stored: that.
  [[nodiscard]] Error explain(Error error) { return session_->explain(std::move(error)); }

 private:
  Result<std::set<std::string>> held_here();
  using DigestSet = std::unordered_set<Digest, FixedBytesHash>;
  using PackSizes = std::unordered_map<Digest, std::uint64_t, FixedBytesHash>;  // in bytes
  // What one snapshot needs. Each block is in one of `packs`, `there` and `moves`.
  struct Needs {
    PackSizes packs;                          // of the source, which the target has or gets under the same name
    std::unordered_set<std::uint32_t> units;  // of the source's index, which locate the blocks of `packs`
    DigestSet marked;                         // packs with needed blocks that are marked as damaged in the target
    PackSizes there;  // other packs of the target with blocks that it has: a prune has moved them, here or there
    // Blocks in packs whose names are condemned in the target, and in no other of its packs: they get new ones.
    std::vector<BlockLocation> moves;
  };
  struct Missing {
    std::vector<PackInfo> packs;         // to be copied
    std::optional<Error> target_damage;  // a pack that is damaged in the target
  };

  ReplicaCopy(const CopySource& source, Repository& target, const CopyOptions& options, const RunControl& control,
              CopyReport& report)
      : source_(source.repository),
        catalog_(source.catalog),
        target_(target),
        options_(options),
        progress_(control.progress),
        cancel_(control.cancel),
        report_(report) {}
  Result<void> open();
  // Makes buffers that hold the largest object of `needs` that is to be copied or compared. No buffer may be in use.
  // Errors: kUsage (too little memory for the object), those of ObjectStore::clone.
  Result<void> make_room(const Needs& needs);
  // The reason why a snapshot cannot be copied.
  struct Obstacle {
    Error error;
    bool there = false;  // the damage is in the target
  };
  Result<void> carry_mark(const Removal& removal);
  Result<std::optional<Obstacle>> copy_whole(const Snapshot& snapshot);
  static void note_obstacle(SnapshotCopy& entry, const Obstacle& obstacle);
  // Whether `index` names a pack that the target does not list, or lists with another size.
  [[nodiscard]] bool names_a_lost_pack(const BlockIndex& index) const;
  // Whether the target's own index names a lost pack, or may name one in a part that is damaged or missing.
  Result<bool> shows_a_loss();
  Result<void> heal(SnapshotCopy& entry);
  // Removes from `needs` the packs that the target has or has condemned: a prune moves live blocks to other packs
  // before it condemns one.
  Result<void> leave_what_is_lost(Needs& needs);
  // An optional error or obstacle that a function below returns is the reason why the snapshot cannot be copied.
  Result<std::optional<Obstacle>> copy_needs(const Snapshot& snapshot, Needs& needs);
  Result<std::optional<Obstacle>> room_for(const Needs& needs);
  Result<Needs> needs_of(const Snapshot& snapshot);
  Result<Needs> needs_of(const Manifest& manifest);
  Result<void> note(Needs& needs, const BlockLocation& location);
  // The pack of the target with this block, if it has one that may be used.
  Result<std::optional<IndexedPack>> pack_there(const BlockId& block);
  // Stores the blocks of `needs.moves` in new packs of the target, and notes these as `there`. Errors: as `add`.
  Result<std::optional<Obstacle>> move_blocks(Needs& needs);
  Result<RecipePart> read_recipe_part(const RecipePartRef& ref);
  Result<Missing> missing_packs(const Needs& needs);
  Result<void> copy_packs(const std::vector<PackInfo>& packs);
  Result<void> copy_pack(std::size_t worker, const PackInfo& pack);
  Result<bool> copy_index(const Needs& needs);
  Result<void> copy_index_object(std::uint32_t unit);
  Result<void> write_index(std::uint32_t unit);
  Result<PackContents> contents_of(std::uint32_t unit, const IndexedPack& pack);
  Result<std::optional<Error>> copy_manifest(const Snapshot& snapshot, const Needs& needs);
  // Errors: kConflict (the target has condemned one of the packs).
  static Result<void> check_not_condemned(const Snapshot& snapshot, const Needs& needs, const DigestSet& condemned);
  // Returns an error if an unreadable record of the target may condemn one of the packs. It may also name a pack that
  // is missing in the target: a prune may have deleted it there.
  [[nodiscard]] std::optional<Error> may_be_condemned(const Needs& needs) const;
  Result<void> secure(const Needs& needs);

  Repository& source_;
  const SnapshotCatalog& catalog_;
  Repository& target_;
  const CopyOptions& options_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  CopyReport& report_;

  std::unique_ptr<WriteSession> session_;
  std::unique_ptr<LiveIndex> live_;  // of the source
  std::unique_ptr<BlockReader> reader_;
  DigestSet condemned_;  // condemned in the target: will be, or are, deleted
  PackCatalog target_packs_;
  std::unordered_set<std::string> secured_;  // names in the target that were put or secured since secured_since_
  std::chrono::steady_clock::time_point secured_since_;
  SnapshotCatalog target_snapshots_;
  std::unordered_set<std::string> target_index_;                 // names of its index objects
  DigestSet fresh_;                                              // packs of this copy that no index object covers yet
  std::unordered_map<Digest, Error, FixedBytesHash> damaged_;    // packs of the source
  DigestSet proved_;                                             // marked packs of the target that proved intact
  std::unique_ptr<BlockIndex> target_blocks_;                    // of the target; loaded when it is first needed
  std::unordered_map<BlockId, IndexedPack, BlockIdHash> moved_;  // blocks that this copy has moved

  std::size_t index_cache_bytes_ = 0;
  std::size_t objects_bytes_ = 0;  // memory for whole objects
  std::size_t slot_bytes_ = 0;     // size of one buffer
  std::optional<BufferArena> arena_;
  std::unique_ptr<BufferPool> buffers_;
  std::vector<std::unique_ptr<ObjectStore>> readers_, writers_;  // one of each for each buffer
  std::mutex mutex_;                                             // guards damaged_ and report_ while copy_packs runs
};

}  // namespace drs
