#include "tools/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "tools/printable.h"

namespace drs {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr int kLooksAfterSignal = 20;  // ten a second

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

Console::Console(int fd, const CancelToken* stop)
    : fd_(fd), is_terminal_(::isatty(fd) == 1), stop_(stop), looks_left_(kLooksAfterSignal), sender_(fd) {}

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

bool Console::waits_for_reader() {
  return stop_ == nullptr || !stop_->cancelled() || looks_left_.fetch_sub(1) > 0;
}

void Console::emit(std::string_view text) {
  static_cast<void>(sender_.deliver(text, [this] { return waits_for_reader(); }));
}

}  // namespace drs
