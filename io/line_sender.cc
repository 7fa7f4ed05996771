#include "io/line_sender.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace drs {
namespace {

constexpr std::chrono::milliseconds kLookAgain{100};

}  // namespace

// A pipe that polls writable has room for PIPE_BUF bytes. If it cannot be reopened, a write of that size does not
// block.
LineSender::LineSender(int fd) : fd_(fd), step_bytes_max_(PIPE_BUF) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (is_socket_ || S_ISREG(status.st_mode)) step_bytes_max_ = SIZE_MAX;
  if (!S_ISFIFO(status.st_mode) && ::isatty(fd) != 1) return;
  const std::string again = "/proc/self/fd/" + std::to_string(fd);
  reopened_ = Fd(::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!reopened_) return;
  fd_ = reopened_.get();
  step_bytes_max_ = SIZE_MAX;
}

bool LineSender::send(std::string_view line, std::chrono::milliseconds patience) {
  std::string_view rest = line;
  if (!advance(rest, patience)) return false;
  keep_begun(line, rest);
  return true;
}

LineSender::Delivery LineSender::deliver(std::string_view lines, const std::function<bool()>& go_on) {
  std::string_view rest = lines;
  std::chrono::milliseconds patience{0};
  do {
    if (!advance(rest, patience)) return Delivery::kFailed;
    if (begun_.empty() && rest.empty()) return Delivery::kWhole;
    patience = kLookAgain;
  } while (go_on());
  keep_begun(lines, rest);
  return Delivery::kGivenUp;
}

bool LineSender::advance(std::string_view& text, std::chrono::milliseconds patience) {
  if (!begun_.empty()) {
    std::string_view rest = begun_;
    const bool there = write_some(rest, patience);
    begun_.erase(0, begun_.size() - rest.size());
    if (!there) return false;
    if (!begun_.empty()) return true;
  }
  return write_some(text, patience);
}

void LineSender::keep_begun(std::string_view line, std::string_view rest) {
  if (rest.size() < line.size()) begun_ = rest;
}

bool LineSender::write_some(std::string_view& text, std::chrono::milliseconds patience) {
  if (fd_ < 0) {  // poll ignores negative descriptors
    errno = EBADF;
    return false;
  }
  while (!text.empty()) {
    pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return true;
    const std::size_t bytes = std::min(text.size(), step_bytes_max_);
    const ssize_t wrote =
        is_socket_ ? ::send(fd_, text.data(), bytes, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(fd_, text.data(), bytes);
    if (wrote < 0 && errno == EAGAIN) return true;
    if (wrote < 0 && errno != EINTR) return false;
    text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(wrote, 0)));
  }
  return true;
}

}  // namespace drs
