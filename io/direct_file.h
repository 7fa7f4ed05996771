// DirectFile: an open file with O_DIRECT where it works. Some file systems accept the flag and refuse the operations,
// so it can be dropped at any time; what follows goes through the page cache and is no less right.
#pragma once

#include <fcntl.h>

#include <cstdint>

#include "io/fd.h"
#include "io/file_system.h"

namespace drs {

class DirectFile {
 public:
  // `file` must be a regular file or a block device.
  explicit DirectFile(Fd file) : file_(std::move(file)) {
    const int flags = ::fcntl(file_.get(), F_GETFL);
    direct_ = flags >= 0 && ::fcntl(file_.get(), F_SETFL, flags | O_DIRECT) == 0;
  }
  [[nodiscard]] int fd() const { return file_.get(); }
  [[nodiscard]] bool is_direct() const { return direct_; }
  void drop_direct() {
    if (!direct_) return;
    direct_ = false;
    const int flags = ::fcntl(file_.get(), F_GETFL);
    ::fcntl(file_.get(), F_SETFL, flags & ~O_DIRECT);
  }
  Result<void> close() { return file_.close(); }

 private:
  Fd file_;
  bool direct_ = false;
};

inline bool is_direct_aligned(std::uint64_t value) {
  return value % kDirectAlignment == 0;
}
inline bool is_direct_aligned(const Byte* address) {
  return is_direct_aligned(reinterpret_cast<std::uintptr_t>(address));
}

}  // namespace drs
