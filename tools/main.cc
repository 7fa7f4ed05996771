// The process around the command: what it protects, ignores and waits for.
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <new>

#include "io/clock.h"
#include "io/descriptor_limit.h"
#include "tools/application.h"
#include "tools/descriptors.h"
#include "tools/exit_code.h"
#include "tools/signals.h"

namespace {

// Keys are in our memory: no core dump, and no debugger of another process of this user.
void protect_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// What whoever started us may have left in a state that changes what our calls mean.
void set_signals() {
  ::signal(SIGCHLD, SIG_DFL);  // ignored, it would take the exit statuses of our children away
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of write
  ::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow further
}

}  // namespace

int main(int argc, char** argv) {
  if (!drs::occupy_standard_descriptors()) return static_cast<int>(drs::ExitCode::kInternal);
  protect_memory();
  drs::raise_descriptor_limit();
  set_signals();
  try {
    const drs::SystemClock clock;
    drs::CancelToken cancel;
    const auto signals = drs::SignalThread::start(cancel);
    if (!signals.ok()) {
      ::dprintf(STDERR_FILENO, "drstream: error: %s\n", signals.error().message.c_str());
      return static_cast<int>(drs::exit_code_of(signals.error()));
    }
    return drs::run_application(argc, argv, clock, cancel, **signals);
  } catch (const std::bad_alloc&) {
    ::dprintf(STDERR_FILENO, "drstream: error: there is no memory left\n");
    return static_cast<int>(drs::ExitCode::kBusy);
  } catch (const std::exception& thrown) {
    ::dprintf(STDERR_FILENO, "drstream: error: %s\n", thrown.what());
    return static_cast<int>(drs::ExitCode::kInternal);
  }
}
