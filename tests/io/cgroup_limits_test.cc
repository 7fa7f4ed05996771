#include "io/cgroup_limits.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "io/base/bytes.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

// Lines of /proc/self/mountinfo, as Linux writes them.
constexpr const char* kMountsV2 =
    "22 28 0:21 / /proc rw,nosuid - proc proc rw\n"
    "26 25 0:23 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kMountsV1 =
    "31 25 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

// A made-up machine: files below a folder, each with its text.
class CgroupLimitsTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = directory_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void write_process(const std::string& cgroup, const std::string& mountinfo) {
    write("/proc/self/cgroup", cgroup);
    write("/proc/self/mountinfo", mountinfo);
  }
  CgroupLimits read() { return read_cgroup_limits(directory_.path()); }

  test::TemporaryDirectory directory_;
};

TEST_F(CgroupLimitsTest, AMachineWithoutGroupsHasNoLimit) {
  EXPECT_FALSE(read().memory);
  EXPECT_FALSE(read().cpu);
  write_process("", "");
  EXPECT_FALSE(read().memory);
  EXPECT_FALSE(read().cpu);
}

TEST_F(CgroupLimitsTest, V2InAContainerWithANamespaceOfItsOwn) {
  write_process("0::/\n", kMountsV2);
  write("/sys/fs/cgroup/memory.max", "536870912\n");
  write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
  const CgroupLimits limits = read();
  ASSERT_TRUE(limits.memory);
  EXPECT_EQ(limits.memory->bytes, 512 * kMiB);
  EXPECT_EQ(limits.memory->file, "/sys/fs/cgroup/memory.max");
  ASSERT_TRUE(limits.cpu);
  EXPECT_DOUBLE_EQ(limits.cpu->cores, 1.5);
  EXPECT_EQ(limits.cpu->file, "/sys/fs/cgroup/cpu.max");
}

TEST_F(CgroupLimitsTest, V2TakesTheTightestOfNestedGroups) {
  write_process("0::/kubepods.slice/pod1.slice/main\n", kMountsV2);
  write("/sys/fs/cgroup/kubepods.slice/memory.max", "8589934592\n");
  write("/sys/fs/cgroup/kubepods.slice/cpu.max", "max 100000\n");
  write("/sys/fs/cgroup/kubepods.slice/pod1.slice/memory.max", "268435456\n");
  write("/sys/fs/cgroup/kubepods.slice/pod1.slice/cpu.max", "50000 100000\n");
  write("/sys/fs/cgroup/kubepods.slice/pod1.slice/main/memory.max", "max\n");
  write("/sys/fs/cgroup/kubepods.slice/pod1.slice/main/cpu.max", "400000 100000\n");
  write("/sys/fs/cgroup/elsewhere.slice/memory.max", "1048576\n");
  const CgroupLimits limits = read();
  ASSERT_TRUE(limits.memory && limits.cpu);
  EXPECT_EQ(limits.memory->bytes, 256 * kMiB);
  EXPECT_EQ(limits.memory->file, "/sys/fs/cgroup/kubepods.slice/pod1.slice/memory.max");
  EXPECT_DOUBLE_EQ(limits.cpu->cores, 0.5);
}

TEST_F(CgroupLimitsTest, V2CountsTheLimitAtWhichTheKernelSlowsAGroupDown) {
  write_process("0::/job\n", kMountsV2);
  write("/sys/fs/cgroup/job/memory.max", "max\n");
  write("/sys/fs/cgroup/job/memory.high", "314572800\n");
  ASSERT_TRUE(read().memory);
  EXPECT_EQ(read().memory->bytes, 300 * kMiB);
  EXPECT_EQ(read().memory->file, "/sys/fs/cgroup/job/memory.high");
}

