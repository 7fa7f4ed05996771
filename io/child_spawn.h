// Starts a command: the steps of ChildProcess between vfork and exec.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace drs {

struct SpawnRequest {
  const std::vector<std::string>& argv;         // argv[0] is looked up in PATH
  const std::vector<std::string>& environment;  // "NAME=value"
  int stdin_fd = -1;                            // -1: /dev/null; for the other two, -1: ours. All are 3 or higher.
  int stdout_fd = -1;
  int stderr_fd = -1;
  bool own_session = true;
  int guardian_socket = -1;  // io/guardian.h; -1: unguarded
};

struct Spawned {
  pid_t pid = -1;
  int error_number = 0;  // not 0: the command did not start, and no child is left to reap
};

// Uses vfork and exec, so no page tables are copied however large this process is. A child without its own session is
// killed when the thread that started it dies. The child inherits only stdin, stdout and stderr. It has an empty signal
// mask, and the default actions for SIGPIPE, SIGXFSZ and SIGCHLD, which main changes; other signals that were ignored
// when drstream started (nohup) stay ignored.
Spawned spawn_command(const SpawnRequest& request);

}  // namespace drs
