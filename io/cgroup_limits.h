// The limits that control groups (cgroup v1 and v2) set for this process. In a container the machine's memory and cores
// are not what a process may use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace drs {

struct MemoryLimit {
  std::uint64_t bytes = 0;
  std::string file;  // that holds it: "/sys/fs/cgroup/memory.max"
};

struct CpuLimit {
  double cores = 0;  // CPU time divided by elapsed time
  std::string file;
};

// The tightest limit among the process's group and all visible groups above it. Empty without a limit, and where its
// file cannot be read.
struct CgroupLimits {
  std::optional<MemoryLimit> memory;  // memory.max and memory.high; memory.limit_in_bytes
  std::optional<CpuLimit> cpu;        // cpu.max; cpu.cfs_quota_us
};

// Every path that is read gets the prefix `root`, for tests with a made-up tree. Any thread.
CgroupLimits read_cgroup_limits(const std::string& root = "");

// How many threads can run at once: the cores that this process may be scheduled on, or the quota of CPU time, rounded
// up, where that is less. At least 1.
std::size_t usable_cores(const CgroupLimits& limits);
std::size_t usable_cores();

}  // namespace drs
