#include "sinks/spool/spool_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "codecs/random.h"
#include "io/base/bytes.h"
#include "io/file_system.h"
#include "sinks/local/local_store.h"

namespace drs {
namespace {

constexpr std::string_view kLock = "/lock";
constexpr std::string_view kOwner = "/owner";
constexpr std::string_view kObjects = "/objects";
constexpr std::string_view kEnded = ".ended-";
constexpr std::size_t kOwnerBytesMax = 8192;  // a repository's id and its place
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::chrono::milliseconds kLockPollInterval{20};

std::string joined(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

Result<void> sync_directory(const std::string& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return error_from_errno(errno, "sync " + path);
  return {};
}

Result<void> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), kDirectoryMode) != 0) return error_from_errno(errno, "create " + path);
  return {};
}

Result<Fd> open_lock(const std::string& directory) {
  const std::string path = directory + std::string(kLock);
  Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!lock) return error_from_errno(errno, "open " + path);
  return lock;
}

Result<void> write_owner(const std::string& entry, const std::string& owner) {
  const std::string path = entry + std::string(kOwner);
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file) return error_from_errno(errno, "create " + path);
  const std::string line = owner + "\n";
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fsync(file.get()) != 0)
    return error_from_errno(errno, "write " + path);
  return file.close();
}

// The line with its newline; without it if the entry was never completed.
Result<std::string> read_owner(const std::string& entry) {
  const std::string path = entry + std::string(kOwner);
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::string();
  if (!file) return error_from_errno(errno, "open " + path);
  std::string text(kOwnerBytesMax, '\0');
  ssize_t bytes = 0;
  do bytes = ::read(file.get(), text.data(), text.size());
  while (bytes < 0 && errno == EINTR);
  if (bytes < 0) return error_from_errno(errno, "read " + path);
  text.resize(static_cast<std::size_t>(bytes));
  return text;
}

// Whether the path itself prevents a spool directory there, whatever the state of the disk.
bool is_no_place(const Error& error) {
  return error.error_number == ENOENT || error.error_number == ENOTDIR;
}

Error no_place(const std::string& path) {
  return {ErrorCode::kUsage, "the spool directory '" + path +
                                 "' is not there and cannot be made: its parent is missing, or a part of the "
                                 "path is no directory"};
}

bool is_entry_name(std::string_view name) {
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return error_from_errno(error.value(), "remove " + path);
  return {};
}

}  // namespace

SpoolEntry::SpoolEntry(Place place, std::string_view owner_line, Fd lock)
    : place_(std::move(place)),
      path_(joined(place_.directory, place_.name)),
      owner_(owner_line.substr(0, owner_line.find('\n'))),
      whole_(owner_line.ends_with('\n')),
      lock_(std::move(lock)) {}

Result<std::unique_ptr<ObjectStore>> SpoolEntry::open_objects(IoChoice io) const {
  DRS_ASSIGN_OR_RETURN(std::shared_ptr<FileSystem> files, open_file_system(path_ + std::string(kObjects), io));
  return open_local_store(std::move(files), LocalStoreOptions{});
}

Result<void> SpoolEntry::end() {
  const std::string ended = joined(place_.directory, std::string(kEnded) + place_.name);
  if (::rename(path_.c_str(), ended.c_str()) != 0) return error_from_errno(errno, "rename " + path_);
  DRS_RETURN_IF_ERROR(sync_directory(place_.directory));
  return remove_tree(ended);
}

Result<SpoolDirectory> SpoolDirectory::make(std::string path) {
  if (const auto made = make_directory(path); !made.ok() && made.error().code != ErrorCode::kAlreadyExists)
    return is_no_place(made.error()) ? no_place(path) : made.error();
  return open(std::move(path));
}

Result<SpoolDirectory> SpoolDirectory::open(std::string path) {
  auto lock = open_lock(path);
  if (lock.ok()) return SpoolDirectory(std::move(path), *std::move(lock));
  std::error_code unknown;
  std::filesystem::path absolute = std::filesystem::absolute(path, unknown);
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "DIR/"
  const std::filesystem::path parent = absolute.parent_path();
  const bool can_be_made = lock.error().error_number == ENOENT && std::filesystem::is_directory(parent, unknown);
  if (can_be_made || !is_no_place(lock.error())) return std::move(lock).error();
  return no_place(path);
}

