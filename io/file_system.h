// FileSystem: names and files under one root directory, the seam between a local store and the machine. The real one
// makes system calls; the simulated one (io/sim_file_system.h) fails the nth operation and forgets at a power cut
// whatever was not synced. File data moves through the rings it makes.
//
// Paths are relative to the root, `/`-separated, without empty, "." or ".." parts (kUsage otherwise): nothing can name
// a file outside. Threads: any thread, several at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/result.h"
#include "io/ring.h"

namespace drs {

struct OpenFlags {
  bool write = false;
  bool create_exclusive = false;  // with mode 0600; kAlreadyExists if there
  bool direct = false;            // O_DIRECT where the file system takes it (io/direct_file.h)
};

struct OpenedFile {
  int fd = -1;          // close with FileSystem::close
  bool direct = false;  // offsets, lengths and addresses must be multiples of kDirectAlignment
};
inline constexpr std::size_t kDirectAlignment = 4096;

struct FileInfo {
  std::string name;  // within its directory
  bool is_directory = false;
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  // since 1970, the file system's clock
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Errors of every call: kNotFound, kDenied, kNoSpace, kIo, with the path in the text; kCorrupt where a link, a pipe
  // or a socket has the name of a file, or something else that of a directory on the way. Links are never followed.
  virtual Result<OpenedFile> open(const std::string& path, OpenFlags flags) = 0;
  // After an operation on a direct file came back with EINVAL: what follows goes through the page cache.
  virtual void drop_direct(int fd) = 0;
  virtual Result<void> close(int fd) = 0;  // network file systems may report a lost write only here
  virtual Result<void> truncate(int fd, std::uint64_t size_bytes) = 0;
  // Reserves space so that a full disk shows before the data is written; the file's size stays as it is, and a truncate
  // to the final size gives back what was not used. Success where the file system cannot reserve.
  virtual Result<void> reserve(int fd, std::uint64_t size_bytes) = 0;
  // Gives the file a second name, refusing to replace (kAlreadyExists). kUsage: this file system has no links.
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  // Renames, refusing to replace (kAlreadyExists). kUsage: this file system cannot refuse.
  virtual Result<void> rename_no_replace(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;          // a file or an empty directory
  virtual Result<void> make_directory(const std::string& path) = 0;  // kAlreadyExists if there
  // Makes the names in a directory durable. `path` "" is the root. kUsage: this file system cannot sync directories.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  // Calls `visit` for each entry, in no order; what is neither file nor directory appears as a file of 0 bytes. The
  // error of `visit` ends the list. kNotFound if `path` is not there; kCorrupt where it is no directory.
  virtual Result<void> list(const std::string& path, const std::function<Result<void>(const FileInfo&)>& visit) = 0;
  virtual Result<FileInfo> stat(const std::string& path) = 0;
  virtual Result<std::uint64_t> size_of(int fd) = 0;
  // Space left for this user, bytes.
  virtual Result<std::uint64_t> free_space_bytes() = 0;
  virtual Result<std::unique_ptr<Ring>> make_ring(std::size_t depth) = 0;
  [[nodiscard]] virtual std::string root_name() const = 0;  // for messages
};

// The machine's own file system under `root`, which must be a directory (kNotFound, kDenied).
Result<std::unique_ptr<FileSystem>> open_file_system(const std::string& root, IoChoice choice);

}  // namespace drs
