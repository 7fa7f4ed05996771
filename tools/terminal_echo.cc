#include "tools/terminal_echo.h"

#include <pthread.h>
#include <signal.h>
#include <termios.h>

#include <array>
#include <atomic>
#include <cerrno>

namespace drs {
namespace {

constexpr std::array kEndingSignals = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,    SIGILL,  SIGSYS,   SIGTRAP,
                                       SIGALRM, SIGXCPU, SIGUSR2, SIGPROF, SIGVTALRM, SIGPOLL, SIGSTKFLT};
constexpr std::array kStoppingSignals = {SIGTSTP, SIGTTIN, SIGTTOU};

// For signal handlers, which take no argument of ours.
std::atomic<int> silenced_fd{-1};
termios echoing;  // as it was; written before silenced_fd

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

void set_handlers(bool on) {
  for (const int number : kEndingSignals) set_handler(number, on ? SIG_DFL : end, on ? end : SIG_DFL);
  for (const int number : kStoppingSignals) set_handler(number, on ? SIG_DFL : stop, on ? stop : SIG_DFL);
}

}  // namespace

SilencedEcho::SilencedEcho(int fd) {
  if (::tcgetattr(fd, &echoing) != 0) return;
  silenced_fd = fd;
  set_handlers(true);
  silent_ = silence(fd);
}

SilencedEcho::~SilencedEcho() {
  restore_terminal_echo();
  silenced_fd = -1;
  set_handlers(false);
}

void restore_terminal_echo() {
  if (const int fd = silenced_fd.load(); fd >= 0) ::tcsetattr(fd, TCSANOW, &echoing);
}

}  // namespace drs
