// The checks of `drstream doctor`: what this machine and its file system offer, and whether this user may use the
// objects of the repository. Those of a bucket are in tools/commands/cloud_check.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/base/result.h"
#include "io/cgroup_limits.h"
#include "io/file_system.h"
#include "io/ring.h"
#include "sinks/object_store.h"

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
std::vector<CheckResult> check_machine(IoChoice io, const CgroupLimits& limits);

// The memory limit, compared with the --memory in force. kNotice if the two do not fit, or if a passphrase does not.
CheckResult check_memory_limit(const CgroupLimits& limits, std::uint64_t memory_bytes);

// Free space, a write that is synced and read back, O_DIRECT, hard links and directory sync of a repository's file
// system, tried with files of a few KiB under names that no object can have; they are removed again.
std::vector<CheckResult> check_file_system(FileSystem& files);

// Whether heads can be recorded below --state-dir; nothing is made there. `path` empty: there is no place for them.
CheckResult check_state_directory(const std::string& path);

// The access that push and verify need: lists every folder, and reads the beginning of the config, of a key slot, of
// the newest manifest and of the newest pack, if they exist. "repository": whether there is one, or one that has lost
// its config or its key slots; "reading": what may not be listed or read.
struct StoredObjects {
  std::vector<CheckResult> checks;
  bool has_repository = false;  // that a key may open
};
StoredObjects check_stored_objects(ObjectStore& store);

}  // namespace drs
