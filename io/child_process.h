// ChildProcess: a command that we start, feed or read through one pipe, and always reap. No shell is involved.
//
// The child leads a session of its own, so that it and what it started can be signalled together. What it inherits:
// io/child_spawn.h. Its stderr goes to ours, line by line, and the last of it is kept for messages. Threads: one at a
// time, except `terminate` and `await_exit`, from any.
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
  std::optional<std::chrono::seconds> timeout;  // from start to exit; none: as long as it takes
  int stderr_to = 2;                            // where its stderr is passed on to; borrowed
  StderrTap::Filter stderr_filter = nullptr;    // what becomes of each line on that way
  Guardian* guardian = nullptr;                 // ends the child when we die; for one at a time; must outlive it
  // For a command that asks a person: it stays in our session, so that it reaches the terminal, and has our stderr.
  // Signals then reach it alone, not what it started; the death of the thread that started it kills it.
  bool asks_on_terminal = false;
};

// How a child ended.
struct ChildEnd {
  int exit_status = 0;  // where signal is 0
  int signal = 0;
  bool unknown = false;  // something else in this process took its status
  [[nodiscard]] bool success() const { return signal == 0 && exit_status == 0 && !unknown; }
  [[nodiscard]] std::string text() const;  // "exited with status 3", "was killed by signal 9 (Killed)"
};

enum class ChildPipe : std::uint8_t {
  kFromChild,  // its stdout; its stdin is /dev/null
  kToChild,    // its stdin; its stdout is ours
};

class ChildProcess {
 public:
  // Errors: kUsage when there is no such command or it cannot be run ("cannot run 'pg_dumpp': No such file or
  // directory"); kIo when the machine is out of processes or descriptors.
  static Result<std::unique_ptr<ChildProcess>> spawn(const ChildOptions& options, ChildPipe direction);
  // Kills and reaps what still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Our end of the pipe: non-blocking, as large as allowed.
  [[nodiscard]] int pipe() const { return pipe_.get(); }
  [[nodiscard]] std::size_t pipe_capacity_bytes() const { return pipe_capacity_bytes_; }
  // A child that reads sees the end of its input, unless one of its own holds the pipe open; the guardian lets go.
  void close_pipe();

  // Waits until the pipe is ready for `events` (0: does not care), the child has ended, it has lost its guardian, the
  // interrupt or the deadline. A child known to have ended is not reported twice.
  Wake wait(const Interrupt& interrupt, short events, Deadline deadline);
  // Waits for the child to end without taking notice of it for wait(). False when interrupted.
  [[nodiscard]] bool await_exit(const Interrupt& interrupt) const;
  // Waits for the child to end, and reaps it. Empty when interrupted, late or unguarded: it still runs.
  std::optional<ChildEnd> wait_end(const Interrupt& interrupt, Deadline deadline);

  // SIGTERM to the child's process group, unless it was reaped.
  void terminate() const { signal_group(15); }
  // SIGTERM, five seconds, SIGKILL; reaps. Returns how it ended.
  ChildEnd stop();
  // SIGKILL to the whole group; reaps.
  ChildEnd kill();

  [[nodiscard]] const Deadline& timeout() const { return timeout_; }
  [[nodiscard]] const std::string& command() const { return command_; }  // argv, joined by blanks
  // The last of its stderr, at most 4 KiB; complete once the child was reaped.
  [[nodiscard]] std::string stderr_tail() const { return stderr_tap_ ? stderr_tap_->tail() : ""; }
  // "; it said: ..." or nothing, to end a message with.
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
  bool needs_guard_;  // its end of input must not come by accident
  const bool leads_group_;
  Fd pipe_;
  std::size_t pipe_capacity_bytes_ = 0;
  Fd exit_event_;  // a pidfd, or none where the kernel refuses: then we look now and then
  bool end_seen_ = false;
  std::unique_ptr<StderrTap> stderr_tap_;  // none where the child has our stderr
  mutable std::mutex mutex_;               // a signal must not meet a number that was reaped and given away again
  std::optional<ChildEnd> end_;            // once reaped; guarded by mutex_
};

}  // namespace drs