// Every process holds the lock only briefly. A blocking flock would not notice a cancel, so this polls.
Result<void> SpoolDirectory::lock(const CancelToken& cancel) {
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return error_from_errno(errno, "lock " + path_);
    if (cancel.cancelled())
      return Error(ErrorCode::kCancelled, "asked to stop while another process held " + path_ + std::string(kLock));
    std::this_thread::sleep_for(kLockPollInterval);
  }
  remove_ended();
  return {};
}

void SpoolDirectory::unlock() {
  ::flock(lock_.get(), LOCK_UN);
}

// Removes what a process left that died while it ended an entry. A later call repeats what fails here.
void SpoolDirectory::remove_ended() const {
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    if (at->path().filename().string().starts_with(kEnded)) static_cast<void>(remove_tree(at->path().string()));
  }
}

Result<SpoolEntry> SpoolDirectory::create(const std::string& owner, const CancelToken& cancel) {
  FixedBytes<16> id;
  random_bytes(id.mutable_view());
  const std::string name = id.hex();
  const std::string path = joined(path_, name);
  DRS_RETURN_IF_ERROR(lock(cancel));
  const auto make = [&]() -> Result<Fd> {
    DRS_RETURN_IF_ERROR(make_directory(path));
    DRS_ASSIGN_OR_RETURN(Fd entry_lock, open_lock(path));
    if (::flock(entry_lock.get(), LOCK_EX | LOCK_NB) != 0) return error_from_errno(errno, "lock " + path);
    DRS_RETURN_IF_ERROR(make_directory(path + std::string(kObjects)));
    DRS_RETURN_IF_ERROR(write_owner(path, owner));
    DRS_RETURN_IF_ERROR(sync_directory(path));
    DRS_RETURN_IF_ERROR(sync_directory(path_));
    return entry_lock;
  };
  auto made = make();
  unlock();
  if (!made.ok()) return std::move(made).error();
  return SpoolEntry({.directory = path_, .name = name}, owner + "\n", *std::move(made));
}

Result<SpoolDirectory::Entries> SpoolDirectory::take_dead(const CancelToken& cancel) {
  DRS_RETURN_IF_ERROR(lock(cancel));
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path_, error); !error && at != std::filesystem::directory_iterator();
       at.increment(error)) {
    std::error_code untimed;  // the entry may have ended since
    if (is_entry_name(at->path().filename().string()))
      names.emplace_back(std::filesystem::last_write_time(at->path(), untimed), at->path().filename().string());
  }
  if (error) {
    unlock();
    return error_from_errno(error.value(), "list " + path_);
  }
  std::sort(names.begin(), names.end());
  Entries entries;
  for (const auto& [time, name] : names) {
    const std::string path = joined(path_, name);
    auto entry_lock = open_lock(path);
    if (!entry_lock.ok()) {
      const bool ended_meanwhile = entry_lock.error().code == ErrorCode::kNotFound;
      if (!ended_meanwhile) entries.unreadable.push_back(std::move(entry_lock).error());
      continue;
    }
    if (::flock(entry_lock->get(), LOCK_EX | LOCK_NB) != 0) {
      entries.running.push_back(path);
      continue;
    }
    // The entry ended after it was listed: the lock is on a file that is no longer there.
    if (::access(path.c_str(), F_OK) != 0) continue;
    auto owner = read_owner(path);
    if (owner.ok())
      entries.dead.push_back(SpoolEntry({.directory = path_, .name = name}, *owner, *std::move(entry_lock)));
    else
      entries.unreadable.push_back(std::move(owner).error());
  }
  unlock();
  return entries;
}

Result<std::uint64_t> SpoolDirectory::free_space_bytes() const {
  DRS_ASSIGN_OR_RETURN(const auto files, open_file_system(path_, IoChoice::kPosix));
  return files->free_space_bytes();
}

}  // namespace drs
