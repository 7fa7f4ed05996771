#include "tools/line_sender.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace drs {

LineSender::LineSender(int fd) : fd_(fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (!S_ISFIFO(status.st_mode) && ::isatty(fd) != 1) return;
  const std::string again = "/proc/self/fd/" + std::to_string(fd);
  reopened_ = Fd(::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (reopened_) fd_ = reopened_.get();
}

bool LineSender::send(std::string_view line, std::chrono::milliseconds patience) {
  if (!begun_.empty()) {
    if (!write_some(begun_, patience)) return false;
    if (!begun_.empty()) return true;
  }
  std::string rest(line);
  if (!write_some(rest, patience)) return false;
  if (rest.size() < line.size()) begun_ = std::move(rest);
  return true;
}

bool LineSender::write_some(std::string& text, std::chrono::milliseconds patience) {
  while (!text.empty()) {
    pollfd entry{.fd = fd_, .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return true;
    // A pipe that polls writable has room for PIPE_BUF bytes: where it could not be opened again, this does not block.
    const std::size_t bytes = std::min<std::size_t>(text.size(), PIPE_BUF);
    const ssize_t wrote =
        is_socket_ ? ::send(fd_, text.data(), bytes, MSG_DONTWAIT | MSG_NOSIGNAL) : ::write(fd_, text.data(), bytes);
    if (wrote < 0 && errno == EAGAIN) return true;
    if (wrote < 0 && errno != EINTR) return false;
    text.erase(0, static_cast<std::size_t>(std::max<ssize_t>(wrote, 0)));
  }
  return true;
}

}  // namespace drs
