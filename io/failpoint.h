// Failpoints: named points in the write protocols at which a test makes the process die, hang or fail. They are always
// compiled in, so that the tested binary is the shipped one; while no variable is set, a point costs one load of a
// bool.
//
//   DRSTREAM_FAILPOINT=name[:n]:abort|hang|eio|enospc    at the n-th hit (from 1, the default) of the point `name`
//   DRSTREAM_FAILPOINT_LOG=file                          appends the name of every point that is hit, one per line
//
// abort sends SIGKILL: no destructor runs and nothing is flushed. From the log a test learns the points and how often
// each is hit, so that it can exercise all of them. Thread-safe.
#pragma once

#include <atomic>
#include <string>
#include <string_view>

#include "io/base/result.h"

namespace drs {

namespace failpoint_detail {
extern std::atomic<bool> armed;
Result<void> hit(std::string_view name);
}  // namespace failpoint_detail

// Marks a point. Errors: kIo or kNoSpace if the test requested one here; kUsage if DRSTREAM_FAILPOINT is malformed or
// the log cannot be opened.
inline Result<void> failpoint(std::string_view name) {
  if (!failpoint_detail::armed.load(std::memory_order_relaxed)) [[likely]]
    return {};
  return failpoint_detail::hit(name);
}

// Replaces the values of the two variables ("" for unset) and resets the counts. For tests; no other thread may be in
// `failpoint` during the call.
void set_failpoints(std::string_view specification, const std::string& log_path);

}  // namespace drs
