// DurableDirectories: creates the directories of a local store on demand, and syncs them so that the names in them
// survive a power cut. A failed sync is final: the kernel may have dropped what it could not write, and a second sync
// of the same directory would report success despite the loss.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "io/base/result.h"
#include "io/file_system.h"

namespace drs {

// What the instances of one store share. Any thread.
class DirectorySyncs {
 public:
  // Errors: after a failed sync, its error for every later sync of the directory. A file system that cannot sync
  // directories is no error; `supported` then returns false.
  Result<void> sync(FileSystem& files, const std::string& directory);
  [[nodiscard]] bool supported() const;

  // Call it after the directory was read: names in it may be new and not durable.
  void note_listed(const std::string& directory);
  // Whether a sync that began after the last `note_listed` succeeded, so that every listed name is durable.
  [[nodiscard]] bool listed_names_durable(const std::string& directory) const;

 private:
  struct State {
    std::uint64_t lists = 0;
    bool synced = false;  // since the last of them
    std::optional<Error> failed;
  };
  mutable std::mutex mutex_;
  std::map<std::string, State> states_;
  bool supported_ = true;
};

// Threads: one at a time.
class DurableDirectories {
 public:
  DurableDirectories(FileSystem& files, DirectorySyncs& syncs) : files_(files), syncs_(syncs) {}
  // Creates `directory` and its parents where they are missing.
  Result<void> create(const std::string& directory);
  // Makes the names in `directory` durable, and the names of the directory itself and of its parents.
  Result<void> sync(const std::string& directory);
  // The same for the names in `directory` that were listed before this call, by whichever process they were created.
  // Does nothing if this process has synced the directory since it was listed.
  Result<void> sync_listed_names(const std::string& directory);

 private:
  Result<void> sync_own_name(const std::string& directory);
  FileSystem& files_;
  DirectorySyncs& syncs_;
  std::set<std::string, std::less<>> known_;         // created or found by this instance
  std::set<std::string, std::less<>> name_durable_;  // those whose names survive a power cut
};

// "packs/3f" of "packs/3f/3fa0"; "", the root, of a name without '/'.
std::string parent_directory(const std::string& path);

}  // namespace drs
