#include "tools/output/terminal.h"

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "tools/output/wrapped_lines.h"

namespace drs {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

constexpr std::array kEndingSignals = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,    SIGILL,  SIGSYS,   SIGTRAP,
                                       SIGALRM, SIGXCPU, SIGUSR2, SIGPROF, SIGVTALRM, SIGPOLL, SIGSTKFLT};
constexpr std::array kStoppingSignals = {SIGTSTP, SIGTTIN, SIGTTOU};

// For signal handlers, which take no argument of ours.
std::atomic<int> silenced_fd{-1};
termios echoing;  // the saved state; written before silenced_fd

bool silence(int fd) {
  termios silent = echoing;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  return ::tcsetattr(fd, TCSAFLUSH, &silent) == 0;
}

void set_handler(int number, void (*from)(int), void (*to)(int)) {
  struct sigaction action {};
  if (::sigaction(number, nullptr, &action) != 0 || action.sa_handler != from) return;
  action = {};
  action.sa_handler = to;
  ::sigfillset(&action.sa_mask);  // SIGTTOU among them: a process in the background may restore the echo
  ::sigaction(number, &action, nullptr);
}

void end(int number) {
  const int error_before = errno;
  restore_terminal_echo();
  ::signal(number, SIG_DFL);
  ::raise(number);  // blocked until this returns, and then it ends us
  errno = error_before;
}

void stop(int number) {
  const int error_before = errno;
  restore_terminal_echo();
  set_handler(number, stop, SIG_DFL);
  ::raise(number);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, number);
  ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);  // stops here until SIGCONT
  ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
  set_handler(number, SIG_DFL, stop);
  if (const int fd = silenced_fd.load(); fd >= 0) static_cast<void>(silence(fd));
  errno = error_before;
}

void install_handlers() {
  for (const int number : kEndingSignals) set_handler(number, SIG_DFL, end);
  for (const int number : kStoppingSignals) set_handler(number, SIG_DFL, stop);
}

void remove_handlers() {
  for (const int number : kEndingSignals) set_handler(number, end, SIG_DFL);
  for (const int number : kStoppingSignals) set_handler(number, stop, SIG_DFL);
}

}  // namespace

TerminalStyle terminal_style(int fd) {
  TerminalStyle style;
  style.is_terminal = ::isatty(fd) == 1;
  const std::string_view kind = variable("TERM");
  style.knows_escapes = style.is_terminal && !kind.empty() && kind != "dumb";
  style.colours = style.knows_escapes && variable("NO_COLOR").empty();
  return style;
}

std::size_t terminal_columns(int fd) {
  winsize size{};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string lines_for(const TerminalStyle& style, std::size_t columns, std::string_view lines, Tone tone) {
  if (!style.is_terminal || tone == Tone::kVerbatim) return std::string(lines);
  const std::size_t end = std::min(lines.find('\n'), lines.size());
  std::string first = wrapped_lines(lines.substr(0, end), columns);
  if (tone != Tone::kPlain && style.colours && !first.empty())
    first = (tone == Tone::kError ? "\x1b[31m" : "\x1b[33m") + first + "\x1b[0m";
  return first + wrapped_lines(lines.substr(end), columns);
}

SilencedEcho::SilencedEcho(int fd) {
  if (::tcgetattr(fd, &echoing) != 0) return;
  silenced_fd = fd;
  install_handlers();
  silent_ = silence(fd);
}

SilencedEcho::~SilencedEcho() {
  restore_terminal_echo();
  silenced_fd = -1;
  remove_handlers();
}

void restore_terminal_echo() {
  if (const int fd = silenced_fd.load(); fd >= 0) ::tcsetattr(fd, TCSANOW, &echoing);
}

}  // namespace drs
