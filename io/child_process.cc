#include "io/child_process.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "io/base/error_class.h"
#include "io/child_spawn.h"

namespace drs {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTerminateGrace{5};
constexpr std::chrono::milliseconds kLookAgain{50};  // the polling interval without a pidfd

std::string join(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& argument : argv) {
    if (!text.empty()) text += ' ';
    text += argument;
  }
  return text;
}

std::vector<std::string> environment_without(const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    if (std::find(names.begin(), names.end(), name) == names.end()) kept.emplace_back(variable);
  }
  return kept;
}

Deadline deadline_of(const std::optional<std::chrono::seconds>& timeout) {
  if (!timeout.has_value()) return std::nullopt;
  return steady_clock::now() + *timeout;
}

}  // namespace

std::string ChildEnd::text() const {
  if (unknown) return "ended, but its exit status cannot be known";
  if (signal == 0) return "exited with status " + std::to_string(exit_status);
  return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

ChildProcess::ChildProcess(pid_t pid, const ChildOptions& options, ChildPipe direction, Fd pipe)
    : pid_(pid),
      command_(join(options.argv)),
      timeout_(deadline_of(options.timeout)),
      guardian_(options.guardian),
      needs_guard_(options.guardian != nullptr && direction == ChildPipe::kToChild),
      leads_group_(!options.asks_on_terminal),
      pipe_(std::move(pipe)),
      exit_event_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

Result<std::unique_ptr<ChildProcess>> ChildProcess::spawn(const ChildOptions& options, ChildPipe direction) {
  if (options.argv.empty() || options.argv.front().empty()) {
    return Error(ErrorCode::kUsage, "no command was given");
  }
  const bool reads = direction == ChildPipe::kToChild;
  Pipe payload;
  if (options.guardian != nullptr) payload = options.guardian->take_pipe();
  if (options.guardian == nullptr || !reads) {
    DRS_ASSIGN_OR_RETURN(payload, make_pipe());
  }
  // The child's end stays blocking: it is a separate open file description.
  Fd& ours = reads ? payload.write_end : payload.read_end;
  const std::size_t capacity_bytes = enlarge_pipe(ours.get());
  DRS_RETURN_IF_ERROR(set_nonblocking(ours.get()));
  std::unique_ptr<StderrTap> stderr_tap;
  Fd errors;
  if (!options.asks_on_terminal) {
    DRS_ASSIGN_OR_RETURN(Pipe pipe, make_pipe());
    DRS_ASSIGN_OR_RETURN(stderr_tap,
                         StderrTap::start(std::move(pipe.read_end), options.stderr_to, options.stderr_filter));
    errors = std::move(pipe.write_end);
  }

  const std::vector<std::string> environment = environment_without(options.environment_remove);
  const Spawned spawned = spawn_command({.argv = options.argv,
                                         .environment = environment,
                                         .stdin_fd = reads ? payload.read_end.get() : -1,
                                         .stdout_fd = reads ? -1 : payload.write_end.get(),
                                         .stderr_fd = errors.get(),
                                         .own_session = !options.asks_on_terminal,
                                         .guardian_socket = options.guardian ? options.guardian->socket() : -1});
  if (const int number = spawned.error_number; number != 0) {
    if (options.guardian != nullptr) options.guardian->let_go();
    const bool guardian_is_gone = number == EPIPE || number == ETIMEDOUT;
    return Error(is_shortage_errno(number) || guardian_is_gone ? ErrorCode::kIo : ErrorCode::kUsage,
                 "cannot run '" + options.argv.front() +
                     "': " + (guardian_is_gone ? "the process that guards it has died" : std::strerror(number)),
                 number);
  }
  std::unique_ptr<ChildProcess> child(new ChildProcess(spawned.pid, options, direction, std::move(ours)));
  child->pipe_capacity_bytes_ = capacity_bytes;
  child->stderr_tap_ = std::move(stderr_tap);
  return child;
}

ChildProcess::~ChildProcess() {
  kill();
}

std::string ChildProcess::stderr_quote() const {
  std::string said = stderr_tail();
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
  return said.empty() ? "" : "; its last error output: \"" + said + "\"";
}

bool ChildProcess::has_ended() const {
  siginfo_t info{};
  // WNOWAIT does not reap: the pid stays allocated, so the process group can still be signalled.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
}

Wake ChildProcess::wait(const Interrupt& interrupt, short events, Deadline deadline) {
  for (;;) {
    WaitRequest request{.fd = events != 0 ? pipe_.get() : -1, .events = events, .exit_fd = -1, .deadline = deadline};
    const bool look_again = !end_seen_ && !exit_event_;
    if (!end_seen_) request.exit_fd = exit_event_.get();
    if (needs_guard_) request.guard_fd = guardian_->socket();
    if (look_again) {
      const auto next = steady_clock::now() + kLookAgain;
      request.deadline = deadline.has_value() ? std::min(*deadline, next) : next;
    }
    Wake wake = wait_for(interrupt, request);
    if (look_again) wake.exited = has_ended();
    end_seen_ = end_seen_ || wake.exited;
    const bool late = deadline.has_value() && steady_clock::now() >= *deadline;
    if (wake.interrupted || wake.ready || wake.exited || wake.unguarded || late) return wake;
  }
}

bool ChildProcess::await_exit(const Interrupt& interrupt) const {
  for (;;) {
    WaitRequest request{.exit_fd = exit_event_.get()};
    if (!exit_event_) request.deadline = steady_clock::now() + kLookAgain;
    const Wake wake = wait_for(interrupt, request);
    if (wake.interrupted) return false;
    if (wake.exited || (!exit_event_ && has_ended())) return true;
  }
}

void ChildProcess::close_pipe() {
  pipe_ = Fd();
  needs_guard_ = false;
  if (guardian_ != nullptr) guardian_->let_go();
}

std::optional<ChildEnd> ChildProcess::wait_end(const Interrupt& interrupt, Deadline deadline) {
  while (!end_seen_) {
    const Wake wake = wait(interrupt, 0, deadline);
    if (!wake.exited) return std::nullopt;
  }
  return reap();
}

void ChildProcess::signal_group(int number) const {
  // A reader of our stderr that has stopped reading must not delay the end of the child.
  if (stderr_tap_) stderr_tap_->hurry();
  const std::lock_guard lock(mutex_);
  if (!end_.has_value()) ::kill(leads_group_ ? -pid_ : pid_, number);
}

ChildEnd ChildProcess::reap() {
  const std::lock_guard lock(mutex_);
  if (end_.has_value()) return *end_;
  // The guardian releases the child while its pid is still allocated: it must not kill a process that reuses the pid.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  if (guardian_ != nullptr) guardian_->let_go();
  int status = 0;
  pid_t reaped = -1;
  do reaped = ::waitpid(pid_, &status, 0);
  while (reaped < 0 && errno == EINTR);
  end_seen_ = true;
  if (reaped != pid_) {
    end_ = ChildEnd{.unknown = true};
  } else {
    end_ = WIFSIGNALED(status) ? ChildEnd{.signal = WTERMSIG(status)} : ChildEnd{.exit_status = WEXITSTATUS(status)};
  }
  if (stderr_tap_) stderr_tap_->finish();
  return *end_;
}

ChildEnd ChildProcess::stop() {
  terminate();
  const auto late = steady_clock::now() + kTerminateGrace;
  while (!has_ended() && steady_clock::now() < late) {
    pollfd entry{.fd = exit_event_.get(), .events = POLLIN, .revents = 0};
    ::poll(&entry, 1, static_cast<int>(kLookAgain.count()));
  }
  return kill();
}

ChildEnd ChildProcess::kill() {
  signal_group(SIGKILL);
  return reap();
}

}  // namespace drs
