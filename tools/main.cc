// The process around the command: what it protects, ignores and waits for.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <exception>

#include "io/clock.h"
#include "tools/application.h"
#include "tools/exit_code.h"
#include "tools/signals.h"

namespace {

// Keys are in our memory: no core dump, and no debugger of another process of this user.
void protect_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// A descriptor 0, 1 or 2 that is closed would be given to a file of ours, which then got messages written into it.
void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY));
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  protect_memory();
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const drs::SystemClock clock;
    drs::CancelToken cancel;
    const auto signals = drs::SignalThread::start(cancel);
    if (!signals.ok()) {
      ::dprintf(STDERR_FILENO, "drstream: error: %s\n", signals.error().message.c_str());
      return static_cast<int>(drs::exit_code_of(signals.error().code));
    }
    return drs::run_application(argc, argv, clock, cancel, **signals);
  } catch (const std::exception& thrown) {
    ::dprintf(STDERR_FILENO, "drstream: error: %s\n", thrown.what());
    return static_cast<int>(drs::ExitCode::kInternal);
  }
}
