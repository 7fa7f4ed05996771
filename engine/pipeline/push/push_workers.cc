#include "engine/pipeline/push/push_workers.h"

#include "io/helper_thread.h"

namespace drs {

PushWorkers::PushWorkers(std::vector<BlockSealer> sealers, const Repository& repository, BufferPool& gather_buffers,
                         Failure& failure, ProgressCounters& progress, PushMeter& meter)
    : gather_buffers_(gather_buffers),
      failure_(failure),
      progress_(progress),
      meter_(meter),
      waking_(failure.on_failure([this] { wake(); })) {
  for (BlockSealer& sealer : sealers) {
    ChunkHasher hasher(repository.keys().chunk_id(), repository.crypto());
    workers_.push_back(std::make_unique<Worker>(Worker{std::move(sealer), std::move(hasher), {}}));
  }
}

Result<void> PushWorkers::start(OrderedStep ordered_step) {
  ordered_step_ = std::move(ordered_step);
  for (const auto& worker : workers_) {
    auto thread = start_helper_thread([this, &worker = *worker] { run(worker); },
                                      [this](Error thrown) { failure_.fail(std::move(thrown)); });
    // Fewer threads only make the push slower.
    if (!thread.ok() && !threads_.empty()) return {};
    if (!thread.ok()) return std::move(thread).error();
    threads_.push_back(*std::move(thread));
  }
  return {};
}

PushWorkers::~PushWorkers() {
  stop();
}

void PushWorkers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  in_order_.clear();
  to_hash_.clear();
  to_seal_.clear();
}

void PushWorkers::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void PushWorkers::add(std::shared_ptr<Segment> segment) {
  {
    const std::lock_guard lock(mutex_);
    in_order_.push_back(segment);
    to_hash_.push_back(std::move(segment));
  }
  changed_.notify_one();
}

void PushWorkers::add(BlockJob job) {
  {
    const std::lock_guard lock(mutex_);
    to_seal_.push_back(std::move(job));
  }
  changed_.notify_one();
}

PooledBuffer PushWorkers::acquire_gather_buffer() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failure_.failed()) return {};
    if (PooledBuffer buffer = gather_buffers_.try_acquire()) return buffer;
    // Every buffer waits to be sealed or is being sealed. This worker must seal, too: the others may be busy or absent.
    const auto cpu = thread_cpu_time();
    const bool sealed = run_seal(lock, *ordering_worker_);
    sealed_in_step_ += thread_cpu_time() - cpu;
    if (!sealed) changed_.wait(lock);
  }
}

Result<void> PushWorkers::wait_ordered() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_.failed() || (in_order_.empty() && !ordering_); });
  return failure_.result();
}

Result<void> PushWorkers::wait_sealed() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_.failed() || (to_seal_.empty() && sealing_ == 0); });
  return failure_.result();
}

void PushWorkers::run(Worker& worker) {
  std::unique_lock lock(mutex_);
  while (!stop_ && !failure_.failed()) {
    if (run_ordered(lock, worker) || run_seal(lock, worker) || run_hash(lock, worker)) continue;
    StretchClock clock(meter_);
    changed_.wait(lock);
    clock.wait(PushWait::kForWork);
  }
}

bool PushWorkers::run_ordered(std::unique_lock<std::mutex>& lock, Worker& worker) {
  if (ordering_ || in_order_.empty() || !in_order_.front()->hashed) return false;
  ordering_ = true;
  ordering_worker_ = &worker;
  std::shared_ptr<Segment> segment = std::move(in_order_.front());
  in_order_.pop_front();
  sealed_in_step_ = {};
  lock.unlock();
  const auto cpu = thread_cpu_time();
  auto done = ordered_step_(segment);
  meter_.add(PushStage::kDeduplicate, segment->data.size(), thread_cpu_time() - cpu - sealed_in_step_);
  segment.reset();
  if (!done.ok()) failure_.fail(std::move(done).error());
  lock.lock();
  ordering_ = false;
  changed_.notify_all();
  return true;
}

bool PushWorkers::run_seal(std::unique_lock<std::mutex>& lock, Worker& worker) {
  if (to_seal_.empty()) return false;
  BlockJob job = std::move(to_seal_.front());
  to_seal_.pop_front();
  ++sealing_;
  lock.unlock();
  auto sealed = worker.sealer.seal(job);
  const bool data = job.kind == BlockKind::kData;
  job = {};
  if (!sealed.ok()) {
    failure_.fail(std::move(sealed).error());
  } else if (data) {
    stored_bytes_ += *sealed;
    progress_.stored_bytes += *sealed;
  }
  lock.lock();
  --sealing_;
  changed_.notify_all();
  return true;
}

bool PushWorkers::run_hash(std::unique_lock<std::mutex>& lock, Worker& worker) {
  if (to_hash_.empty()) return false;
  const std::shared_ptr<Segment> segment = std::move(to_hash_.front());
  to_hash_.pop_front();
  lock.unlock();
  StretchClock clock(meter_);
  worker.messages.clear();
  std::size_t at = 0;
  for (const std::uint16_t bytes : segment->chunk_bytes) {
    worker.messages.push_back(segment->data.subspan(at, bytes));
    at += bytes;
  }
  segment->ids.resize(segment->chunk_bytes.size());
  worker.hasher.hash(worker.messages, segment->ids);
  clock.stage(PushStage::kHash, at);
  lock.lock();
  segment->hashed = true;
  changed_.notify_all();
  return true;
}

}  // namespace drs
