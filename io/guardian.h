// Guardian: a small process that ends our child when we die, however we die.
//
// A consumer (psql, pg_restore) commits at the end of its input, and the kernel closes our end of its pipe when we are
// killed. So the guardian holds a second write end of that pipe. When we die it sends SIGKILL to the child's process
// group, waits for the child to end, and only then goes, which closes that end: no consumer takes our death for the end
// of its data. A signal at the parent's death cannot do this: it arrives after the descriptors were closed.
// A producer or a command that gives credentials is ended in the same way, and only the first child has that pipe.
//
// The child reports itself before it becomes the command, so that there is no moment without a guard. The guardian runs
// in a session of its own, blocks all signals, keeps no other descriptor of ours and wipes environment and arguments.
// Who is killed at the same instant as its guardian cannot be guarded (SIGKILL to all processes of a machine).
//
// Threads: one at a time, except register_self, in the child.
#pragma once

#include <sys/types.h>

#include <memory>

#include "io/pipe.h"

namespace drs {

class Guardian {
 public:
  // Forks: call it while the process is small, since the guardian keeps what memory it has then. Errors: kIo.
  static Result<std::unique_ptr<Guardian>> start();
  ~Guardian();  // as let_go(); then the guardian ends
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // The pipe for the child's stdin, whose write end the guardian holds too. Once.
  [[nodiscard]] Pipe take_pipe() { return std::move(pipe_); }
  // Hung up (POLLHUP) when the guardian is gone.
  [[nodiscard]] int socket() const { return socket_.get(); }
  // The child has ended, or may see the end of its input: the guardian closes its write end and forgets the child.
  // Waits for that. The guardian stays, for the next child.
  void let_go();

  // Called by the child between fork and exec, as the leader of its group: puts it under guard. Only system calls.
  // Returns 0 or an errno.
  static int register_self(int socket);

 private:
  Guardian(pid_t pid, Fd socket, Pipe pipe) : pid_(pid), socket_(std::move(socket)), pipe_(std::move(pipe)) {}

  const pid_t pid_;
  Fd socket_;
  Pipe pipe_;
};

}  // namespace drs
