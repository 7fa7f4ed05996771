// The second half of a deletion: decides what of a ripe record is deleted, and deletes it.
//
// A pack is judged by its own table, never by the index. Each of its blocks that is live needs a copy in another pack
// that exists, that no record names, whose own table confirms the block, and from which the block was read and checked
// in this run. A block without such a copy is moved first. The records are read last, after everything that justifies a
// deletion: of all copies of a live block, the one that was condemned last cannot be deleted (docs/DELETION.md).
//
// A damaged pack whose table cannot be read gives readers only what index objects list in it. It goes if these can all
// be read, if they and the tables of other packs name every live block, and if each that they list here has a copy as
// above (decision 0009).
//
// An index object is deleted only if others, which no record names, list the packs that it lists and that are there,
// and the live blocks that no pack holds any more.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/pipeline/keeping/deletion_record.h"
#include "engine/pipeline/keeping/live_data.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/pack_table.h"
#include "engine/repository/repository.h"
#include "io/base/run_control.h"

namespace drs {

struct DeletionTotals {
  std::uint64_t packs = 0;
  std::uint64_t packs_bytes = 0;
  std::uint64_t index_objects = 0;
  std::uint64_t index_bytes = 0;
  std::uint64_t locked = 0;  // objects that the store refuses to delete
  std::uint64_t locked_bytes = 0;
};

class Verdict {
 public:
  // All must outlive the object. `live` must have been loaded after all sessions of the records were settled.
  Verdict(Repository& repository, LiveData& live, BlockMover& mover, const RunControl& control)
      : repository_(repository), live_(live), mover_(mover), control_(control) {}

  // Deletes what `names` says, all of ripe records, as far as it may be deleted; moves live blocks. Errors: kCancelled,
  // the store's.
  Result<void> run(const std::vector<Digest>& names);

  [[nodiscard]] const DeletionTotals& totals() const { return totals_; }
  // What stays although it is ripe, and why. Each is a reason for exit code 4.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  // Packs and index objects.
  [[nodiscard]] const std::unordered_set<Digest, FixedBytesHash>& deleted() const { return deleted_; }

 private:
  using DigestSet = std::unordered_set<Digest, FixedBytesHash>;
  struct Judged {
    PackInfo pack;
    DigestSet relies_on;  // packs with the copies of its live blocks
    bool moved = false;   // a live block was moved, into a pack that `finish` learns
    bool tableless = false;
  };
  // Returns nothing if the pack stays.
  Result<std::optional<Judged>> judge(const PackInfo& pack, const Result<PackTable>& table);
  Result<std::optional<Judged>> judge_without_table(const PackInfo& pack, const Error& unreadable);
  // The live blocks that index objects list in a pack. Errors: that of a directory.
  // Whether the block lies in another condemned pack as well, out of which a prune moves it.
  Result<bool> is_moved_first(const BlockId& block, const Digest& pack);
  Result<std::vector<BlockId>> listed_in(const Digest& pack);
  // Whether the index can be relied upon to show what a pack without a table gives.
  struct IndexState {
    bool names_all = true;   // each live block is named, by an index object or a pack that none lists
    bool vanished = false;   // an index object was deleted meanwhile
    std::string unreadable;  // one of the index objects that cannot be read
  };
  Result<const IndexState*> index_state();
  std::optional<Judged> stays(const PackInfo& pack, const std::string& why);
  Result<void> read_ahead(const Digest& pack, std::span<const TableBlock* const> blocks);
  // Finds the confirmed copy of a live block, outside of `pack`. Returns nothing if there is none.
  Result<std::optional<Digest>> copy_of(const BlockId& block, const Digest& pack);
  Result<const PackTable*> table_of(const Digest& pack, std::uint64_t bytes);
  // Makes moved blocks and copies durable, reads the records again, and deletes the judged packs whose copies no record
  // names.
  Result<void> finish(std::vector<Judged> judged);
  Result<void> secure(const DigestSet& packs);
  // Deletes what the store does not lock, and adds it to `count` and `bytes`.
  Result<void> remove(const std::vector<ObjectInfo>& objects, std::uint64_t& count, std::uint64_t& bytes);
  Result<void> run_index(const std::vector<Digest>& names);
  Result<bool> is_superseded(std::uint32_t unit, const DigestSet& covered);
  Result<void> load_condemned();
  [[nodiscard]] Result<void> check_cancelled() const;

  Repository& repository_;
  LiveData& live_;
  BlockMover& mover_;
  const RunControl& control_;
  DigestSet condemned_;
  bool record_unreadable_ = false;
  std::optional<IndexState> index_state_;
  struct CachedTable {
    Digest pack;
    PackTable table;
    std::unordered_map<BlockId, std::size_t, BlockIdHash> places;
  };
  std::list<CachedTable> tables_;  // most recently used first
  DigestSet deleted_;
  DeletionTotals totals_;
  std::vector<std::string> problems_;
};

}  // namespace drs
