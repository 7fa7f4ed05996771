#include "tools/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "tools/printable.h"

namespace drs {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

Console::Console(int fd) : fd_(fd), is_terminal_(::isatty(fd) == 1) {}

void Console::write_lines(std::string_view text) {
  const std::lock_guard lock(mutex_);
  std::string out;
  const bool redraw = is_terminal_ && !status_.empty();
  if (redraw) out += kEraseLine;
  out += printable_lines(text);
  if (!text.ends_with('\n')) out += '\n';
  if (redraw) out += fitted_status();
  emit(out);
}

void Console::status(std::string_view text) {
  const std::lock_guard lock(mutex_);
  status_ = printable_value(text);
  if (!has_room()) return;
  if (is_terminal_)
    emit(std::string(kEraseLine) + fitted_status());
  else
    emit(status_ + '\n');
}

void Console::end_status() {
  const std::lock_guard lock(mutex_);
  if (is_terminal_ && !status_.empty() && has_room()) emit(kEraseLine);
  status_.clear();
}

// A line that wraps cannot be erased again.
std::string Console::fitted_status() const {
  winsize size{};
  std::size_t columns = 80;
  if (::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) columns = size.ws_col;
  return status_.substr(0, columns - 1);
}

bool Console::has_room() const {
  pollfd ready{fd_, POLLOUT, 0};
  return ::poll(&ready, 1, 0) != 0;
}

void Console::emit(std::string_view text) const {
  static_cast<void>(write_all(fd_, text));
}

}  // namespace drs
