// CacheFolder: copies of objects on local disk, any of which may vanish at any time. It holds whole objects only, byte
// for byte as they are stored, and only objects that can be checked without a key (KeylessCheck). Every file is checked
// before it is served; a short or damaged file is removed.
//
// Several processes may share a folder. A file is written under a temporary name, renamed, and never changed again.
// Nothing is synced: the check finds what a power cut tore. When the folder is full, the least recently used files are
// removed, except those that this process used itself. When these fill the folder, it keeps nothing more, so that a
// process that reads more than fits does not push out what it will read first the next time. Several processes that
// write at once may exceed the size while they run.
//
// A folder is a cache only if drstream made it one: it was new or empty when the first file was written, and holds
// drstream's CACHEDIR.TAG since then. In any other folder no file is read, written or removed, since other programs may
// use the same names.
//
// A folder that is full, read-only, broken or not a cache costs only time: no call here fails for it. The reason is
// reported once. Threads: any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "codecs/keyless_check.h"
#include "io/base/bytes.h"
#include "io/base/result.h"
#include "io/fd.h"

namespace drs {

struct CacheEntry {
  Digest name;  // in hex, the name of the file
  std::uint64_t size_bytes = 0;
  KeylessCheck check = KeylessCheck::kNameIsDigest;
};

// A file that is being written. The destructor removes it unless it was kept.
class CacheDraft {
 public:
  CacheDraft(std::string path, Fd file, std::uint64_t size_bytes)
      : path_(std::move(path)), file_(std::move(file)), size_bytes_(size_bytes) {}
  CacheDraft(CacheDraft&& other) noexcept
      : path_(std::exchange(other.path_, {})), file_(std::move(other.file_)), size_bytes_(other.size_bytes_) {}
  CacheDraft& operator=(CacheDraft&&) = delete;
  ~CacheDraft();
  Result<void> write(std::uint64_t offset_bytes, ByteView bytes);

 private:
  friend class CacheFolder;
  std::string path_;  // empty once kept
  Fd file_;
  std::uint64_t size_bytes_;
};

class CacheFolder {
 public:
  struct Options {
    std::string path;
    std::uint64_t size_bytes_max = 0;
    std::function<void(const std::string&)> report;  // at most once; from any thread
    std::function<void(const std::string&)>
        warn;  // likewise, for a folder that is not a cache: the operator named a wrong one
  };
  // Creates the folder, with mode 0700, when it writes the first file.
  explicit CacheFolder(Options options) : options_(std::move(options)) {}

  // The file of the entry, open for reading. Each process checks its bytes once. Empty: the folder does not have it.
  std::optional<Fd> open(const CacheEntry& entry);
  // Makes room for a file of that size by removing others. Empty: the file is not to be kept.
  std::optional<CacheDraft> begin(std::uint64_t size_bytes);
  // Gives a complete draft its name. Empty: the bytes are not those of the entry, or the folder cannot take them.
  std::optional<Fd> keep(CacheDraft draft, const CacheEntry& entry);
  // Call it when a draft could not be written.
  void give_up(const Error& error);

  [[nodiscard]] const std::string& path() const { return options_.path; }

 private:
  [[nodiscard]] std::string path_of(const Digest& name) const;
  bool is_cache();
  // The caller of these holds the mutex.
  void give_up_locked(const std::string& why);
  bool make_room(std::uint64_t size_bytes);
  bool is_cache_locked();
  bool claim_folder();
  [[nodiscard]] Result<void> make_folder() const;
  [[nodiscard]] Result<void> write_tag() const;

  const Options options_;
  std::mutex mutex_;
  std::unordered_map<Digest, ino_t, FixedBytesHash> used_;  // the files that this process has checked
  std::optional<std::uint64_t> stored_bytes_;               // of all files, at the last count; empty: not counted yet
  bool all_used_ = false;  // every file was used by this process, so none can make room
  bool given_up_ = false;  // nothing more is written
  bool told_ = false;
  bool tagged_ = false;  // the folder is known to be a cache
};

}  // namespace drs
