// O_DIRECT, used where it works. A file system may refuse the flag, take it and refuse the operations (NFS, FUSE, some
// overlays), or want larger units than kDirectAlignment. Hence it is a matter of each operation: one that was given to
// the kernel as a direct one and comes back with EINVAL is given again after drop_direct; what follows goes through the
// page cache and is no less right.
#pragma once

#include <cstdint>

#include "io/fd.h"
#include "io/file_system.h"

namespace drs {

// Sets O_DIRECT on an open file; false where the file system refuses, or tells (statx) that its units are larger than
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
