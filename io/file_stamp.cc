#include "io/file_stamp.h"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "io/base/error_class.h"

namespace drs {

Result<FileStamp> stamp_of(int fd, std::string_view name) {
  const auto failed = [name] {
    return as_code_unless_shortage(ErrorCode::kSource, error_from_errno(errno, "stat " + std::string(name)));
  };
  struct stat status {};
  if (::fstat(fd, &status) != 0) return failed();
  if (S_ISBLK(status.st_mode)) {
    std::uint64_t size_bytes = 0;
    if (::ioctl(fd, BLKGETSIZE64, &size_bytes) != 0) return failed();
    return FileStamp{.size_bytes = size_bytes, .modified_ns = 0};
  }
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return FileStamp{.size_bytes = static_cast<std::uint64_t>(status.st_size),
                   .modified_ns = status.st_mtim.tv_sec * kNsPerSecond + status.st_mtim.tv_nsec};
}

Result<void> check_unchanged(int fd, const FileStamp& before, std::string_view name) {
  DRS_ASSIGN_OR_RETURN(const FileStamp now, stamp_of(fd, name));
  if (now.size_bytes != before.size_bytes) {
    return Error(ErrorCode::kSource, std::string(name) + " changed while it was read: it had " +
                                         std::to_string(before.size_bytes) + " bytes and now has " +
                                         std::to_string(now.size_bytes) +
                                         "; back up a file that nothing writes to, or a snapshot of it");
  }
  if (now.modified_ns != before.modified_ns) {
    return Error(ErrorCode::kSource, std::string(name) + " was written to while it was read (still " +
                                         std::to_string(now.size_bytes) +
                                         " bytes); back up a file that nothing writes to, or a snapshot of it");
  }
  return {};
}

}  // namespace drs
