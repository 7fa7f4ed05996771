#include "sinks/cache/cache_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <vector>

#include "codecs/random.h"
#include "codecs/sha256.h"

namespace drs {
namespace {

constexpr std::string_view kDraftPrefix = "incoming-";
constexpr std::int64_t kDraftSecondsMax = 3600;  // since its last write; its writer has died by then
constexpr std::size_t kReadBytes = 256 * kKiB;
// Programs that back up home directories skip such folders: https://bford.info/cachedir
constexpr const char* kTagName = "CACHEDIR.TAG";
constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n# Written by drstream; may be removed.\n";

bool is_draft_name(std::string_view name) {
  Uuid random;
  return name.starts_with(kDraftPrefix) && from_hex(name.substr(kDraftPrefix.size()), random.mutable_view());
}

// A name in `folder` that no other file has or will get.
std::string draft_path(const std::string& folder) {
  Uuid random;
  random_bytes(random.mutable_view());
  return folder + "/" + std::string(kDraftPrefix) + random.hex();
}

// Whether the folder is empty, except for the first file of another process that is making the cache.
Result<bool> is_empty_folder(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return error_from_errno(errno, "list " + path);
  while (const dirent* const listed = ::readdir(folder.get())) {
    const std::string_view name = listed->d_name;
    const bool of_the_file_system = name == "." || name == ".." || name == "lost+found";
    if (!of_the_file_system && !is_draft_name(name)) return false;
  }
  return true;
}

struct StoredFile {
  std::string name;
  Digest entry;
  std::uint64_t size_bytes = 0;
  timespec used = {};
};

Result<void> write_at(int file, std::uint64_t offset_bytes, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return error_from_errno(errno, "write");
    offset_bytes += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// Whether the file holds the bytes of `entry`.
bool is_entry(int file, const CacheEntry& entry) {
  const bool at_end = entry.check == KeylessCheck::kEndsInDigest;
  Digest expected = entry.name;
  if (at_end && entry.size_bytes < expected.view().size()) return false;
  std::uint64_t left = entry.size_bytes - (at_end ? expected.view().size() : 0);
  Sha256 hash;
  Bytes buffer(std::min<std::uint64_t>(kReadBytes, entry.size_bytes));
  std::uint64_t offset = 0;
  const auto read = [&](MutableByteView into) {
    while (!into.empty()) {
      const ssize_t got = ::pread(file, into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      offset += static_cast<std::uint64_t>(got);
      into = into.subspan(static_cast<std::size_t>(got));
    }
    return true;
  };
  while (left > 0) {
    const MutableByteView piece =
        MutableByteView(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size())));
    if (!read(piece)) return false;
    hash.update(piece);
    left -= piece.size();
  }
  if (at_end && !read(expected.mutable_view())) return false;
  return hash.finish() == expected;
}

}  // namespace

CacheDraft::~CacheDraft() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> CacheDraft::write(std::uint64_t offset_bytes, ByteView bytes) {
  auto written = write_at(file_.get(), offset_bytes, bytes);
  if (!written.ok()) return std::move(written).error().with_context(path_);
  return {};
}

std::string CacheFolder::path_of(const Digest& name) const {
  return options_.path + "/" + name.hex();
}

void CacheFolder::give_up(const Error& error) {
  const std::scoped_lock lock(mutex_);
  give_up_locked(error.message);
}

void CacheFolder::give_up_locked(const std::string& why) {
  given_up_ = true;
  if (std::exchange(told_, true) || !options_.report) return;
  options_.report("the cache in " + options_.path + " is not filled any more: " + why +
                  "; reads go to the store, backups are not affected");
}

std::optional<Fd> CacheFolder::open(const CacheEntry& entry) {
  if (!is_cache()) return std::nullopt;
  const std::string path = path_of(entry.name);
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (!file) return std::nullopt;
  struct stat found = {};
  if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
  {
    const std::scoped_lock lock(mutex_);
    const auto used = used_.find(entry.name);
    if (used != used_.end() && used->second == found.st_ino) return file;
  }
  if (static_cast<std::uint64_t>(found.st_size) != entry.size_bytes || !is_entry(file.get(), entry)) {
    ::unlink(path.c_str());
    return std::nullopt;
  }
  // Files are removed in this order. A file whose time cannot be set is removed earlier.
  static_cast<void>(::futimens(file.get(), nullptr));
  const std::scoped_lock lock(mutex_);
  used_[entry.name] = found.st_ino;
  return file;
}

std::optional<CacheDraft> CacheFolder::begin(std::uint64_t size_bytes) {
  const std::scoped_lock lock(mutex_);
  if (given_up_ || size_bytes > options_.size_bytes_max) return std::nullopt;
  if (!claim_folder() || !make_room(size_bytes)) return std::nullopt;
  std::string path = draft_path(options_.path);
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    give_up_locked(error_from_errno(errno, "create " + path).message);
    return std::nullopt;
  }
  return CacheDraft(std::move(path), std::move(file), size_bytes);
}

std::optional<Fd> CacheFolder::keep(CacheDraft draft, const CacheEntry& entry) {
  struct stat written = {};
  if (::fstat(draft.file_.get(), &written) != 0 || static_cast<std::uint64_t>(written.st_size) != entry.size_bytes ||
      !is_entry(draft.file_.get(), entry))
    return std::nullopt;
  const std::string path = path_of(entry.name);
  const std::scoped_lock lock(mutex_);
  if (::rename(draft.path_.c_str(), path.c_str()) != 0) {
    give_up_locked(error_from_errno(errno, "rename to " + path).message);
    return std::nullopt;
  }
  draft.path_.clear();
  used_[entry.name] = written.st_ino;
  *stored_bytes_ += draft.size_bytes_;
  return std::move(draft.file_);
}

