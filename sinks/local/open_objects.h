// OpenObjects: keeps the descriptors of the objects that a local store read last, so many ranges of one pack cost one
// open. Objects are immutable, so a kept descriptor never reads stale bytes; at worst it reads an object that was
// removed since. Threads: one at a time.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>

#include "io/base/result.h"
#include "io/file_system.h"
#include "sinks/local/direct_io.h"

namespace drs {

// One open file; its last user closes it.
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
  // The object at `path`, opened for reading. Errors: those of FileSystem::open; kNotFound for a directory.
  Result<std::shared_ptr<OpenObject>> open(const std::string& path, DirectIo direct);
  // Forgets the object. Reads in flight keep its file open.
  void forget(const std::string& path);

 private:
  struct Entry {
    std::string path;
    DirectIo direct;
    std::shared_ptr<OpenObject> object;
  };
  FileSystem& files_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace drs
