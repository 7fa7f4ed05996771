// Packs being made, and the thread that stores them.
//
// Workers reserve room for a sealed block in the pack that is open, seal straight into its buffer (several at once),
// and say when they are done. A pack that has no room for the next block is closed; whoever finishes its last block
// appends the table, starts the put, computes the digest beside the write, and names it. The store's thread also
// publishes index objects as packs become durable, so that a long push keeps little in memory. Threads: any, except
// where said.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/format/index.h"
#include "engine/format/pack.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/push_stats.h"
#include "engine/pipeline/session_blocks.h"
#include "engine/repository/repository.h"
#include "io/buffer_pool.h"

namespace drs {

// An index object that is durable: what the deduplication side needs to go on finding its blocks.
struct PublishedIndex {
  std::string name;
  std::uint64_t bytes = 0;
  IndexSummary summary;
  Salt salt;
  std::vector<BlockId> blocks;
};

class PackWriter {
 public:
  struct Options {
    std::size_t pack_bytes_target = 0;
    MutableByteView pack_memory;  // of all pack buffers: registered with the store once a pack was full
    std::size_t index_pending_bytes_max = 4 * kMiB;  // chunk lists waiting for their index object
  };
  // `store` is the writer's own, and goes before the memory of the packs. `packs` outlives the writer; errors go to
  // `failure`.
  PackWriter(const Repository& repository, std::unique_ptr<ObjectStore> store, BufferPool& packs, Failure& failure,
             PushMeter& meter, Options options);
  ~PackWriter();
  // Before anything is reserved. Errors: kBusy when there is no thread to be had.
  Result<void> start();
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  class OpenPack;
  struct Slot {
    std::shared_ptr<OpenPack> pack;
    MutableByteView sealed;  // where the sealed block goes
    std::uint64_t ordinal = 0;
    const ObjectSealer* sealer = nullptr;
    const ObjectOpener* opener = nullptr;  // of the same pack, for decoding back
  };
  // Room for a block; Fills in offset, sealed length and ordinal of `block.record`. Waits for a free pack buffer.
  // Errors: kCancelled once the push has failed.
  Result<Slot> reserve(TableBlock block, std::size_t sealed_bytes);
  // The block of this slot is sealed and checked.
  void finish(Slot slot);

  // After the last block: stores what is open, waits until all packs are durable, publishes the rest of the index.
  // Errors: the failure's.
  Result<void> flush();
  // Wakes whoever waits, to look at the failure.
  void wake();
  // Index objects that became durable since the last call.
  std::vector<PublishedIndex> take_published();

  struct Totals {
    std::uint64_t packs = 0;
    std::uint64_t packs_bytes = 0;
  };
  [[nodiscard]] Totals totals() const;

 private:
  struct StoredPack;
  void close_pack(const std::shared_ptr<OpenPack>& pack);
  void wake_store();
  void run_store();
  void start_put(StoredPack& stored);
  void pack_left_store(StoredPack& stored);
  void pack_is_durable(StoredPack& stored);
  void publish_index(bool all);

  const Repository& repository_;
  BufferPool& buffers_;
  Failure& failure_;
  PushMeter& meter_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable opened_;   // a pack was opened, or opening failed
  std::condition_variable work_;     // for the store's thread
  std::condition_variable drained_;  // everything handed over is durable
  std::shared_ptr<OpenPack> open_;
  bool opening_ = false;
  std::size_t packs_alive_ = 0;  // opened and not yet durable
  std::list<std::unique_ptr<StoredPack>> to_put_;
  bool stop_ = false;
  bool flush_index_ = false;
  std::vector<PublishedIndex> published_;
  Totals totals_;

  // The store thread's own.
  bool registered_ = false;  // pack_memory, with the store
  std::list<std::unique_ptr<StoredPack>> in_store_;
  std::vector<PackContents> pending_;
  std::size_t pending_blocks_ = 0;
  std::size_t pending_bytes_ = 0;

  const std::unique_ptr<ObjectStore>
      store_;  // behind the packs that it may hold: those in flight at its end go with it
  std::thread thread_;
};

}  // namespace drs
