#include "tools/commands/doctor_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "io/sim_file_system.h"

namespace drs {
namespace {

using State = CheckResult::State;

CheckResult found(const std::vector<CheckResult>& results, std::string_view name) {
  const auto at = std::find_if(results.begin(), results.end(), [&](const auto& one) { return one.name == name; });
  return at == results.end() ? CheckResult{"absent", State::kBad, {}} : *at;
}

TEST(FileSystemCheck, AGoodFileSystemIsWrittenToSyncedAndReadBack) {
  SimFileSystem files(1);
  const auto results = check_file_system(files);
  EXPECT_EQ(found(results, "writing").state, State::kGood);
  EXPECT_NE(found(results, "writing").detail.find("read back"), std::string::npos);
  EXPECT_EQ(found(results, "O_DIRECT").detail, "works");
}

TEST(FileSystemCheck, DirectWritesThatAreRefusedAreANoticeAndTheWriteIsMadeWithout) {
  SimFileSystem files(1);
  files.set_direct_unit_bytes(16 * kKiB);
  const auto results = check_file_system(files);
  EXPECT_EQ(found(results, "writing").state, State::kGood) << found(results, "writing").detail;
  EXPECT_EQ(found(results, "O_DIRECT").state, State::kNotice);
  EXPECT_NE(found(results, "O_DIRECT").detail.find("writes with it are refused"), std::string::npos);
}

TEST(FileSystemCheck, AWriteThatFailsIsBad) {
  SimFileSystem clean(1);
  check_file_system(clean);
  bool write_failed = false;
  for (std::uint64_t nth = 1; nth <= clean.operations_seen(); ++nth) {
    SimFileSystem files(1);
    files.fail_nth(nth, EIO);
    const auto results = check_file_system(files);
    const bool told =
        std::any_of(results.begin(), results.end(), [](const CheckResult& one) { return one.state != State::kGood; });
    const CheckResult writing = found(results, "writing");
    write_failed = write_failed || writing.detail.find("a write of 4096 bytes") != std::string::npos;
    EXPECT_TRUE(told) << nth;
  }
  EXPECT_TRUE(write_failed);
}

TEST(MemoryLimitCheck, NamesTheLimitAndWhatItIsTooSmallFor) {
  const auto limit = [](std::uint64_t bytes) {
    return CgroupLimits{MemoryLimit{bytes, "/sys/fs/cgroup/memory.max"}, {}};
  };
  EXPECT_EQ(check_memory_limit({}, 256 * kMiB).detail, "none");
  EXPECT_EQ(check_memory_limit(limit(kGiB), 256 * kMiB).detail, "1 GiB (/sys/fs/cgroup/memory.max)");
  const CheckResult tight = check_memory_limit(limit(150 * kMiB), 256 * kMiB);
  EXPECT_EQ(tight.state, State::kNotice);
  EXPECT_NE(tight.detail.find("the kernel may kill drstream"), std::string::npos) << tight.detail;
  EXPECT_NE(tight.detail.find("too little for a passphrase"), std::string::npos) << tight.detail;
}

}  // namespace
}  // namespace drs
