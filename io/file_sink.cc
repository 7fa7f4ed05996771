#include "io/file_sink.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "io/buffer_pool.h"
#include "io/direct_file.h"
#include "io/stream_sink.h"

namespace drs {
namespace {

constexpr std::size_t kStagingBytes = kMiB;
constexpr std::size_t kDepth = kFileSinkRingDepth;  // staging buffers, one write each

// The open parent directory of a path and the last part of the path, so that later calls use the same directory even if
// one above it is renamed.
struct Target {
  std::string path;
  Fd directory;
  std::string leaf;
};

// How much of the target's name the temporary name contains: a name of 255 bytes leaves no room for a suffix.
constexpr std::size_t kLeafBytesKept = 64;

Result<std::string> random_part_name(const std::string& leaf) {
  std::array<Byte, 8> random;
  if (::getrandom(random.data(), random.size(), 0) != ssize_t{random.size()}) {
    return error_from_errno(errno, "getrandom");
  }
  std::size_t kept_bytes = std::min(leaf.size(), kLeafBytesKept);
  // Some file systems reject names that are not valid UTF-8, so cut between characters.
  while (kept_bytes > 0 && kept_bytes < leaf.size() && (static_cast<Byte>(leaf[kept_bytes]) & 0xC0) == 0x80)
    --kept_bytes;
  return leaf.substr(0, kept_bytes) + ".drstream-" + to_hex(random) + ".part";
}

Error already_exists(const std::string& path) {
  return {ErrorCode::kAlreadyExists, "'" + path + "' exists; give --force to replace it", EEXIST};
}

class FileSink final : public Sink {
 public:
  FileSink(Target target, std::string part_name, Existing existing, Fd file, BufferArena arena,
           std::unique_ptr<Ring> ring)
      : target_(std::move(target)),
        part_name_(std::move(part_name)),
        existing_(existing),
        file_(std::move(file)),
        arena_(std::move(arena)),
        ring_(std::move(ring)) {
    ring_->register_memory(arena_.whole());
    for (Staging& staging : stagings_) {
      staging.sink = this;
      staging.bytes = arena_.carve(kStagingBytes);
    }
  }
  ~FileSink() override { remove_part(); }
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  Result<void> reserve(std::uint64_t size_bytes) {
    if (size_bytes == 0 || size_bytes > static_cast<std::uint64_t>(INT64_MAX)) return {};
    if (::fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size_bytes)) == 0) {
      reserved_ = true;
      return {};
    }
    // Other errors: the file system cannot reserve space.
    if (errno != ENOSPC && errno != EDQUOT && errno != EFBIG) return {};
    return error_from_errno(errno, "reserve " + std::to_string(size_bytes) + " bytes for " + name());
  }

  Result<void> write(ByteView bytes) override {
    while (!bytes.empty()) {
      if (cancelled_) return Error(ErrorCode::kCancelled, "writing " + name() + " was cancelled");
      if (error_.has_value()) return *error_;
      Staging& staging = stagings_[current_];
      if (staging.writing) {
        DRS_RETURN_IF_ERROR(run_ring());
        continue;
      }
      const std::size_t taken_bytes = std::min(bytes.size(), kStagingBytes - filled_bytes_);
      std::memcpy(staging.bytes.data() + filled_bytes_, bytes.data(), taken_bytes);
      filled_bytes_ += taken_bytes;
      bytes = bytes.subspan(taken_bytes);
      if (filled_bytes_ == kStagingBytes) DRS_RETURN_IF_ERROR(write_current());
    }
    return {};
  }

  Result<void> commit() override {
    DRS_ASSERT(!part_name_.empty(), "commit() after commit() or abandon()");
    DRS_RETURN_IF_ERROR(wait_for_writes());
    if (filled_bytes_ > 0) {
      // The tail is not a multiple of the block size; all other writes have completed.
      if (!is_direct_aligned(filled_bytes_)) file_.drop_direct();
      DRS_RETURN_IF_ERROR(write_current());
      DRS_RETURN_IF_ERROR(wait_for_writes());
    }
    if (existing_ == Existing::kReplace) keep_permissions();
    // Releases reserved but unused space.
    if (reserved_ && ::ftruncate(file_.fd(), static_cast<off_t>(offset_bytes_)) != 0) return failed("truncate");
    // Never repeated after an error: a second sync may report success over lost data.
    if (::fdatasync(file_.fd()) != 0) return failed("sync");
    DRS_RETURN_IF_ERROR(file_.close());
    DRS_RETURN_IF_ERROR(take_name());
    part_name_.clear();
    if (::fsync(target_.directory.get()) != 0 && errno != EINVAL && errno != EOPNOTSUPP) {
      return failed("sync the directory of");
    }
    return {};
  }

  void abandon() override { remove_part(); }
  void cancel() override { cancelled_ = true; }
  [[nodiscard]] std::string name() const override { return "file " + target_.path; }
  [[nodiscard]] std::string io_description() const override {
    return describe_io(*ring_, {.direct = file_.is_direct(), .depth = kDepth});
  }

