// A copy into a replica: objects as they are.
//
// What a snapshot needs is the packs in which its recipe's blocks lie. Those that the replica lacks are read whole, a
// few at once, each into a buffer of its own, compared with their names and put; then the index objects that say where
// their blocks lie; then the manifest. The source is listed again where a repair of its index replaces what was listed.
//
// Against a prune of the replica (docs/FORMAT.md, "Replicas"): one session spans the whole copy, from before
// the replica's condemned packs, and then all its packs, are listed; each manifest is put under a session of its own
// name, begun before condemned packs are listed again and before the first session is found not fenced. A pack that was
// ever condemned there is neither used nor put again; where a record of them cannot be read, a snapshot that may need
// one is not copied. Before the manifest, what it relies on there is secured
// (ObjectStore::secure). Threads: one, and those that `add` starts.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/pipeline/copy.h"
#include "engine/pipeline/push_session.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "engine/repository/pack_catalog.h"
#include "io/buffer_pool.h"

namespace drs {

class ReplicaCopy {
 public:
  // Lists both repositories. Everything must outlive the copy; it adds to `report`.
  static Result<std::unique_ptr<ReplicaCopy>> begin(Repository& source, const SnapshotCatalog& catalog,
                                                    Repository& target, const CopyOptions& options,
                                                    ProgressCounters& progress, CancelToken& cancel,
                                                    CopyReport& report);
  // The source's removal marks: of all streams when everything was chosen, else of the streams of `chosen`. Those of
  // snapshots that the target has only in a mirror. Errors: the stores'.
  Result<void> carry_marks(const std::vector<const Snapshot*>& chosen);
  // Copies one snapshot, or finds that it need not or cannot be. Errors: those of copy_snapshots.
  Result<void> add(const Snapshot& snapshot);
  // After all of them: of those that the target had, packs that it has lost are copied again. Errors: as `add`.
  Result<void> heal();

 private:
  using DigestSet = std::unordered_set<Digest, FixedBytesHash>;
  // What one snapshot needs of the source.
  struct Needs {
    std::unordered_map<Digest, std::uint64_t, FixedBytesHash> packs;  // and their sizes
    std::unordered_set<std::uint32_t> units;                          // of the index, that say so
    DigestSet marked;                                                 // packs whose needed blocks the target has marked
  };
  struct Missing {
    std::vector<PackInfo> packs;         // to be copied
    std::optional<Error> target_damage;  // a pack that is there, and not good
  };

  ReplicaCopy(Repository& source, const SnapshotCatalog& catalog, Repository& target, const CopyOptions& options,
              ProgressCounters& progress, CancelToken& cancel, CopyReport& report)
      : source_(source),
        catalog_(catalog),
        target_(target),
        options_(options),
        progress_(progress),
        cancel_(cancel),
        report_(report) {}
  Result<void> open();
  // Buffers for the largest object that is to be copied or compared, of those that `needs` names. None may be in use.
  // Errors: kUsage (too little memory for it), what threads' stores report.
  Result<void> make_room(const Needs& needs);
  // What keeps a snapshot from being copied.
  struct Obstacle {
    Error error;
    bool there = false;  // damage in the target
  };
  Result<std::optional<Obstacle>> copy_whole(const Snapshot& snapshot);
  static void note_obstacle(SnapshotCopy& entry, const Obstacle& obstacle);
  // Whether an index names a pack that the target does not list, or lists with another size.
  [[nodiscard]] bool names_a_lost_pack(const BlockIndex& index) const;
  // Whether the target's own index does, or may do so in a part that is gone.
  Result<bool> shows_a_loss();
  Result<void> heal(SnapshotCopy& entry);
  // Takes out of `needs` what the target has, and what it has condemned: a prune there moves what is live first.
  Result<void> leave_what_is_lost(Needs& needs);
  // Those below that return an optional error: what keeps the snapshot from being copied, if anything does.
  Result<std::optional<Obstacle>> copy_needs(const Snapshot& snapshot, Needs& needs);
  Result<std::optional<Obstacle>> room_for(const Needs& needs);
  Result<Needs> needs_of(const Snapshot& snapshot);
  Result<Needs> needs_of(const Manifest& manifest);
  Result<RecipePart> read_recipe_part(const RecipePartRef& ref);
  Result<Missing> missing_packs(const Needs& needs);
  Result<void> copy_packs(const std::vector<PackInfo>& packs);
  Result<void> copy_pack(std::size_t worker, const PackInfo& pack);
  Result<bool> copy_index(const Needs& needs);
  Result<void> copy_index_object(std::uint32_t unit);
  Result<void> write_index(std::uint32_t unit);
  Result<PackContents> contents_of(std::uint32_t unit, const IndexedPack& pack);
  Result<std::optional<Error>> copy_manifest(const Snapshot& snapshot, const Needs& needs);
  // kConflict where the target has condemned one of the packs.
  static Result<void> check_not_condemned(const Snapshot& snapshot, const Needs& needs, const DigestSet& condemned);
  // The error where a record of the target cannot be read that may condemn one of the packs. The times of the source
  // say nothing about when the target had a pack, so one that is not there may have been condemned and deleted.
  [[nodiscard]] std::optional<Error> may_be_condemned(const Needs& needs) const;
  Result<void> secure(const Needs& needs);

  Repository& source_;
  const SnapshotCatalog& catalog_;
  Repository& target_;
  const CopyOptions& options_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  CopyReport& report_;

  std::unique_ptr<PushSession> session_;
  std::unique_ptr<LiveIndex> live_;  // of the source
  std::unique_ptr<BlockReader> reader_;
  DigestSet condemned_;  // in the target: to be deleted, or deleted
  PackCatalog target_packs_;
  std::unordered_set<std::string> secured_;  // names in the target, put or secured since
  std::chrono::steady_clock::time_point secured_since_;
  SnapshotCatalog target_snapshots_;
  std::unordered_set<std::string> target_index_;               // names of its index objects
  DigestSet fresh_;                                            // packs of this copy that no index object covers yet
  std::unordered_map<Digest, Error, FixedBytesHash> damaged_;  // packs of the source
  DigestSet proved_;                                           // packs of the target that are marked, and whole

  std::size_t index_cache_bytes_ = 0;
  std::size_t objects_bytes_ = 0;  // memory for whole objects
  std::size_t slot_bytes_ = 0;     // of one buffer
  std::optional<BufferArena> arena_;
  std::unique_ptr<BufferPool> buffers_;
  std::vector<std::unique_ptr<ObjectStore>> readers_, writers_;  // one of each for each buffer
  std::mutex mutex_;                                             // of damaged_ and report_, while copy_packs runs
};

}  // namespace drs
