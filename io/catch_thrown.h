// catch_thrown: what libraries throw, as an Error. At the bottom of every thread that runs a command's work.
#pragma once

#include <cerrno>
#include <exception>
#include <new>
#include <string>

#include "io/result.h"

namespace drs {

inline Error no_memory_error() {
  return {ErrorCode::kBusy,
          "there is no memory left (is there a limit of the process or the container, see ulimit -v, below what "
          "--memory and 32 MiB allow? raise it, or lower --memory)",
          ENOMEM};
}

// What `work`, a function that returns a Result, returns. Errors: also kBusy for want of memory, and kInternal for
// anything else that it threw.
template <typename Work>
auto catch_thrown(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return no_memory_error();
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::kInternal, std::string("a library failed: ") + thrown.what()};
  }
}

}  // namespace drs
