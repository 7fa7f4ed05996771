// The workers of a push: equal threads that hash segments, take the ordered step when the next segment in order is
// hashed, and seal blocks.
//
// Order of preference: the ordered step (cheap, and everything behind it waits), then sealing (frees buffers), then
// hashing. Nobody waits for a lock while work is to be had: the ordered step is taken by one worker at a time, the
// others go on.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "codecs/chunk_hasher.h"
#include "engine/pipeline/block_sealer.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/push_stats.h"
#include "engine/pipeline/segment.h"
#include "io/buffer_pool.h"
#include "io/progress.h"

namespace drs {

class PushWorkers {
 public:
  // What happens to a hashed segment, in the order of the stream. Called by one worker at a time.
  using OrderedStep = std::function<Result<void>(const std::shared_ptr<Segment>&)>;

  // One worker for each sealer. `gather_buffers` are what acquire_gather_buffer hands out.
  PushWorkers(std::vector<BlockSealer> sealers, ByteView chunk_id_key, CryptoBackend crypto, BufferPool& gather_buffers,
              OrderedStep ordered_step, Failure& failure, ProgressCounters& progress, PushMeter& meter);
  ~PushWorkers();
  PushWorkers(const PushWorkers&) = delete;
  PushWorkers& operator=(const PushWorkers&) = delete;

  // Before anything is added. Errors: kBusy when not one thread is to be had.
  Result<void> start();
  // The threads that run: as many as there are sealers, or fewer where the machine has no more.
  [[nodiscard]] std::size_t thread_count() const { return threads_.size(); }

  // The next segment of the stream. From the reader's thread.
  void add(std::shared_ptr<Segment> segment);
  // A block to be sealed. From within the ordered step, or by the caller of `wait_ordered`.
  void add(BlockJob job);
  // A buffer for gathering; empty once the push has failed. From within the ordered step: while none is free it seals
  // blocks itself.
  PooledBuffer acquire_gather_buffer();

  // Waits until every segment added has passed the ordered step.
  Result<void> wait_ordered();
  // Waits until every block added is sealed. After wait_ordered.
  Result<void> wait_sealed();
  void wake();

  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_bytes_.load(); }

 private:
  struct Worker {
    BlockSealer sealer;
    ChunkHasher hasher;
    std::vector<ByteView> messages;
  };
  void run(Worker& worker);
  bool run_ordered(std::unique_lock<std::mutex>& lock, Worker& worker);
  bool run_seal(std::unique_lock<std::mutex>& lock, Worker& worker);
  bool run_hash(std::unique_lock<std::mutex>& lock, Worker& worker);

  BufferPool& gather_buffers_;
  OrderedStep ordered_step_;
  Failure& failure_;
  ProgressCounters& progress_;
  PushMeter& meter_;
  std::atomic<std::uint64_t> stored_bytes_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Segment>> in_order_;  // not yet through the ordered step
  std::deque<std::shared_ptr<Segment>> to_hash_;
  std::deque<BlockJob> to_seal_;
  std::size_t sealing_ = 0;
  bool ordering_ = false;
  Worker* ordering_worker_ = nullptr;
  std::chrono::nanoseconds sealed_in_step_{0};  // CPU time of blocks sealed from within the ordered step
  bool stop_ = false;

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace drs
