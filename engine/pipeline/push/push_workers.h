// The workers of a push: equal threads that hash segments, take the ordered step when the next segment in order is
// hashed, and seal blocks.
//
// Order of preference: the ordered step (cheap, and later segments wait for it), then sealing (frees buffers), then
// hashing. One worker at a time takes the ordered step; it holds no lock meanwhile, so the others continue with other
// work.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "codecs/chunk_hasher.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/push/block_sealer.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/pipeline/push/segment.h"
#include "engine/repository/repository.h"
#include "io/base/progress.h"
#include "io/buffer_pool.h"

namespace drs {

class PushWorkers {
 public:
  // Processes a hashed segment. Called in the order of the stream, by one worker at a time.
  using OrderedStep = std::function<Result<void>(const std::shared_ptr<Segment>&)>;

  // Makes one worker for each sealer. acquire_gather_buffer takes from `gather_buffers`.
  PushWorkers(std::vector<BlockSealer> sealers, const Repository& repository, BufferPool& gather_buffers,
              Failure& failure, ProgressCounters& progress, PushMeter& meter);
  ~PushWorkers();
  PushWorkers(const PushWorkers&) = delete;
  PushWorkers& operator=(const PushWorkers&) = delete;

  // Starts the threads; to be called before `add`. `ordered_step` may run until `stop` returns. Errors: kBusy (not even
  // one thread available).
  Result<void> start(OrderedStep ordered_step);
  // Ends the threads and drops their remaining work. The destructor calls it, too.
  void stop();
  // The running threads: one for each sealer, or fewer if the machine has no more.
  [[nodiscard]] std::size_t thread_count() const { return threads_.size(); }

  // Adds the next segment of the stream. Threads: the reader thread.
  void add(std::shared_ptr<Segment> segment);
  // Adds a block to be sealed. Threads: the worker in the ordered step, or the caller of `wait_ordered`.
  void add(BlockJob job);
  // Returns a buffer for gathering; empty once the push has failed. While none is free, seals blocks on the calling
  // thread. Threads: the worker in the ordered step.
  PooledBuffer acquire_gather_buffer();

  // Waits until every added segment has passed the ordered step. Errors: that of `failure`.
  Result<void> wait_ordered();
  // Waits until every added block is sealed. To be called after wait_ordered. Errors: that of `failure`.
  Result<void> wait_sealed();

  [[nodiscard]] std::uint64_t stored_bytes() const { return stored_bytes_.load(); }

 private:
  struct Worker {
    BlockSealer sealer;
    ChunkHasher hasher;
    std::vector<ByteView> messages;
  };
  // Wakes all waiting threads, so that they see the failure.
  void wake();
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
  const CancelToken::Registration waking_;
};

}  // namespace drs
