// catch_thrown: what libraries throw, as an Error. At the bottom of every thread that runs a command's work.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "io/result.h"

namespace drs {

// What `work`, a function that returns a Result, returns. Errors: also kInternal, for what it threw.
template <typename Work>
auto catch_thrown(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kInternal, "the machine has no memory left (is there a limit below --memory?)"};
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::kInternal, std::string("a library failed: ") + thrown.what()};
  }
}

}  // namespace drs
