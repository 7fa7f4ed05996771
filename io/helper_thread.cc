#include "io/helper_thread.h"

#include <csignal>
#include <system_error>

namespace drs {
namespace {

// All signals but those that tell a thread of its own fault: the kernel ends a process that blocks them without asking
// its handler.
sigset_t signals_of_the_process() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&signals, fault);
  return signals;
}

}  // namespace

Result<std::thread> start_helper_thread(std::function<void()> body) {
  const sigset_t signals = signals_of_the_process();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  Result<std::thread> started = Error{ErrorCode::kInternal, "no thread was started"};
  try {
    started = std::thread(std::move(body));
  } catch (const std::system_error& failure) {
    Error error = error_from_errno(failure.code().value(), "cannot start a thread");
    started = Error{ErrorCode::kBusy,
                    error.message +
                        " (the limit of threads is reached: of this user, see ulimit -u, of the container, "
                        "see pids.max, or of the machine; raise it, or run with fewer --threads)",
                    error.error_number};
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace drs
