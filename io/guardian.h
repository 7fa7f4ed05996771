// Guardian: a small process that kills our child when we die, however we die.
//
// A consumer (psql, pg_restore) commits at the end of its input, and the kernel closes our end of its pipe when we are
// killed. So the guardian holds a second write end of that pipe. When we die, it sends SIGKILL to the child's process
// group, waits for the child to exit, and only then exits itself, which closes the second end. So no consumer mistakes
// our death for the end of its data. A parent-death signal cannot do this: it arrives after the descriptors are closed.
// The guardian also kills a producer or a credentials command. Only the first child gets the pipe.
//
// The child registers itself before exec, so it is never unguarded. The guardian runs in its own session, blocks all
// signals, keeps no other descriptor of ours, and wipes its environment and arguments. It gives no protection if both
// are killed at the same instant (SIGKILL to all processes of a machine).
//
// Threads: one thread at a time. register_self runs in the child.
#pragma once

#include <sys/types.h>

#include <memory>

#include "io/pipe.h"

namespace drs {

class Guardian {
 public:
  // Forks. Call it while the process is small, since the guardian keeps the memory that the process has then. Errors:
  // kIo.
  static Result<std::unique_ptr<Guardian>> start();
  ~Guardian();  // calls let_go() and ends the guardian process
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // The pipe for the child's stdin; the guardian holds the write end too. Call once.
  [[nodiscard]] Pipe take_pipe() { return std::move(pipe_); }
  // Reports POLLHUP when the guardian has exited.
  [[nodiscard]] int socket() const { return socket_.get(); }
  // Call when the child has exited or may see the end of its input. The guardian closes its write end and forgets the
  // child; waits until it has. The guardian can then guard the next child.
  void let_go();

  // Called in the child between vfork and exec, by the leader of its process group: registers it with the guardian.
  // Makes only system calls. Returns 0 or an errno.
  static int register_self(int socket);

 private:
  Guardian(pid_t pid, Fd socket, Pipe pipe) : pid_(pid), socket_(std::move(socket)), pipe_(std::move(pipe)) {}

  const pid_t pid_;
  Fd socket_;
  Pipe pipe_;
};

}  // namespace drs
