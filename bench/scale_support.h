// What the benchmarks of scale share: a process for each case, the memory of this one, numbers for people.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

#include "io/base/error_class.h"
#include "io/base/result.h"

namespace drs::bench {

double seconds(std::chrono::nanoseconds time);
double resident_mib(const char* field);  // "VmRSS:" or "VmHWM:"
void reset_resident_peak();
std::string bytes_text(double bytes);  // "1.2 GB"
void print_machine();
std::vector<double> numbers(const char* text);  // separated by commas

// Runs `measure` in a child, so that its memory begins and ends with it. The child says what went wrong on stderr.
template <typename Measured, typename Measure>
Result<Measured> measure_apart(const Measure& measure) {
  static_assert(std::is_trivially_copyable_v<Measured>, "it passes through a pipe");
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return error_from_errno(errno, "a pipe");
  const pid_t child = ::fork();
  if (child < 0) return error_from_errno(errno, "a process for a case");
  if (child == 0) {
    const Result<Measured> measured = measure();
    if (!measured.ok()) {
      std::fprintf(stderr, "a case failed: %s\n", measured.error().message.c_str());
      ::_exit(1);
    }
    ::_exit(::write(ends[1], &*measured, sizeof *measured) == sizeof *measured ? 0 : 1);
  }
  ::close(ends[1]);
  Measured measured;
  const bool whole = ::read(ends[0], &measured, sizeof measured) == sizeof measured;
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!whole || status != 0) return Error(ErrorCode::kInternal, "a case failed");
  return measured;
}

}  // namespace drs::bench
