// O_DIRECT if it works. A file system may refuse the flag, accept it and then refuse the operations (NFS, FUSE, some
// overlays), or require larger units than kDirectAlignment. So each operation remembers whether it was submitted as
// direct: if it fails with EINVAL, the caller calls drop_direct and submits it again. Later operations use the page
// cache.
#pragma once

#include <cstdint>

#include "io/fd.h"
#include "io/file_system.h"

namespace drs {

// Sets O_DIRECT on an open file. Returns false if the file system refuses, or reports (statx) units that do not divide
// kDirectAlignment. `file` must be a regular file or a block device.
bool set_direct(int file);
void drop_direct(int file);

// An open file and whether it is direct now.
class DirectFile {
 public:
  explicit DirectFile(Fd file) : file_(std::move(file)), direct_(set_direct(file_.get())) {}
  [[nodiscard]] int fd() const { return file_.get(); }
  [[nodiscard]] bool is_direct() const { return direct_; }
  void drop_direct() {
    if (!direct_) return;
    direct_ = false;
    drs::drop_direct(file_.get());
  }
  Result<void> close() { return file_.close(); }

 private:
  Fd file_;
  bool direct_;
};

inline bool is_direct_aligned(std::uint64_t value) {
  return value % kDirectAlignment == 0;
}
inline bool is_direct_aligned(const Byte* address) {
  return is_direct_aligned(reinterpret_cast<std::uintptr_t>(address));
}

}  // namespace drs
