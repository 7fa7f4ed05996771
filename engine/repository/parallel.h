// Work on many objects by a few threads, each with a store of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

// Independent instances of `store`, one for each of `workers` threads.
Result<std::vector<std::unique_ptr<ObjectStore>>> worker_stores(ObjectStore& store, std::size_t workers);

// Calls `work(worker, item)` once for every item below `item_count`, on `workers` threads (at least one: the calling
// thread is one of them; fewer where the machine has no more), in order of items as far as threads allow. The first
// error ends it: no new item is begun, and that error is returned after all threads have stopped.
Result<void> for_each_parallel(std::size_t workers, std::size_t item_count,
                               const std::function<Result<void>(std::size_t worker, std::size_t item)>& work);

}  // namespace drs
