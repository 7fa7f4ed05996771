#include "io/helper_thread.h"

#include <csignal>
#include <exception>
#include <new>
#include <system_error>
#include <utility>

#include "io/base/catch_thrown.h"

namespace drs {
namespace {

// All signals except those that report a fault of the thread itself: the kernel kills a process that blocks these,
// without running its handler.
sigset_t signals_of_the_process() {
  sigset_t signals;
  sigfillset(&signals);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&signals, fault);
  return signals;
}

Result<std::thread> start(std::function<void()> body, std::function<void(Error)> on_thrown) {
  try {
    // The out-of-memory error is allocated beforehand: a thread that is out of memory may be unable to allocate its
    // text.
    return std::thread(
        [body = std::move(body), on_thrown = std::move(on_thrown), no_memory = no_memory_error()]() mutable {
          try {
            body();
          } catch (const std::bad_alloc&) {
            on_thrown(std::move(no_memory));
          } catch (const std::exception& thrown) {
            on_thrown(library_error(thrown));
          }
        });
  } catch (const std::system_error& failure) {
    Error error = error_from_errno(failure.code().value(), "cannot start a thread");
    return Error(ErrorCode::kBusy,
                 error.message +
                     " (the thread limit of this user, see ulimit -u, of the container, see pids.max, or of the "
                     "machine is reached: raise it, or run with fewer --threads)",
                 error.error_number);
  }
}

}  // namespace

Result<std::thread> start_helper_thread(std::function<void()> body, std::function<void(Error)> on_thrown) {
  const sigset_t signals = signals_of_the_process();
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  Result<std::thread> started = catch_thrown([&] { return start(std::move(body), std::move(on_thrown)); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

void must_not_throw(const Error& thrown) {
  DRS_ASSERT(false, thrown.message.c_str());
}

}  // namespace drs
