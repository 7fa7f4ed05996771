// Work on many objects by a few threads, each with its own store.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

// Makes independent instances of `store`, one for each of `workers` threads.
Result<std::vector<std::unique_ptr<ObjectStore>>> worker_stores(ObjectStore& store, std::size_t workers);

// The same for as many threads as the store runs operations at once, at most `workers_max` and at least one.
Result<std::vector<std::unique_ptr<ObjectStore>>> parallel_stores(ObjectStore& store, std::size_t workers_max);

// Calls `work(worker, item)` once for every item below `item_count`, on up to `workers` threads, fewer if the machine
// has no more; the calling thread is worker 0. Items are started in order. The first error stops the start of further
// items; it is returned after all threads have stopped.
Result<void> for_each_parallel(std::size_t workers, std::size_t item_count,
                               const std::function<Result<void>(std::size_t worker, std::size_t item)>& work);

}  // namespace drs
