// The process around the command: memory protection, signals, the last handlers of exceptions.
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <new>

#include "io/base/clock.h"
#include "io/descriptor_limit.h"
#include "tools/application.h"
#include "tools/cli/descriptors.h"
#include "tools/cli/signals.h"
#include "tools/output/exit_code.h"

namespace {

// Keys are in our memory: no core dump, and no debugger of another process of this user.
void protect_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// Resets signal dispositions that our parent may have changed and that alter what our calls do.
void set_signals() {
  ::signal(SIGCHLD, SIG_DFL);  // if ignored, the exit statuses of our children are lost
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away is then an error of write
  ::signal(SIGXFSZ, SIG_IGN);  // and so is a file that has reached its size limit
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
    ::dprintf(STDERR_FILENO, "drstream: error: out of memory: free memory or give less --memory, then run it again\n");
    return static_cast<int>(drs::ExitCode::kBusy);
  } catch (const std::exception& thrown) {
    ::dprintf(STDERR_FILENO, "drstream: error: %s\n", thrown.what());
    return static_cast<int>(drs::ExitCode::kInternal);
  }
}
