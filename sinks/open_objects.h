// OpenObjects: the descriptors of a local store's most recently read objects, so that many ranges of one pack cost one
// open. Objects are immutable, hence a cached descriptor never reads stale bytes; at worst it reads an object that was
// removed meanwhile. Threads: one at a time.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "io/file_system.h"
#include "io/result.h"

namespace drs {

// One open file, closed with its last user.
class OpenObject {
 public:
  OpenObject(FileSystem& files, OpenedFile file) : files_(files), file_(file) {}
  OpenObject(const OpenObject&) = delete;
  OpenObject& operator=(const OpenObject&) = delete;
  ~OpenObject();
  [[nodiscard]] int fd() const { return file_.fd; }
  [[nodiscard]] bool direct() const { return file_.direct; }
  void drop_direct();
  // Errors: those of FileSystem::size_of.
  [[nodiscard]] Result<std::uint64_t> size_bytes() const { return files_.size_of(file_.fd); }

 private:
  FileSystem& files_;
  OpenedFile file_;
};

class OpenObjects {
 public:
  explicit OpenObjects(FileSystem& files) : files_(files) {}
  // The object at `path`, opened for reading; with `direct` past the page cache where that works. Errors: as open; a
  // directory is not found.
  Result<std::shared_ptr<OpenObject>> open(const std::string& path, bool direct);
  // Forgets the object; readers under way keep it.
  void forget(const std::string& path);

 private:
  struct Entry {
    std::string path;
    bool direct;
    std::shared_ptr<OpenObject> object;
  };
  FileSystem& files_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace drs