 private:
  struct Staging {
    FileSink* sink = nullptr;
    MutableByteView bytes;
    IoOperation operation;
    bool writing = false;
    bool direct = false;  // whether it was submitted with O_DIRECT
  };

  [[nodiscard]] Error failed(std::string_view what) const {
    const int number = errno;
    return error_from_errno(number, std::string(what) + " " + name());
  }

  Result<void> run_ring() {
    if (const auto ran = ring_->run(Wait::kForOne); !ran.ok()) return ran.error();
    if (error_.has_value()) return *error_;
    return {};
  }

  Result<void> wait_for_writes() {
    while (ring_->in_flight() > 0) DRS_RETURN_IF_ERROR(run_ring());
    if (error_.has_value()) return *error_;
    return {};
  }

  Result<void> write_current() {
    Staging& staging = stagings_[current_];
    staging.operation.kind = IoKind::kWrite;
    staging.operation.fd = file_.fd();
    staging.operation.offset_bytes = offset_bytes_;
    staging.operation.bytes = staging.bytes.first(filled_bytes_);
    staging.operation.owner = &staging;
    staging.operation.done = [](IoOperation& operation) {
      Staging& done = *static_cast<Staging*>(operation.owner);
      done.sink->write_done(done);
    };
    staging.writing = true;
    submit(staging);
    offset_bytes_ += filled_bytes_;
    filled_bytes_ = 0;
    current_ = (current_ + 1) % stagings_.size();
    if (const auto ran = ring_->run(Wait::kNo); !ran.ok()) return ran.error();
    return {};
  }

  void submit(Staging& staging) {
    staging.direct = file_.is_direct();
    ring_->submit(staging.operation);
  }

  void write_done(Staging& staging) {
    IoOperation& operation = staging.operation;
    if (operation.result == -EINVAL && staging.direct) return write_again_without_direct(staging);
    if (operation.result <= 0) {
      staging.writing = false;
      const int number = operation.result < 0 ? static_cast<int>(-operation.result) : ENOSPC;
      if (!error_.has_value()) error_ = error_from_errno(number, "write " + name());
      return;
    }
    const auto wrote_bytes = static_cast<std::size_t>(operation.result);
    operation.offset_bytes += wrote_bytes;
    operation.bytes = operation.bytes.subspan(wrote_bytes);
    if (operation.bytes.empty()) {
      staging.writing = false;
    } else if (is_direct_aligned(wrote_bytes)) {
      submit(staging);
    } else {
      write_again_without_direct(staging);
    }
  }

  // For a file system that accepts O_DIRECT but refuses direct writes, and for short writes that end within a block.
  void write_again_without_direct(Staging& staging) {
    file_.drop_direct();
    submit(staging);
  }

