// CacheFolder: copies of objects on local disk, any of which may vanish at any time. It holds whole objects alone, byte
// for byte as they are stored, and only such as can be checked without a key: by their name, where that is the SHA-256
// of their bytes, or because they end in the SHA-256 of what stands before. Nothing is given out unchecked; a file that
// is short or damaged is dropped.
//
// Several processes may share a folder. A file is written under a temporary name and renamed, and never changed after.
// Nothing is synced: what a power cut tears is found by the check. When the folder is full the least recently used
// files go, except those that this process has used itself; when these fill it, nothing more is kept, so that reading
// more than fits does not push out what will be read first the next time. Several processes that write at once may
// exceed the size for as long as they run.
//
// A folder is a cache only if it was made as one: new or empty when the first file was written, and since then marked
// by a file CACHEDIR.TAG of ours. In any other no file is read, written or removed: files of other programs may have
// such names, too.
//
// A folder that is full, read-only, broken or no cache costs nothing but time: no call here fails for it. What was
// wrong is told once. Threads: any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "io/bytes.h"
#include "io/fd.h"
#include "io/result.h"

namespace drs {

struct CacheEntry {
  enum class Check : std::uint8_t { kNameIsDigest, kEndsInDigest };
  Digest name;  // the file's, in hex
  std::uint64_t size_bytes = 0;
  Check check = Check::kNameIsDigest;
};

// A file that is being written; removed with this object unless it was kept.
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
    std::function<void(const std::string&)> tell;  // at most once; from any thread
    std::function<void(const std::string&)> warn;  // likewise: the folder is no cache; the operator named a wrong one
  };
  // The folder is made with mode 0700 when the first file is written.
  explicit CacheFolder(Options options) : options_(std::move(options)) {}

  // The entry's file, open for reading, its bytes checked (by each process once). Empty: it is not here.
  std::optional<Fd> open(const CacheEntry& entry);
  // Room for a file of that size, made by removing others. Empty: it is not to be kept.
  std::optional<CacheDraft> begin(std::uint64_t size_bytes);
  // Gives a whole draft its name. Empty: the bytes are not the entry's, or the folder does not take them.
  std::optional<Fd> keep(CacheDraft draft, const CacheEntry& entry);
  // A draft could not be written.
  void give_up(const Error& error);

  [[nodiscard]] const std::string& path() const { return options_.path; }

 private:
  [[nodiscard]] std::string path_of(const Digest& name) const;
  bool is_cache();
  // All of these need the mutex.
  void give_up_locked(const std::string& why);
  bool make_room(std::uint64_t size_bytes);
  bool is_cache_locked();
  bool claim_folder();
  [[nodiscard]] Result<void> make_folder() const;
  [[nodiscard]] Result<void> write_tag() const;

  const Options options_;
  std::mutex mutex_;
  std::unordered_map<Digest, ino_t, FixedBytesHash> used_;  // by this process: the files that it has checked
  std::optional<std::uint64_t> stored_bytes_;               // of all files, as last counted; empty: not counted yet
  bool all_used_ = false;                                   // no file is left that could make room
  bool given_up_ = false;                                   // nothing more is written
  bool told_ = false;
  bool tagged_ = false;  // the folder was seen to be a cache
};

}  // namespace drs
