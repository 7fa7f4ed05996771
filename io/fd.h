// Fd: the owner of one file descriptor. Raw numbers elsewhere are borrowed. Every descriptor we open is O_CLOEXEC.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "io/result.h"

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
  // Gives up ownership: the caller closes.
  [[nodiscard]] int release() { return std::exchange(raw_, -1); }
  // For files we wrote: network file systems may report a lost write only here. Closes also where it fails, and does
  // nothing when already closed. Errors: kIo, kNoSpace.
  Result<void> close() {
    const int raw = release();
    // After EINTR the descriptor is gone on Linux, and closing again could close somebody else's.
    if (raw < 0 || ::close(raw) == 0 || errno == EINTR) return {};
    return error_from_errno(errno, "close");
  }

 private:
  int raw_ = -1;  // -1: none, moved from or closed
};

}  // namespace drs
