#include "tools/output/console.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "tools/output/printable.h"

namespace drs {
namespace {

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
    : fd_(fd), style_(terminal_style(fd)), stop_(stop), looks_left_(kLooksAfterSignal), sender_(fd) {}

void Console::write_lines(std::string_view text, Tone tone) {
  const std::lock_guard lock(mutex_);
  std::string out;
  const bool redraw = style_.is_terminal && !status_.empty();
  if (redraw) out += erased_line();
  out += lines_for(style_, style_.is_terminal ? terminal_columns(fd_) : 0, printable_lines(text), tone);
  if (!text.ends_with('\n')) out += '\n';
  if (redraw) out += fitted_status();
  emit(out);
}

void Console::status(std::string_view text) {
  const std::lock_guard lock(mutex_);
  status_ = printable_value(text);
  if (!has_room()) return;
  if (style_.is_terminal)
    emit(erased_line() + fitted_status());
  else
    emit(status_ + '\n');
}

void Console::end_status() {
  const std::lock_guard lock(mutex_);
  if (style_.is_terminal && !status_.empty() && has_room()) emit(erased_line());
  status_.clear();
}

// A line that wraps cannot be erased again.
std::size_t Console::status_columns() const {
  return style_.is_terminal ? terminal_columns(fd_) - 1 : std::numeric_limits<std::size_t>::max();
}

std::string Console::erased_line() const {
  if (style_.knows_escapes) return std::string(kEraseLine);
  return '\r' + std::string(status_columns(), ' ') + '\r';
}

std::string Console::fitted_status() const {
  return status_.substr(0, status_columns());
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
