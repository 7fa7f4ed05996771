// Threads of the library's own. They block the signals that are sent to a process, so that these reach the threads of
// the program that asked for them.
#pragma once

#include <functional>
#include <thread>

#include "io/result.h"

namespace drs {

// How every thread here is started. What a library throws in `body` (want of memory, above all) is given to
// `on_thrown`, on the same thread, after which that ends: whoever waits for its work must hear of it. Errors: kBusy
// when the machine, the user or the container has no more threads, or no memory for one.
Result<std::thread> start_helper_thread(std::function<void()> body, std::function<void(Error)> on_thrown);

// For a body in which nothing is thrown: ends the process if something was.
void must_not_throw(const Error& thrown);

}  // namespace drs
