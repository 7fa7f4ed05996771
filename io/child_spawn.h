// Starting a command: what ChildProcess does between fork and exec.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace drs {

struct SpawnRequest {
  const std::vector<std::string>& argv;         // argv[0] is looked up in PATH
  const std::vector<std::string>& environment;  // "NAME=value"
  int stdin_fd = -1;                            // -1: /dev/null; the others, -1: as ours. All are 3 or higher.
  int stdout_fd = -1;
  int stderr_fd = -1;
  bool own_session = true;
  int guardian_socket = -1;  // io/guardian.h; -1: unguarded
};

struct Spawned {
  pid_t pid = -1;
  int error_number = 0;  // not 0: the command does not run, and nothing is left to be reaped
};

// vfork and exec: copies no page tables however large we are. A child that leads no session of its own is killed when
// the thread that started it dies. The child inherits stdin, stdout and stderr alone, an empty signal mask, and default
// actions for SIGPIPE, SIGXFSZ and SIGCHLD, which main changes; what else was ignored when we started (nohup) stays
// ignored.
Spawned spawn_command(const SpawnRequest& request);

}  // namespace drs
