#include "engine/repository/parallel.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "io/base/catch_thrown.h"
#include "io/helper_thread.h"

namespace drs {

Result<std::vector<std::unique_ptr<ObjectStore>>> worker_stores(ObjectStore& store, std::size_t workers) {
  std::vector<std::unique_ptr<ObjectStore>> stores;
  stores.reserve(workers);
  while (stores.size() < workers) {
    DRS_ASSIGN_OR_RETURN(stores.emplace_back(), store.clone());
  }
  return stores;
}

Result<std::vector<std::unique_ptr<ObjectStore>>> parallel_stores(ObjectStore& store, std::size_t workers_max) {
  return worker_stores(store, std::clamp<std::size_t>(store.parallel_max(), 1, workers_max));
}

Result<void> for_each_parallel(std::size_t workers, std::size_t item_count,
                               const std::function<Result<void>(std::size_t, std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  Result<void> first_error;
  const auto run = [&](std::size_t worker) {
    while (!stopped.load(std::memory_order_relaxed)) {
      const std::size_t item = next.fetch_add(1, std::memory_order_relaxed);
      if (item >= item_count) return;
      Result<void> done = catch_thrown([&] { return work(worker, item); });
      if (done.ok()) continue;
      stopped.store(true, std::memory_order_relaxed);
      const std::scoped_lock lock(mutex);
      if (first_error.ok()) first_error = std::move(done);
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t worker = 1; worker < std::min(workers, item_count); ++worker) {
    auto thread = start_helper_thread([&run, worker] { run(worker); }, must_not_throw);
    if (!thread.ok()) break;  // fewer threads only make it slower
    threads.push_back(*std::move(thread));
  }
  run(0);
  for (std::thread& thread : threads) thread.join();
  return first_error;
}

}  // namespace drs
