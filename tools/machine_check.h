// What this machine allows and offers: the facts that `drstream doctor` shows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/file_system.h"
#include "io/result.h"
#include "io/ring.h"

namespace drs {

struct CheckResult {
  enum class State { kGood, kNotice, kBad };
  std::string name;
  State state = State::kGood;
  std::string detail;
  std::optional<ErrorCode> error = std::nullopt;  // of kBad, where an operation failed: gives the exit code
};

// kBad for an operation that failed.
CheckResult failed_check(std::string name, const Error& error);

// io_uring, locked memory, pipe size, huge pages, core count, clock.
std::vector<CheckResult> check_machine(IoChoice io);

// Free space, a write that is synced and read back, O_DIRECT, hard links and directory sync of a repository's file
// system, tried with files of a few KiB under names that no object can have; they are removed again.
std::vector<CheckResult> check_file_system(FileSystem& files);

}  // namespace drs
