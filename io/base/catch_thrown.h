// catch_thrown: turns exceptions from libraries into an Error. Wraps the body of every thread that does a command's
// work.
#pragma once

#include <cerrno>
#include <exception>
#include <new>
#include <string>

#include "io/base/result.h"

namespace drs {

inline Error no_memory_error() {
  return {ErrorCode::kBusy,
          "out of memory (the limit of the process, see ulimit -v, or of the container may be below --memory plus "
          "32 MiB: raise it, or lower --memory)",
          ENOMEM};
}

// A library threw something other than std::bad_alloc.
inline Error library_error(const std::exception& thrown) {
  return {ErrorCode::kInternal, std::string("a library failed: ") + thrown.what()};
}

// Calls `work`, which returns a Result, and returns that. Other errors: kBusy if `work` threw std::bad_alloc; kInternal
// for any other exception.
template <typename Work>
auto catch_thrown(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return no_memory_error();
  } catch (const std::exception& thrown) {
    return library_error(thrown);
  }
}

}  // namespace drs