TEST_F(CgroupLimitsTest, MaxIsNoLimit) {
  write_process("0::/job\n", kMountsV2);
  write("/sys/fs/cgroup/job/memory.max", "max\n");
  write("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_FALSE(read().memory);
  EXPECT_FALSE(read().cpu);
}

TEST_F(CgroupLimitsTest, V1OnTheHost) {
  write_process("9:cpu,cpuacct:/batch/backup\n4:memory:/batch/backup\n1:name=systemd:/batch\n", kMountsV1);
  write("/sys/fs/cgroup/memory/batch/backup/memory.limit_in_bytes", "9223372036854771712\n");
  write("/sys/fs/cgroup/memory/batch/memory.limit_in_bytes", "209715200\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("/sys/fs/cgroup/cpu,cpuacct/batch/backup/cpu.cfs_quota_us", "200000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/batch/backup/cpu.cfs_period_us", "100000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us", "100000\n");
  const CgroupLimits limits = read();
  ASSERT_TRUE(limits.memory && limits.cpu);
  EXPECT_EQ(limits.memory->bytes, 200 * kMiB);
  EXPECT_EQ(limits.memory->file, "/sys/fs/cgroup/memory/batch/memory.limit_in_bytes");
  EXPECT_DOUBLE_EQ(limits.cpu->cores, 2);
}

// Docker on v1: the group's path is the host's, and the group itself is what is mounted.
TEST_F(CgroupLimitsTest, V1InAContainerThatSeesItsOwnGroupAlone) {
  write_process("7:memory:/docker/1f\n3:cpu:/docker/1f/inner\n",
                "35 31 0:32 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
                "36 31 0:33 /docker/1f /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n");
  write("/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "100000\n");
  write("/sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "50000\n");
  const CgroupLimits limits = read();
  ASSERT_TRUE(limits.memory && limits.cpu);
  EXPECT_EQ(limits.memory->bytes, 128 * kMiB);
  EXPECT_DOUBLE_EQ(limits.cpu->cores, 2);
}

// A host's path in a container whose mounts begin at another group: what is mounted is all that can be seen.
TEST_F(CgroupLimitsTest, APathOutsideOfWhatIsMountedFallsBackToTheMount) {
  for (const char* const path : {"/docker/1f", "/../../job", "/absent/group"}) {
    write_process(std::string("7:memory:") + path + "\n",
                  "35 31 0:32 /other /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n");
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728\n");
    ASSERT_TRUE(read().memory) << path;
    EXPECT_EQ(read().memory->bytes, 128 * kMiB) << path;
  }
}

TEST_F(CgroupLimitsTest, HybridMachinesHaveControllersInOneHierarchyOrTheOther) {
  write_process("4:memory:/job\n0::/job\n",
                std::string(kMountsV1) + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "104857600\n");
  write("/sys/fs/cgroup/unified/job/cpu.max", "100000 100000\n");
  const CgroupLimits limits = read();
  ASSERT_TRUE(limits.memory && limits.cpu);
  EXPECT_EQ(limits.memory->bytes, 100 * kMiB);
  EXPECT_DOUBLE_EQ(limits.cpu->cores, 1);
}

TEST_F(CgroupLimitsTest, MountPointsMayHoldSpaces) {
  write_process("0::/job\n", "26 25 0:23 / /my\\040groups rw - cgroup2 cgroup2 rw\n");
  write("/my groups/job/memory.max", "104857600\n");
  ASSERT_TRUE(read().memory);
  EXPECT_EQ(read().memory->file, "/my groups/job/memory.max");
}

TEST_F(CgroupLimitsTest, WhatCannotBeReadOrMeansNothingIsNoLimit) {
  write_process("0::/job\ngarbage\n:::\n", std::string("short line\n - cgroup2\n\n") + kMountsV2);
  for (const char* const text : {"", "\n", "lots\n", "-1\n", "12 34\n", "99999999999999999999999999\n"}) {
    write("/sys/fs/cgroup/job/memory.max", text);
    EXPECT_FALSE(read().memory) << text;
  }
  for (const char* const text : {"", "100000\n", "100000 0\n", "max\n", "-1 100000\n", "1 2 3\n"}) {
    write("/sys/fs/cgroup/job/cpu.max", text);
    EXPECT_FALSE(read().cpu) << text;
  }
  std::filesystem::remove(directory_.path() + "/sys/fs/cgroup/job/memory.max");
  std::filesystem::create_directory(directory_.path() + "/sys/fs/cgroup/job/memory.max");
  EXPECT_FALSE(read().memory);
}

TEST(UsableCores, AreNeverMoreThanTheQuotaRoundedUpAndNeverNone) {
  const std::size_t cores = usable_cores(CgroupLimits{});
  EXPECT_EQ(cores, std::max(1U, std::thread::hardware_concurrency()));
  const auto under = [](double quota) { return usable_cores({{}, CpuLimit{quota, "cpu.max"}}); };
  EXPECT_EQ(under(0.01), 1U);
  EXPECT_EQ(under(1.0), 1U);
  EXPECT_EQ(under(1.5), std::min<std::size_t>(2, cores));
  EXPECT_EQ(under(1e9), cores);
}

}  // namespace
}  // namespace drs
