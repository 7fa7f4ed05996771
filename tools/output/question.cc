#include "tools/output/question.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "io/base/ascii.h"
#include "io/fd.h"
#include "tools/output/console.h"

namespace drs {
namespace {

constexpr int kCancelPollMilliseconds = 200;
constexpr std::size_t kAnswerBytesMax = 100;

// Empty without a controlling terminal.
Fd open_terminal() {
  return Fd(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

bool can_ask() {
  if (::isatty(STDIN_FILENO) != 1) return false;
  if (::isatty(STDERR_FILENO) == 1) return true;
  // In the background a read would stop the process.
  return ::tcgetpgrp(STDIN_FILENO) == ::getpgrp() && static_cast<bool>(open_terminal());
}

Result<bool> ask_yes_or_no(const std::string& question, const CancelToken& cancel) {
  const Fd terminal = ::isatty(STDERR_FILENO) == 1 ? Fd() : open_terminal();
  static_cast<void>(write_all(terminal ? terminal.get() : STDERR_FILENO, question + " [y/N] "));
  std::string answer;
  while (answer.size() < kAnswerBytesMax) {
    if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "interrupted while asking");
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    if (::poll(&ready, 1, kCancelPollMilliseconds) <= 0) continue;
    char next = 0;
    const ssize_t got = ::read(STDIN_FILENO, &next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || next == '\n') break;
    answer += next;
  }
  answer = ascii_lower(answer);
  return answer == "y" || answer == "yes";
}

}  // namespace drs
