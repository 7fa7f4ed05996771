// A spool directory holds one entry for each push that spools there, running or dead.
//
//   DIR/lock              held while entries are made or looked at
//   DIR/<32 hex digits>/  an entry, mode 0700
//     lock                held by the process that works on the entry; the kernel releases it when the process dies
//     owner               one line: the owner of the entry
//     objects/            the objects, as a local store keeps them
//
// An entry ends with a rename to `.ended-...`, which is atomic; its files are removed after that. Threads: one at a
// time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/cancel.h"
#include "io/base/result.h"
#include "io/fd.h"
#include "io/ring.h"
#include "sinks/object_store.h"

namespace drs {

// An entry whose lock this process holds.
class SpoolEntry {
 public:
  SpoolEntry(SpoolEntry&&) = default;
  SpoolEntry& operator=(SpoolEntry&&) = default;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& owner() const { return owner_; }
  // Whether the line of the owner is complete. If not, the process died while it created the entry, or the file is
  // damaged.
  [[nodiscard]] bool whole() const { return whole_; }
  // The store of its objects. Errors: those of open_file_system and open_local_store.
  [[nodiscard]] Result<std::unique_ptr<ObjectStore>> open_objects(IoChoice io) const;
  // Ends the entry and removes its objects, uploaded or not. Errors: kDenied, kIo; the entry, or a part of it, remains.
  Result<void> end();

 private:
  friend class SpoolDirectory;
  struct Place {
    std::string directory;  // of the spool
    std::string name;       // of the entry in it
  };
  // `owner_line`: the content of the file `owner`.
  SpoolEntry(Place place, std::string_view owner_line, Fd lock);
  Place place_;
  std::string path_;
  std::string owner_;
  bool whole_;
  Fd lock_;
};

class SpoolDirectory {
 public:
  // Creates the directory, with mode 0700, unless it exists. Errors: kUsage (its parent is missing, or a part of the
  // path is not a directory), kDenied, kNoSpace, kIo.
  static Result<SpoolDirectory> make(std::string path);
  // Opens an existing directory. Errors: kNotFound (its parent exists), kUsage, kDenied, kIo.
  static Result<SpoolDirectory> open(std::string path);

  // Creates an entry, durable when this returns. `owner` is one line. Waits while another process creates or examines
  // entries. Errors: kCancelled (`cancel` ended that wait), kDenied, kNoSpace, kIo.
  Result<SpoolEntry> create(const std::string& owner, const CancelToken& cancel);

  struct Entries {
    std::vector<SpoolEntry> dead;      // this process holds their locks now; oldest first
    std::vector<std::string> running;  // paths of entries whose process is alive
    std::vector<Error> unreadable;  // why the owner or the lock of an entry could not be read; the entry is left alone
  };
  // Takes every entry whose process has died. Waits and fails as `create` does.
  Result<Entries> take_dead(const CancelToken& cancel);
  // Free space for this user, in bytes. Errors: kDenied, kIo.
  [[nodiscard]] Result<std::uint64_t> free_space_bytes() const;

 private:
  SpoolDirectory(std::string path, Fd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  Result<void> lock(const CancelToken& cancel);
  void unlock();
  void remove_ended() const;
  std::string path_;
  Fd lock_;
};

}  // namespace drs
