// FileSystem: names and files under one root directory, the interface between a local store and the operating system.
// The real one makes system calls. The simulated one (io/sim_file_system.h) can fail the nth operation and loses
// unsynced data at a power cut. File data moves through the rings that it creates.
//
// Paths are relative to the root, `/`-separated, without empty, "." or ".." parts (kUsage otherwise), so no path can
// name a file outside the root. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/base/result.h"
#include "io/ring.h"

namespace drs {

struct OpenFlags {
  bool write = false;
  bool create_exclusive = false;  // with mode 0600; kAlreadyExists if the file exists
  bool direct = false;            // O_DIRECT if the file system supports it (io/direct_file.h)
};

struct OpenedFile {
  int fd = -1;          // close with FileSystem::close
  bool direct = false;  // offsets, lengths and addresses must be multiples of kDirectAlignment
};
inline constexpr std::size_t kDirectAlignment = kPageBytes;

struct FileInfo {
  std::string name;  // within its directory
  bool is_directory = false;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970-01-01 UTC, by the file system's clock
  std::int64_t changed_ns = 0;   // likewise: of its bytes, name, owner or times; nobody can set it. 0: unknown
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Never follows symbolic links. Errors of every call: kNotFound, kDenied, kNoSpace, kIo, with the path in the text;
  // kCorrupt if a link, a pipe or a socket is found instead of a file, or anything else instead of a directory.
  virtual Result<OpenedFile> open(const std::string& path, OpenFlags flags) = 0;
  // Call after an operation on a direct file failed with EINVAL: later operations use the page cache.
  virtual void drop_direct(int fd) = 0;
  virtual Result<void> close(int fd) = 0;  // network file systems may report a lost write only here
  virtual Result<void> truncate(int fd, std::uint64_t size_bytes) = 0;
  // Reserves space, so that a full disk fails before the data is written. The file's size does not change; a truncate
  // to the final size releases unused space. Succeeds without effect if the file system cannot reserve.
  virtual Result<void> reserve(int fd, std::uint64_t size_bytes) = 0;
  // Creates a hard link; never replaces (kAlreadyExists). kUsage: the file system does not support hard links.
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  // Renames; never replaces (kAlreadyExists). kUsage: the file system does not support such a rename.
  virtual Result<void> rename_no_replace(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;          // a file or an empty directory
  virtual Result<void> make_directory(const std::string& path) = 0;  // kAlreadyExists if the name exists
  // Makes the entries of a directory durable. `path` "" is the root. kUsage: the file system cannot sync directories.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  // Calls `visit` for each entry, in no particular order. An entry that is neither a file nor a directory appears as a
  // file of 0 bytes. An error from `visit` ends the listing and is returned. kNotFound if `path` does not exist;
  // kCorrupt if it is not a directory.
  virtual Result<void> list(const std::string& path, const std::function<Result<void>(const FileInfo&)>& visit) = 0;
  virtual Result<FileInfo> stat(const std::string& path) = 0;
  virtual Result<std::uint64_t> size_of(int fd) = 0;
  // Bytes available to this user.
  virtual Result<std::uint64_t> free_space_bytes() = 0;
  virtual Result<std::unique_ptr<Ring>> make_ring(std::size_t depth) = 0;
  [[nodiscard]] virtual std::string root_name() const = 0;  // for messages
};

// Opens the operating system's file system under the directory `root`. Errors: kNotFound, kDenied, kIo.
Result<std::unique_ptr<FileSystem>> open_file_system(const std::string& root, IoChoice choice);

}  // namespace drs
