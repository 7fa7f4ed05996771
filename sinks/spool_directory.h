// A spool directory: one entry for each push that spools there, under way or dead.
//
//   DIR/lock              held while entries are made or looked at
//   DIR/<32 hex digits>/  an entry, mode 0700
//     lock                held by the process that works on the entry: who dies lets go of it
//     owner               one line: whose entry it is
//     objects/            the objects, as a local store keeps them
//
// An entry ends by being renamed to `.ended-...`, which is atomic, and removed then. Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/cancel.h"
#include "io/fd.h"
#include "io/result.h"
#include "io/ring.h"
#include "sinks/object_store.h"

namespace drs {

// An entry that this process works on: nobody else does.
class SpoolEntry {
 public:
  SpoolEntry(SpoolEntry&&) = default;
  SpoolEntry& operator=(SpoolEntry&&) = default;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& owner() const { return owner_; }
  // Whether its owner was written to the end. If not, its process died while it made the entry, or the file is damaged.
  [[nodiscard]] bool whole() const { return whole_; }
  // Where its objects lie. Errors: those of open_file_system and open_local_store.
  [[nodiscard]] Result<std::unique_ptr<ObjectStore>> open_objects(IoChoice io) const;
  // Ends the entry and removes what lies in it, for good or ill. Errors: kDenied, kIo: it stays, or a part of it.
  Result<void> end();

 private:
  friend class SpoolDirectory;
  SpoolEntry(std::string directory, std::string name, const std::string& owner_line, Fd lock);
  std::string directory_;
  std::string name_;
  std::string path_;
  std::string owner_;
  bool whole_;
  Fd lock_;
};

class SpoolDirectory {
 public:
  // Made with mode 0700 where it is not there. Errors: kUsage (its parent is not there, or a part of the path is no
  // directory), kDenied, kNoSpace, kIo.
  static Result<SpoolDirectory> make(std::string path);
  // One that is there. Errors: kNotFound (its parent is there), kUsage, kDenied, kIo.
  static Result<SpoolDirectory> open(std::string path);

  // `owner` is one line. Durable when it returns. While another process makes entries or looks at them, this waits.
  // Errors: kCancelled (by `cancel`, in that wait), kDenied, kNoSpace, kIo.
  Result<SpoolEntry> create(const std::string& owner, const CancelToken& cancel);

  struct Entries {
    std::vector<SpoolEntry> dead;      // taken by this process now; oldest first
    std::vector<std::string> running;  // paths of those that a living process works on
    std::vector<Error> unreadable;     // whose they are cannot be told, or who works on them: they are left alone
  };
  // Takes every entry that nobody works on. Waits and errors: as `create`.
  Result<Entries> take_dead(const CancelToken& cancel);
  // Space left for this user, bytes. Errors: kDenied, kIo.
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
