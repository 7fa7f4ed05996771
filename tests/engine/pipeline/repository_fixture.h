// A repository in memory whose packs, index objects, recipes and manifests a test writes piece by piece, straight with
// the format layer: so that readers are tested on their own, and on repositories that no push would write.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/format/index.h"
#include "engine/format/pack.h"
#include "engine/repository/repository.h"
#include "engine/repository/snapshots.h"
#include "io/base/clock.h"
#include "io/sink.h"
#include "sinks/memory_store.h"

namespace drs::test {

// Faults of reads. `fail` is called for each get of each instance; an error that it returns becomes the get's result.
// May be called from any thread.
struct ReadFaults {
  std::mutex mutex;
  std::function<std::optional<Error>(const GetOperation&)> fail;
  std::function<void(std::string_view)> before_list;
  std::uint64_t gets = 0;
  std::mt19937_64 order{1};  // gets complete in a random order, a few at a time
};

// Some chunks of one block, in order.
struct Piece {
  BlockId block;
  std::uint32_t chunk_first = 0;
  std::uint32_t chunk_count = 0;
};

class RepositoryFixture {
 public:
  RepositoryFixture();

  [[nodiscard]] Repository& repository() { return *repository_; }
  // Opens the same repository again, as a machine with this clock would. The store keeps its own clock.
  [[nodiscard]] std::unique_ptr<Repository> open(const Clock& clock) const;
  [[nodiscard]] MemoryObjects& objects() { return *objects_; }
  [[nodiscard]] ReadFaults& faults() { return *faults_; }

  // Adds a block to the pack being made. `raw`: not compressed.
  BlockId add_block(const std::vector<Bytes>& chunks, bool raw = false);
  // Adds a block of `chunks` whose table entries have the ids of `claimed`, which have the same lengths.
  BlockId add_lying_block(const std::vector<Bytes>& chunks, const std::vector<Bytes>& claimed);
  // Adds a copy of a block under the same id, as a prune does when it moves one.
  void add_copy(const BlockId& block);
  // Stores the pack being made and begins another one.
  Digest close_pack();
  // Stores one index object for packs stored before; returns its name.
  std::string add_index(const std::vector<Digest>& packs);
  // Stores recipe parts of `pieces_per_part` pieces each (their pack is closed, but not indexed), and the manifest.
  Snapshot add_snapshot(const std::string& stream, const std::vector<Piece>& pieces,
                        std::size_t pieces_per_part = 1000);

  // Stores `snapshot` with another manifest under the same name.
  Snapshot change_manifest(const Snapshot& snapshot, const std::function<void(Manifest&)>& change);

  [[nodiscard]] Bytes stream_of(const std::vector<Piece>& pieces) const;
  [[nodiscard]] const std::vector<Bytes>& chunks_of(const BlockId& block) const { return blocks_.at(block); }
  [[nodiscard]] const std::vector<TableBlock>& table_of(const Digest& pack) const { return packs_.at(pack).blocks; }
  // Flips one bit of a stored object.
  void damage(const std::string& name, std::size_t offset);

 private:
  BlockId add_block(const BlockId& id, const std::vector<Bytes>& chunks, const std::vector<Bytes>& claimed, bool raw);
  Snapshot store_manifest(Manifest manifest);
  void append(BlockRecord record, ByteView plain, std::vector<ChunkEntry> chunks, bool raw);
  BlockId next_id() { return {session_, counter_++}; }

  SystemClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<ReadFaults> faults_ = std::make_shared<ReadFaults>();
  std::unique_ptr<Repository> repository_;
  Uuid session_;
  std::uint64_t counter_ = 0;
  std::uint64_t sequence_ = 0;
  std::map<BlockId, std::vector<Bytes>> blocks_;
  std::map<Digest, PackContents> packs_;
  std::unique_ptr<ObjectSealer> sealer_;
  Bytes pack_;
  std::vector<TableBlock> table_;
};

// Collects all bytes, and counts the calls.
class CollectingSink final : public Sink {
 public:
  Result<void> write(ByteView bytes) override;
  Result<void> commit() override;
  void abandon() override { ++abandons; }
  void cancel() override;
  [[nodiscard]] std::string name() const override { return "collected"; }

  Bytes bytes;
  std::optional<std::size_t> fail_after_bytes;
  std::function<void()> on_write;   // before each write
  std::function<void()> on_commit;  // in each commit
  int commits = 0;
  int abandons = 0;
  std::atomic<int> cancels{0};
};

// `size` bytes that compress a little, the same for the same seed.
Bytes plain_bytes(std::size_t size, std::uint64_t seed);

}  // namespace drs::test