  // Copies owner, group and mode of the replaced file, as far as permitted. If the group cannot be kept, the new group
  // gets only the permissions of others. If the owner cannot be kept, the setuid, setgid and sticky bits are cleared.
  void keep_permissions() {
    struct stat replaced {};
    if (::fstatat(target_.directory.get(), target_.leaf.c_str(), &replaced, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (!S_ISREG(replaced.st_mode)) return;
    constexpr auto kUnchanged = static_cast<uid_t>(-1);
    const bool owner_kept = ::fchown(file_.fd(), replaced.st_uid, replaced.st_gid) == 0;
    const bool group_kept = owner_kept || ::fchown(file_.fd(), kUnchanged, replaced.st_gid) == 0;
    mode_t mode = replaced.st_mode & (owner_kept ? 07777 : 0777);
    if (!group_kept) mode = (mode & 0707) | ((mode & 0007) << 3);
    // Fails on a file system without modes, where nothing more can be done.
    [[maybe_unused]] const int changed = ::fchmod(file_.fd(), mode);
  }

  Result<void> take_name() {
    const int directory = target_.directory.get();
    const char* const part = part_name_.c_str();
    const char* const leaf = target_.leaf.c_str();
    if (existing_ == Existing::kReplace)
      return ::renameat(directory, part, directory, leaf) == 0 ? Result<void>() : failed("rename to");
    if (::renameat2(directory, part, directory, leaf, RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) return already_exists(target_.path);
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return failed("rename to");
    // The file system does not support RENAME_NOREPLACE; link(2) does not replace either.
    if (::linkat(directory, part, directory, leaf, 0) != 0) {
      return errno == EEXIST ? already_exists(target_.path) : failed("link to");
    }
    if (::unlinkat(directory, part, 0) != 0) return failed("remove the temporary name of");
    return {};
  }

  void remove_part() {
    if (part_name_.empty()) return;
    ::unlinkat(target_.directory.get(), part_name_.c_str(), 0);
    part_name_.clear();
  }

  const Target target_;
  std::string part_name_;  // empty once the file was renamed or removed
  const Existing existing_;
  DirectFile file_;
  BufferArena arena_;
  std::array<Staging, kDepth> stagings_;
  std::size_t current_ = 0;
  std::size_t filled_bytes_ = 0;    // of the current staging buffer
  std::uint64_t offset_bytes_ = 0;  // the file offset of the current staging buffer
  bool reserved_ = false;
  std::optional<Error> error_;  // the first one
  std::atomic<bool> cancelled_ = false;
  const std::unique_ptr<Ring> ring_;  // last: its destructor waits for operations that use the members above
};

// Follows symbolic links to the final path, whether or not a file exists there.
Result<std::string> follow_links(std::string path) {
  constexpr int kLinksMax = 40;  // the kernel's limit
  for (int i = 0; i < kLinksMax; ++i) {
    std::error_code no_link;
    const std::filesystem::path target = std::filesystem::read_symlink(path, no_link);
    if (no_link) return path;
    path = (std::filesystem::path(path).parent_path() / target).string();
  }
  return error_from_errno(ELOOP, "follow '" + path + "'");
}

// Writing to a block device destroys its contents: requires --force, a device that is large enough and one that is not
// in use.
Result<Fd> open_block_device(const std::string& path, Existing existing, std::optional<std::uint64_t> size_hint) {
  if (existing == Existing::kRefuse)
    return Error(ErrorCode::kAlreadyExists,
                 "'" + path + "' is a block device, and its contents would be lost; give --force to overwrite it",
                 EEXIST);
  // The kernel refuses O_EXCL for a device that is mounted or part of another device.
  Fd device(::open(path.c_str(), O_WRONLY | O_EXCL | O_NOCTTY | O_CLOEXEC));
  if (!device && errno == EBUSY)
    return Error(ErrorCode::kUsage,
                 "the device '" + path +
                     "' is in use: mounted, used as swap, or part of a RAID or a volume group; release it first",
                 EBUSY);
  if (!device) return error_from_errno(errno, "open '" + path + "'");
  std::uint64_t device_bytes = 0;
  if (::ioctl(device.get(), BLKGETSIZE64, &device_bytes) != 0)
    return error_from_errno(errno, "get the size of '" + path + "'");
  if (device_bytes < size_hint.value_or(0))
    return Error(ErrorCode::kUsage, "the device '" + path + "' holds " + std::to_string(device_bytes) +
                                        " bytes, but the output has " + std::to_string(*size_hint) +
                                        " bytes: use a larger device");
  return device;
}

Result<Target> open_target(const std::string& path) {
  const std::filesystem::path parsed(path);
  Target target{.path = path, .directory = Fd(), .leaf = parsed.filename().string()};
  if (target.leaf.empty() || target.leaf == "." || target.leaf == "..") {
    return Error(ErrorCode::kUsage, "'" + path + "' does not name a file");
  }
  const std::string directory = parsed.has_parent_path() ? parsed.parent_path().string() : ".";
  target.directory = Fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!target.directory) return error_from_errno(errno, "open directory '" + directory + "'");
  return target;
}

}  // namespace

Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, Existing existing, IoChoice choice,
                                             std::optional<std::uint64_t> size_hint) {
  DRS_ASSIGN_OR_RETURN(auto ring, make_ring(choice, kFileSinkRingDepth));
  return make_file_sink(path, existing, std::move(ring), size_hint);
}

Result<std::unique_ptr<Sink>> make_file_sink(const std::string& path, Existing existing, std::unique_ptr<Ring> ring,
                                             std::optional<std::uint64_t> size_hint) {
  struct stat status {};
  const bool found = ::stat(path.c_str(), &status) == 0;
  if (found && S_ISDIR(status.st_mode)) return Error(ErrorCode::kUsage, "'" + path + "' is a directory", EISDIR);
  if (found && S_ISBLK(status.st_mode)) {
    DRS_ASSIGN_OR_RETURN(Fd device, open_block_device(path, existing, size_hint));
    return make_owned_stream_sink(std::move(device), "device " + path);
  }
  if (found && !S_ISREG(status.st_mode)) {
    Fd device(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
    if (!device) return error_from_errno(errno, "open '" + path + "'");
    return make_owned_stream_sink(std::move(device), "file " + path);
  }
  if (found && existing == Existing::kRefuse) return already_exists(path);
  // Replaces or creates the file that a symbolic link points to, not the link.
  DRS_ASSIGN_OR_RETURN(const std::string final_path, follow_links(path));
  if (existing == Existing::kRefuse && final_path != path)
    return Error(ErrorCode::kAlreadyExists,
                 "'" + path + "' is a symbolic link to '" + final_path +
                     "', which does not exist; give --force to create that file",
                 EEXIST);
  DRS_ASSIGN_OR_RETURN(Target target, open_target(final_path));
  DRS_ASSIGN_OR_RETURN(std::string part_name, random_part_name(target.leaf));
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(kDepth * kStagingBytes));
  Fd file(::openat(target.directory.get(), part_name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return error_from_errno(errno, "create the temporary file of '" + final_path + "'");
  auto sink = std::make_unique<FileSink>(std::move(target), std::move(part_name), existing, std::move(file),
                                         std::move(arena), std::move(ring));
  if (size_hint.has_value()) DRS_RETURN_IF_ERROR(sink->reserve(*size_hint));
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace drs
