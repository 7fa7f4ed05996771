// Fd: owns one file descriptor. A raw descriptor elsewhere is borrowed. Every descriptor we open is O_CLOEXEC.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/base/result.h"

namespace drs {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int raw) noexcept : raw_(raw) {}
  Fd(Fd&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    Fd old(std::exchange(raw_, std::exchange(other.raw_, -1)));
    return *this;
  }
  ~Fd() {
    if (raw_ >= 0) ::close(raw_);
  }

  [[nodiscard]] int get() const { return raw_; }
  explicit operator bool() const { return raw_ >= 0; }
  // Gives up ownership: the caller must close the descriptor.
  [[nodiscard]] int release() { return std::exchange(raw_, -1); }
  // For files we wrote: network file systems may report a lost write only here. Closes the descriptor even on failure;
  // does nothing if it is already closed. Errors: kIo, kNoSpace.
  Result<void> close() {
    const int raw = release();
    // On Linux the descriptor is closed even after EINTR; a second close could close another thread's descriptor.
    if (raw < 0 || ::close(raw) == 0 || errno == EINTR) return {};
    return error_from_errno(errno, "close");
  }

 private:
  int raw_ = -1;  // -1: none, moved from or closed
};

}  // namespace drs
