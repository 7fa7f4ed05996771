#include "tools/cli/descriptors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace drs {
namespace {

using FileStatus = struct stat;

constexpr std::uint64_t kFirstOther = 3;

bool may(int fd, int access) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_PATH) != 0) return false;
  const int mode = flags & O_ACCMODE;
  return mode == access || mode == O_RDWR;
}

std::optional<FileStatus> status_of(int fd) {
  FileStatus status{};
  if (::fstat(fd, &status) != 0) return {};
  return status;
}

std::optional<FileStatus> status_of(const std::string& path) {
  FileStatus status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return status;
}

// Whether text written to one ends up among text written to the other. /dev/null does not count.
bool are_one(const std::optional<FileStatus>& a, const std::optional<FileStatus>& b) {
  if (!a || !b || a->st_dev != b->st_dev || a->st_ino != b->st_ino) return false;
  return !S_ISCHR(a->st_mode) || a->st_rdev != makedev(1, 3);
}

}  // namespace

bool occupy_standard_descriptors() {
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // Opened for the opposite direction: a read or a write fails with EBADF.
    int opened = ::open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (opened < 0) opened = ::open("/", O_RDONLY | O_DIRECTORY);  // a root without devices
    if (opened != fd) return false;
  }
  return true;
}

Result<void> check_stdin_is_readable() {
  if (may(STDIN_FILENO, O_RDONLY)) return {};
  return Error(ErrorCode::kUsage,
               "stdin is closed or not open for reading: pipe a producer into drstream, or use --exec -- CMD... or "
               "--file FILE");
}

Result<void> check_progress_descriptor(std::optional<std::uint64_t> fd) {
  if (!fd) return {};
  const auto refuse = [&](std::string_view why) {
    return Error(
        ErrorCode::kUsage,
        fmt::format("--progress-fd {}: {}; such as: drstream ... --progress-fd 3 3> progress.jsonl", *fd, why));
  };
  if (*fd < STDERR_FILENO) return refuse("stdin and stdout carry streams and answers; accepted is 2 or higher");
  const int raw = static_cast<int>(*fd);
  if (::fcntl(raw, F_GETFD) < 0) return refuse("this descriptor is not open");
  if (!may(raw, O_WRONLY)) return refuse("this descriptor is not open for writing");
  return {};
}

Result<void> check_stream_target(const std::string& target, std::optional<std::uint64_t> progress_fd) {
  const bool to_stdout = target.empty();
  if (to_stdout && !may(STDOUT_FILENO, O_WRONLY))
    return Error(ErrorCode::kUsage,
                 "stdout is closed or not open for writing: pipe drstream into a consumer, or use --output FILE or "
                 "--exec -- CMD...");
  const auto status = to_stdout ? status_of(STDOUT_FILENO) : status_of(target);
  const std::string name = to_stdout ? "stdout" : "'" + target + "'";
  if (are_one(status, status_of(STDERR_FILENO)))
    return Error(ErrorCode::kUsage, fmt::format("{} is where stderr goes, too (2>&1): messages would end up inside the "
                                                "restored stream; redirect stderr elsewhere",
                                                name));
  if (progress_fd && *progress_fd >= kFirstOther && are_one(status, status_of(static_cast<int>(*progress_fd))))
    return Error(ErrorCode::kUsage,
                 fmt::format("{} is where --progress-fd {} goes, too: progress would end up inside the restored stream",
                             name, *progress_fd));
  return {};
}

bool is_stdout(const std::string& path) {
  return are_one(status_of(path), status_of(STDOUT_FILENO));
}

}  // namespace drs
