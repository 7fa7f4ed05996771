#include "tools/terminal_prompt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "io/fd.h"
#include "tools/console.h"
#include "tools/terminal_echo.h"

namespace drs {
namespace {

constexpr std::size_t kAnswerBytesMax = 4096;
constexpr int kCancelPollMilliseconds = 100;

Result<SecretBytes> read_line(int fd, const CancelToken& cancel) {
  SecretBytes line(kAnswerBytesMax);
  std::size_t used = 0;
  while (used < line.size()) {
    if (cancel.cancelled()) return Error{ErrorCode::kCancelled, "interrupted while asking for a passphrase"};
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kCancelPollMilliseconds) <= 0) continue;
    Byte* const next = line.mutable_view().data() + used;
    const ssize_t got = ::read(fd, next, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error{ErrorCode::kWrongKey, "the terminal was closed before a passphrase was given"};
    if (*next == '\n') return SecretBytes::copy_of(line.view().first(used));
    ++used;
  }
  return Error{ErrorCode::kWrongKey, "the passphrase is longer than 4096 characters"};
}

Result<SecretBytes> ask(const std::string& question, const CancelToken& cancel) {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return missing_key_error();
  auto answer = [&]() -> Result<SecretBytes> {
    const SilencedEcho silence(terminal.get());
    if (!silence.silent()) return Error{ErrorCode::kWrongKey, "the terminal's echo cannot be turned off"};
    if (!write_all(terminal.get(), question)) return missing_key_error();
    return read_line(terminal.get(), cancel);
  }();
  static_cast<void>(write_all(terminal.get(), "\n"));
  return answer;
}

}  // namespace

std::optional<Prompt> terminal_prompt(const CancelToken& cancel) {
  // Whoever sends stderr elsewhere is not sitting there to answer.
  if (::isatty(STDERR_FILENO) != 1) return {};
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!terminal) return {};
  return [&cancel](const std::string& question) { return ask(question, cancel); };
}

}  // namespace drs
