// Builds packs, and stores them from its own thread, the store thread.
//
// Workers reserve room for a sealed block in the open pack, seal straight into its buffer (several at once), and call
// `finish`. A pack without room for the next block is closed. The worker that finishes its last block appends the
// table, hands the pack to the store thread, and computes the digest while the pack is being written; the digest then
// names it. The store thread also publishes index objects as packs become durable, so that a long push needs little
// memory. Thread-safe, except where noted.
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
#include "engine/pipeline/push/push_stats.h"
#include "engine/pipeline/push/session_blocks.h"
#include "engine/repository/repository.h"
#include "io/buffer_pool.h"

namespace drs {

// A durable index object, with what deduplication needs to find its blocks.
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
    MutableByteView pack_memory;  // of all pack buffers: registered with the store before the first put of a pack at
                                  // least half full
    std::size_t index_pending_bytes_max = 4 * kMiB;  // chunk lists waiting for their index object
  };
  // The writer owns `store`, and destroys it before the memory of the packs is released. `packs` outlives the writer.
  // Errors are reported to `failure`.
  PackWriter(const Repository& repository, std::unique_ptr<ObjectStore> store, BufferPool& packs, Failure& failure,
             PushMeter& meter, Options options);
  ~PackWriter();
  // Starts the store thread. To be called before `reserve`. Errors: kBusy (no thread available).
  Result<void> start();
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  class OpenPack;
  struct Slot {
    std::shared_ptr<OpenPack> pack;
    MutableByteView sealed;  // where the sealed block goes
    std::uint64_t ordinal = 0;
    const ObjectSealer* sealer = nullptr;
    const ObjectOpener* opener = nullptr;  // of the same pack, to decode the block back
  };
  // Reserves room for a block; fills in offset, sealed length and ordinal of `block.record`. Waits for a free pack
  // buffer. Errors: kCancelled once the push has failed.
  Result<Slot> reserve(TableBlock block, std::size_t sealed_bytes);
  // To be called once the block of this slot is sealed and checked.
  void finish(Slot slot);

  // After the last block: stores the open pack, waits until all packs are durable, and publishes the rest of the index.
  // Errors: that of `failure`.
  Result<void> flush();
  // Returns the index objects that became durable since the last call.
  std::vector<PublishedIndex> take_published();

  struct Totals {
    std::uint64_t packs = 0;
    std::uint64_t packs_bytes = 0;
  };
  [[nodiscard]] Totals totals() const;

 private:
  struct StoredPack;
  // Wakes all waiting threads, so that they see the failure.
  void wake();
  void close_pack(const std::shared_ptr<OpenPack>& pack);
  void wake_store();
  void run_store();
  void start_put(StoredPack& stored);
  void pack_left_store(StoredPack& stored);
  void pack_is_durable(StoredPack& stored);
  // Publishes what is pending once it is enough for an index object.
  void publish_index_if_full();
  void publish_index();

  const Repository& repository_;
  BufferPool& buffers_;
  Failure& failure_;
  PushMeter& meter_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable opened_;   // a pack was opened, or opening failed
  std::condition_variable work_;     // for the store thread
  std::condition_variable drained_;  // everything handed over is durable
  std::shared_ptr<OpenPack> open_;
  bool opening_ = false;
  std::size_t packs_alive_ = 0;  // opened and not yet durable
  std::list<std::unique_ptr<StoredPack>> to_put_;
  bool stop_ = false;
  bool flush_index_ = false;
  std::vector<PublishedIndex> published_;
  Totals totals_;

  // Used by the store thread only.
  bool registered_ = false;  // pack_memory, with the store
  std::list<std::unique_ptr<StoredPack>> in_store_;
  std::vector<PackContents> pending_;
  std::size_t pending_blocks_ = 0;
  std::size_t pending_bytes_ = 0;

  const std::unique_ptr<ObjectStore>
      store_;  // declared after the packs, so that it is destroyed before the packs it may still read
  std::thread thread_;
  const CancelToken::Registration waking_;
};

}  // namespace drs
