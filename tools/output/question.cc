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

}  // namespace

bool can_ask() {
  return ::isatty(STDIN_FILENO) == 1;
}

Result<bool> ask_yes_or_no(const std::string& question, const CancelToken& cancel) {
  Fd terminal;
  if (::isatty(STDERR_FILENO) != 1) terminal = Fd(::open("/dev/tty", O_WRONLY | O_NOCTTY | O_CLOEXEC));
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
