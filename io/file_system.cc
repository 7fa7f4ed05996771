#include "io/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>

#include "io/base/relative_path.h"
#include "io/direct_file.h"
#include "io/fd.h"

namespace drs {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0700;

int open_beneath(int directory, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
}

// openat2 exists since Linux 5.6, and the seccomp filters of older container runtimes refuse it.
bool has_open_beneath(int directory) {
  const Fd probe(open_beneath(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  return static_cast<bool>(probe);
}

FileInfo info_of(std::string name, const struct stat& status) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return {.name = std::move(name),
          .is_directory = S_ISDIR(status.st_mode),
          .size_bytes = static_cast<std::uint64_t>(status.st_size),
          .modified_ns = status.st_mtim.tv_sec * kNsPerSecond + status.st_mtim.tv_nsec,
          .changed_ns = status.st_ctim.tv_sec * kNsPerSecond + status.st_ctim.tv_nsec};
}

std::string_view kind_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFLNK: return "a symbolic link";
    case S_IFIFO: return "a named pipe";
    case S_IFSOCK: return "a socket";
    case S_IFDIR: return "a directory";
    default: return "a device";
  }
}

// A directory resolved once, and a name in it.
struct Place {
  Fd owned;
  int directory = -1;
  std::string leaf;
};

Result<off_t> checked_offset(std::uint64_t bytes) {
  if (bytes > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()))
    return error_from_errno(EFBIG, "file size");
  return static_cast<off_t>(bytes);
}

class RealFileSystem final : public FileSystem {
 public:
  RealFileSystem(std::string root_name, Fd root, IoChoice choice)
      : root_name_(std::move(root_name)),
        root_(std::move(root)),
        choice_(choice),
        open_beneath_works_(has_open_beneath(root_.get())) {}

  Result<OpenedFile> open(const std::string& path, OpenFlags flags) override {
    DRS_RETURN_IF_ERROR(check_relative_path(path, RootPath::kRefused));
    // O_NONBLOCK, so that a stray FIFO cannot block the open. Cleared below: with it, io_uring fails reads of regular
    // files with EAGAIN instead of waiting for the disk.
    int mode_flags = (flags.write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (flags.create_exclusive) mode_flags |= O_CREAT | O_EXCL;
    Fd file(open_raw(path, mode_flags));
    if (!file && errno == ENXIO) return strange("open", path, "a socket or a named pipe");
    if (!file) return failed("open", path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return failed("stat", path);
    if (!S_ISREG(status.st_mode)) return strange("open", path, kind_of(status.st_mode));
    if (::fcntl(file.get(), F_SETFL, flags.write ? O_RDWR : O_RDONLY) != 0) return failed("open", path);
    // O_DIRECT is set afterwards: open with O_CREAT and O_DIRECT can fail and leave the new file behind.
    OpenedFile opened;
    opened.direct = flags.direct && set_direct(file.get());
    opened.fd = file.release();
    return opened;
  }

  void drop_direct(int fd) override { drs::drop_direct(fd); }

  Result<void> close(int fd) override {
    Fd file(fd);
    return file.close();
  }

  Result<void> truncate(int fd, std::uint64_t size_bytes) override {
    DRS_ASSIGN_OR_RETURN(const off_t size, checked_offset(size_bytes));
    int status = 0;
    do status = ::ftruncate(fd, size);
    while (status != 0 && errno == EINTR);
    if (status != 0) return error_from_errno(errno, "truncate in " + root_name_);
    return {};
  }

  Result<void> reserve(int fd, std::uint64_t size_bytes) override {
    if (size_bytes == 0) return {};
    DRS_ASSIGN_OR_RETURN(const off_t size, checked_offset(size_bytes));
    int status = 0;
    // Keeps the file size, so that the file is the same whether or not the file system can reserve.
    do status = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size);
    while (status != 0 && errno == EINTR);
    if (status == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return {};
    return error_from_errno(errno, "reserve space in " + root_name_);
  }

  Result<void> link(const std::string& from, const std::string& to) override {
    DRS_ASSIGN_OR_RETURN(const Place source, place_of(from));
    DRS_ASSIGN_OR_RETURN(const Place target, place_of(to));
    if (::linkat(source.directory, source.leaf.c_str(), target.directory, target.leaf.c_str(), 0) == 0) return {};
    if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS) {
      return Error(ErrorCode::kUsage, quoted("link", to) + ": this file system does not support hard links", errno);
    }
    return failed("link", to);
  }

  Result<void> rename_no_replace(const std::string& from, const std::string& to) override {
    DRS_ASSIGN_OR_RETURN(const Place source, place_of(from));
    DRS_ASSIGN_OR_RETURN(const Place target, place_of(to));
    if (::renameat2(source.directory, source.leaf.c_str(), target.directory, target.leaf.c_str(), RENAME_NOREPLACE) ==
        0) {
      return {};
    }
    if (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS) {
      return Error(ErrorCode::kUsage,
                   quoted("rename", to) + ": this file system does not support renaming without replacing", errno);
    }
    return failed("rename", to);
  }

  Result<void> remove(const std::string& path) override {
    DRS_ASSIGN_OR_RETURN(const Place place, place_of(path));
    if (::unlinkat(place.directory, place.leaf.c_str(), 0) == 0) return {};
    if (errno == EISDIR && ::unlinkat(place.directory, place.leaf.c_str(), AT_REMOVEDIR) == 0) return {};
    return failed("remove", path);
  }

  Result<void> make_directory(const std::string& path) override {
    DRS_ASSIGN_OR_RETURN(const Place place, place_of(path));
    if (::mkdirat(place.directory, place.leaf.c_str(), kDirectoryMode) != 0) return failed("make directory", path);
    return {};
  }

  Result<void> sync_directory(const std::string& path) override {
    DRS_RETURN_IF_ERROR(check_relative_path(path, RootPath::kAllowed));
    const Fd directory(open_directory(path, O_RDONLY));
    if (!directory) return failed("open directory", path);
    if (::fsync(directory.get()) == 0) return {};
    if (errno == EINVAL || errno == EOPNOTSUPP) {
      return Error(ErrorCode::kUsage, quoted("sync directory", path) + ": this file system does not support it", errno);
    }
    return failed("sync directory", path);
  }

  Result<void> list(const std::string& path, const std::function<Result<void>(const FileInfo&)>& visit) override {
    DRS_RETURN_IF_ERROR(check_relative_path(path, RootPath::kAllowed));
    Fd directory(open_directory(path, O_RDONLY));
    if (!directory) return no_directory("list", path);
    struct CloseDirectory {
      void operator()(DIR* stream) const { ::closedir(stream); }
    };
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(directory.get()));
    if (stream == nullptr) return failed("list", path);
    const int borrowed = directory.release();  // the stream closes it
    for (;;) {
      errno = 0;
      const dirent* const entry = ::readdir(stream.get());
      if (entry == nullptr) break;
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat status {};
      if (::fstatat(borrowed, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;  // removed since readdir
        return failed("list", path);
      }
      // Other kinds are listed with size 0; opening one reports its kind.
      if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) status.st_size = 0;
      DRS_RETURN_IF_ERROR(visit(info_of(std::string(name), status)));
    }
    if (errno != 0) return failed("list", path);
    return {};
  }

