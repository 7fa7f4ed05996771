// DurableDirectories: the directories of a local store, created on demand, and the syncs that make names in them
// survive a power cut. A sync that once failed stays failed: the kernel may have dropped what it could not write, and a
// second sync of the same directory would report success over the loss.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "io/file_system.h"
#include "io/result.h"

namespace drs {

// What the instances of one store know together. Any thread.
class DirectorySyncs {
 public:
  // Errors: whatever the first failed sync of this directory said, again and again. A file system that cannot sync
  // directories at all is no error; `supported` then tells.
  Result<void> sync(FileSystem& files, const std::string& directory);
  [[nodiscard]] bool supported() const;

  // To be called after the directory was read: its names may be new, and not durable.
  void note_listed(const std::string& directory);
  // Whether a sync that began after the last `note_listed` has succeeded: every name listed so far is durable.
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
  // Makes the names in `directory` durable, and the directory's own name and its parents'.
  Result<void> sync(const std::string& directory);
  // The same for the names in `directory` that were listed before this call, whoever created them. Does nothing where
  // this process has synced the directory since it was listed.
  Result<void> sync_listed_names(const std::string& directory);

 private:
  Result<void> sync_own_name(const std::string& directory);
  FileSystem& files_;
  DirectorySyncs& syncs_;
  std::set<std::string, std::less<>> known_;         // there, as far as we know
  std::set<std::string, std::less<>> name_durable_;  // and their names will survive
};

// "packs/3f" of "packs/3f/3fa0"; "", the root, of a name without '/'.
std::string parent_directory(const std::string& path);

}  // namespace drs