bool CacheFolder::is_cache() {
  const std::scoped_lock lock(mutex_);
  return is_cache_locked();
}

// Whether the folder holds the tag with which drstream marks a cache.
bool CacheFolder::is_cache_locked() {
  if (tagged_) return true;
  const std::string path = options_.path + "/" + kTagName;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  if (!file) return false;
  std::array<char, kTag.size()> found{};
  const ssize_t got = ::read(file.get(), found.data(), found.size());
  tagged_ = got == ssize_t{found.size()} && std::string_view(found.data(), found.size()) == kTag;
  return tagged_;
}

// Makes the folder a cache, if it is none yet and may become one. It may have been removed since the last call.
bool CacheFolder::claim_folder() {
  tagged_ = false;
  if (is_cache_locked()) return true;
  const auto failed = [&](const Error& error) {
    give_up_locked(error.message);
    return false;
  };
  if (const auto made = make_folder(); !made.ok()) return failed(made.error());
  const auto empty = is_empty_folder(options_.path);
  if (!empty.ok()) return failed(empty.error());
  if (*empty) {
    if (const auto tagged = write_tag(); !tagged.ok()) return failed(tagged.error());
  }
  // Another process may have written the tag first.
  if (is_cache_locked()) return true;
  given_up_ = true;
  if (!std::exchange(told_, true) && options_.warn)
    options_.warn("the folder " + options_.path +
                  " is not used as a cache: it holds files, and no CACHEDIR.TAG of drstream says that they may be "
                  "removed; name a new or empty folder with --cache-dir; reads go to the store, backups are not "
                  "affected");
  return false;
}

Result<void> CacheFolder::make_folder() const {
  struct stat found = {};
  if (::stat(options_.path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
  for (std::size_t slash = 1; slash != std::string::npos;) {
    slash = options_.path.find('/', slash + 1);
    const std::string part = options_.path.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) return error_from_errno(errno, "create " + part);
  }
  return {};
}

// Complete or absent, and synced: a tag torn by a power cut would look like the tag of another program.
Result<void> CacheFolder::write_tag() const {
  const std::string tag = options_.path + "/" + kTagName;
  const std::string path = draft_path(options_.path);
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return error_from_errno(errno, "create " + path);
  const CacheDraft removed_at_the_end(path, Fd(), 0);
  DRS_RETURN_IF_ERROR(write_at(file.get(), 0, as_bytes(kTag)));
  if (::fsync(file.get()) != 0) return error_from_errno(errno, "sync " + path);
  DRS_RETURN_IF_ERROR(file.close());
  if (::rename(path.c_str(), tag.c_str()) != 0) return error_from_errno(errno, "rename to " + tag);
  return {};
}

// Removes the least recently used files until `size_bytes` more fit, with a tenth to spare, and drafts that their
// writers left behind. Other processes may do the same; a file that is already gone counts as removed.
bool CacheFolder::make_room(std::uint64_t size_bytes) {
  const auto fits = [&] { return *stored_bytes_ + size_bytes <= options_.size_bytes_max; };
  if (stored_bytes_ && (fits() || all_used_)) return fits();
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(options_.path.c_str()), ::closedir);
  if (!folder) {
    give_up_locked(error_from_errno(errno, "list " + options_.path).message);
    return false;
  }
  std::vector<StoredFile> files;
  stored_bytes_ = 0;
  while (const dirent* const listed = ::readdir(folder.get())) {
    StoredFile file;
    file.name = listed->d_name;
    const bool draft = is_draft_name(file.name);
    if (!draft && !from_hex(file.name, file.entry.mutable_view())) continue;  // not a file of the cache
    struct stat found = {};
    if (::fstatat(::dirfd(folder.get()), file.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    file.size_bytes = static_cast<std::uint64_t>(found.st_size);
    file.used = found.st_mtim;
    if (draft && found.st_mtim.tv_sec + kDraftSecondsMax < ::time(nullptr)) {
      ::unlinkat(::dirfd(folder.get()), file.name.c_str(), 0);
      continue;
    }
    *stored_bytes_ += file.size_bytes;
    if (!draft && !used_.contains(file.entry)) files.push_back(std::move(file));
  }
  if (fits()) return true;
  std::sort(files.begin(), files.end(), [](const StoredFile& a, const StoredFile& b) {
    return a.used.tv_sec != b.used.tv_sec ? a.used.tv_sec < b.used.tv_sec : a.used.tv_nsec < b.used.tv_nsec;
  });
  const std::uint64_t spare_bytes = options_.size_bytes_max / 10;
  all_used_ = true;
  for (const StoredFile& file : files) {
    if (*stored_bytes_ + size_bytes + spare_bytes <= options_.size_bytes_max) {
      all_used_ = false;
      break;
    }
    if (::unlinkat(::dirfd(folder.get()), file.name.c_str(), 0) != 0 && errno != ENOENT) continue;
    *stored_bytes_ -= file.size_bytes;
  }
  if (!fits() && !std::exchange(told_, true) && options_.report)
    options_.report("the cache in " + options_.path +
                    " is full of what this command itself uses; a larger --cache-size "
                    "would save reads from the store");
  return fits();
}

}  // namespace drs