  Result<FileInfo> stat(const std::string& path) override {
    DRS_ASSIGN_OR_RETURN(const Place place, place_of(path));
    struct stat status {};
    if (::fstatat(place.directory, place.leaf.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return failed("stat", path);
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
      return strange("stat", path, kind_of(status.st_mode));
    }
    return info_of(place.leaf, status);
  }

  Result<std::uint64_t> size_of(int fd) override {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return error_from_errno(errno, "stat in " + root_name_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<std::uint64_t> free_space_bytes() override {
    struct statvfs status {};
    if (::fstatvfs(root_.get(), &status) != 0) return error_from_errno(errno, "free space of " + root_name_);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

  Result<std::unique_ptr<Ring>> make_ring(std::size_t depth) override { return drs::make_ring(choice_, depth); }

  [[nodiscard]] std::string root_name() const override { return root_name_; }

 private:
  [[nodiscard]] std::string quoted(std::string_view what, const std::string& path) const {
    return std::string(what) + " '" + root_name_ + (path.empty() ? "" : "/") + path + "'";
  }
  [[nodiscard]] Error strange(std::string_view what, const std::string& path, std::string_view kind,
                              std::string_view expected = "file") const {
    return {ErrorCode::kCorrupt, quoted(what, path) + ": it is " + std::string(kind) + " where a " +
                                     std::string(expected) + " was expected"};
  }
  // The error for a directory `path` that could not be opened; uses errno.
  [[nodiscard]] Error no_directory(std::string_view what, const std::string& path) const {
    if (errno != ENOTDIR && errno != ELOOP) return failed(what, path);
    const auto place = place_of(path);
    if (!place.ok()) return place.error();
    struct stat status {};
    const bool known = ::fstatat(place->directory, place->leaf.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    const bool is_file = known && S_ISREG(status.st_mode);
    return strange(what, path, is_file ? "a file" : known ? kind_of(status.st_mode) : "something else", "folder");
  }
  [[nodiscard]] Error failed(std::string_view what, const std::string& path) const {
    const int number = errno;
    if (number == ELOOP) return strange(what, path, "a symbolic link, which is not followed,");
    if (number == ENOTDIR) return strange(what, path, "below something else", "folder");
    if (number == EISDIR) return strange(what, path, "a directory");
    return error_from_errno(number, quoted(what, path));
  }

  // Returns -1 with errno on failure, like open.
  [[nodiscard]] int open_raw(const std::string& path, int flags) const {
    if (open_beneath_works_) return open_beneath(root_.get(), path.c_str(), flags, kFileMode);
    // Opens one part after the other, so that no part can be a link that leads outside.
    Fd walked;
    int directory = root_.get();
    std::string rest = path;
    for (std::size_t slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/')) {
      walked = Fd(::openat(directory, rest.substr(0, slash).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!walked) return -1;
      directory = walked.get();
      rest.erase(0, slash + 1);
    }
    return ::openat(directory, rest.c_str(), flags | O_NOFOLLOW, kFileMode);
  }

  [[nodiscard]] int open_directory(const std::string& path, int access) const {
    const int flags = access | O_DIRECTORY | O_CLOEXEC;
    return path.empty() ? ::openat(root_.get(), ".", flags) : open_raw(path, flags);
  }

  [[nodiscard]] Result<Place> place_of(const std::string& path) const {
    DRS_RETURN_IF_ERROR(check_relative_path(path, RootPath::kRefused));
    SplitPath split = split_relative_path(path);
    Place place;
    place.leaf = std::move(split.leaf);
    place.directory = root_.get();
    if (split.directory.empty()) return place;
    place.owned = Fd(open_directory(split.directory, O_PATH));
    if (!place.owned) return no_directory("open directory", split.directory);
    place.directory = place.owned.get();
    return place;
  }

  const std::string root_name_;
  const Fd root_;
  const IoChoice choice_;
  const bool open_beneath_works_;
};

}  // namespace

Result<std::unique_ptr<FileSystem>> open_file_system(const std::string& root, IoChoice choice) {
  Fd directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return error_from_errno(errno, "open directory '" + root + "'");
  return std::unique_ptr<FileSystem>(std::make_unique<RealFileSystem>(root, std::move(directory), choice));
}

}  // namespace drs
