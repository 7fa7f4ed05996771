// The stages of a push below the chunker: workers that hash and seal, the packs they fill, the thread that stores
// these, and the first failure of any. The input is segments cut into chunks, or blocks.
//
//   segments -> hash -> (in order) the ordered step -> blocks -> compress, seal, decode back -> packs -> store
//
// The user provides the ordered step: a Deduplicator, or code that builds blocks itself.
#pragma once

#include <memory>

#include "engine/pipeline/failure.h"
#include "engine/pipeline/memory_plan.h"
#include "engine/pipeline/push/pack_writer.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/pipeline/push/push_workers.h"
#include "engine/repository/repository.h"
#include "io/base/progress.h"
#include "io/buffer_pool.h"

namespace drs {

class PushStages {
 public:
  struct Options {
    Uuid session;  // owner of the blocks
    CompressionChoice compression;
    bool read_back = true;
  };
  // Carves gather buffers, packs and the workers' memory from the budget. All arguments except `options` outlive the
  // stages. Errors: the store's; kBusy (no memory for a codec).
  static Result<std::unique_ptr<PushStages>> make(const Repository& repository, const PushBudget& budget,
                                                  ProgressCounters& progress, const Options& options);
  // Ends the workers first.
  ~PushStages();
  PushStages(const PushStages&) = delete;
  PushStages& operator=(const PushStages&) = delete;

  // Starts the threads. `ordered_step` must stay callable until `stop` or the destructor returns. Errors: kBusy (no
  // thread available).
  Result<void> start(PushWorkers::OrderedStep ordered_step);
  // Waits until every block is sealed and all packs and index objects are durable. To be called after the last block
  // was added, by the thread that added segments. Errors: that of `failure`.
  Result<void> finish();
  // Ends the workers and drops their remaining work. The destructor calls it, too.
  void stop();

  [[nodiscard]] Failure& failure() { return failure_; }
  [[nodiscard]] PushMeter& meter() { return meter_; }
  [[nodiscard]] PackWriter& packs() { return *packs_; }
  [[nodiscard]] PushWorkers& workers() { return *workers_; }
  // Of kBlockBytesMax each. Closed by a failure.
  [[nodiscard]] BufferPool& gather_buffers() { return gather_buffers_; }
  // Statistics of these stages so far; the code that reads the stream adds its own.
  [[nodiscard]] PushStats stats() const;

 private:
  PushStages(const PushBudget& budget, ProgressCounters& progress);
  Result<void> open(const Repository& repository, const PushBudget& budget, const Options& options);

  Failure failure_;
  PushMeter meter_;
  ProgressCounters& progress_;
  BufferPool gather_buffers_;
  const MutableByteView pack_memory_;
  BufferPool pack_buffers_;
  const CancelToken::Registration closing_;
  std::unique_ptr<PackWriter> packs_;
  std::unique_ptr<PushWorkers> workers_;
};

}  // namespace drs
