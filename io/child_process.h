// ChildProcess: starts a command without a shell, feeds or reads it through one pipe, and always reaps it.
//
// The child leads its own session, so that one signal reaches it and its descendants. io/child_spawn.h lists what it
// inherits. Its stderr is copied to ours line by line, and the tail is kept for messages. Threads: one thread at a
// time; `terminate` and `await_exit` may be called from any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/guardian.h"
#include "io/interrupt.h"
#include "io/stderr_tap.h"

namespace drs {

struct ChildOptions {
  std::vector<std::string> argv;                // argv[0] is looked up in PATH
  std::vector<std::string> environment_remove;  // names of variables that the child must not see: keys
  std::optional<std::chrono::seconds> timeout;  // from start to exit; none: unlimited
  int stderr_to = 2;                            // the descriptor that receives its stderr; borrowed
  StderrTap::Filter stderr_filter = nullptr;    // applied to each line of its stderr
  Guardian* guardian = nullptr;                 // kills the child if we die; one child at a time; must outlive it
  // For a command that prompts the user: it stays in our session, so that it can open the terminal, and inherits our
  // stderr. Signals then reach the child alone, not its descendants; it is killed if the thread that started it dies.
  bool asks_on_terminal = false;
};

// How a child ended.
struct ChildEnd {
  int exit_status = 0;  // valid if signal is 0
  int signal = 0;
  bool unknown = false;  // other code in this process reaped the child
  [[nodiscard]] bool success() const { return signal == 0 && exit_status == 0 && !unknown; }
  [[nodiscard]] std::string text() const;  // "exited with status 3", "was killed by signal 9 (Killed)"
};

enum class ChildPipe : std::uint8_t {
  kFromChild,  // its stdout; its stdin is /dev/null
  kToChild,    // its stdin; its stdout is ours
};

class ChildProcess {
 public:
  // Errors: kUsage if the command does not exist or cannot be executed ("cannot run 'pg_dumpp': No such file or
  // directory"); kIo if the machine is out of processes or descriptors, or the guardian has died.
  static Result<std::unique_ptr<ChildProcess>> spawn(const ChildOptions& options, ChildPipe direction);
  // Kills the child if it still runs, and reaps it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Our end of the pipe: non-blocking, enlarged to the limit.
  [[nodiscard]] int pipe() const { return pipe_.get(); }
  [[nodiscard]] std::size_t pipe_capacity_bytes() const { return pipe_capacity_bytes_; }
  // Closes our end and the guardian's. A child that reads then sees the end of its input, unless one of its own
  // descendants holds a write end open.
  void close_pipe();

  // Waits until the pipe is ready for `events` (0: ignores the pipe), the child exits, its guardian dies, the interrupt
  // is raised, or the deadline passes. Reports the exit of the child once.
  Wake wait(const Interrupt& interrupt, short events, Deadline deadline);
  // Waits for the child to exit; wait() still reports the exit afterwards. Returns false if interrupted.
  [[nodiscard]] bool await_exit(const Interrupt& interrupt) const;
  // Waits for the child to exit, and reaps it. Returns nullopt if interrupted, late or unguarded: the child still runs.
  std::optional<ChildEnd> wait_end(const Interrupt& interrupt, Deadline deadline);

  // Sends SIGTERM to the child's process group, unless the child was reaped.
  void terminate() const { signal_group(15); }
  // Sends SIGTERM, then SIGKILL after at most five seconds, and reaps. Returns how the child ended.
  ChildEnd stop();
  // Sends SIGKILL to the process group and reaps.
  ChildEnd kill();

  [[nodiscard]] const Deadline& timeout() const { return timeout_; }
  [[nodiscard]] const std::string& command() const { return command_; }  // argv, joined by spaces
  // The tail of its stderr, at most 4 KiB; complete once the child was reaped.
  [[nodiscard]] std::string stderr_tail() const { return stderr_tap_ ? stderr_tap_->tail() : ""; }
  // "; its last error output: ..." to end a message with, or "" if the child wrote nothing.
  [[nodiscard]] std::string stderr_quote() const;

 private:
  ChildProcess(pid_t pid, const ChildOptions& options, ChildPipe direction, Fd pipe);
  void signal_group(int number) const;
  [[nodiscard]] bool has_ended() const;
  ChildEnd reap();

  const pid_t pid_;
  const std::string command_;
  const Deadline timeout_;
  Guardian* const guardian_;
  bool needs_guard_;  // the child must not see the end of its input by accident
  const bool leads_group_;
  Fd pipe_;
  std::size_t pipe_capacity_bytes_ = 0;
  Fd exit_event_;  // a pidfd; empty if the kernel refuses one: the exit is then polled for
  bool end_seen_ = false;
  std::unique_ptr<StderrTap> stderr_tap_;  // null if the child inherits our stderr
  mutable std::mutex mutex_;               // prevents a signal to a pid that was reaped and may be reused
  std::optional<ChildEnd> end_;            // once reaped; guarded by mutex_
};

}  // namespace drs
