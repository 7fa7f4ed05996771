// Threads of the library's own. They block the signals that are sent to a process, so that these reach the threads of
// the program that asked for them.
#pragma once

#include <functional>
#include <thread>

#include "io/result.h"

namespace drs {

// How every thread here is started. Errors: kBusy when the machine, the user or the container has no more threads.
Result<std::thread> start_helper_thread(std::function<void()> body);

}  // namespace drs
