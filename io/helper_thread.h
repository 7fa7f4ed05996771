// Threads that drstream starts. They block signals sent to the process, so that the program's signal thread receives
// them.
#pragma once

#include <functional>
#include <thread>

#include "io/base/result.h"

namespace drs {

// Starts every thread of drstream. If a library throws in `body` (usually std::bad_alloc), `on_thrown` receives the
// error on the same thread, which then ends: `on_thrown` must pass the error to those who wait for the thread's work.
// Errors: kBusy if the machine, the user or the container is out of threads or memory.
Result<std::thread> start_helper_thread(std::function<void()> body, std::function<void(Error)> on_thrown);

// `on_thrown` for a body that cannot throw: aborts the process.
void must_not_throw(const Error& thrown);

}  // namespace drs
