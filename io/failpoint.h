// Failpoints: named places in the write protocols where a test makes the process die, hang or meet an error. They are
// compiled in always, so that what is tested is what ships; while no variable is set a point costs one load of a bool.
//
//   DRSTREAM_FAILPOINT=name[:n]:abort|hang|eio|enospc    at the n-th hit (from 1, the default) of the point `name`
//   DRSTREAM_FAILPOINT_LOG=file                          appends the name of every point that is hit, one per line
//
// abort kills the process as SIGKILL does: no destructor runs and nothing is flushed. The log lists the points and how
// often each is hit, so that a test can run through all of them. Any thread.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "io/result.h"

namespace drs {

namespace failpoint_detail {
extern std::atomic<bool> armed;
Result<void> hit(std::string_view name);
}  // namespace failpoint_detail

// Marks a place. Errors: kIo or kNoSpace where the test asked for one; kUsage when DRSTREAM_FAILPOINT cannot be read,
// or the log not be opened.
inline Result<void> failpoint(std::string_view name) {
  if (!failpoint_detail::armed.load(std::memory_order_relaxed)) [[likely]]
    return {};
  return failpoint_detail::hit(name);
}

// Sets what the two variables say, "" for unset, and starts the counts again. For tests; no other thread may be in
// `failpoint`.
void set_failpoints(std::string_view specification, const std::string& log_path);

}  // namespace drs
