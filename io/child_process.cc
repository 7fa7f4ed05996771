#include "io/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace drs {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kTerminateGrace{5};
constexpr std::chrono::milliseconds kLookAgain{50};  // without a pidfd

std::string join(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& argument : argv) {
    if (!text.empty()) text += ' ';
    text += argument;
  }
  return text;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
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

// posix_spawn's two argument objects.
class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // 0 or an errno.
  int prepare(const Pipe& payload, const Pipe& errors, ChildPipe direction) {
    sigset_t none;
    sigset_t broken_pipe;
    sigemptyset(&none);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    int status = ::posix_spawnattr_setflags(
        &attributes_, static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    if (status == 0) status = ::posix_spawnattr_setsigmask(&attributes_, &none);
    if (status == 0) status = ::posix_spawnattr_setsigdefault(&attributes_, &broken_pipe);
    // The ends lie above 2, so none of these overwrites another.
    if (status == 0 && direction == ChildPipe::kFromChild) {
      status = ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
      if (status == 0) {
        status = ::posix_spawn_file_actions_adddup2(&actions_, payload.write_end.get(), STDOUT_FILENO);
      }
    } else if (status == 0) {
      status = ::posix_spawn_file_actions_adddup2(&actions_, payload.read_end.get(), STDIN_FILENO);
    }
    if (status == 0) status = ::posix_spawn_file_actions_adddup2(&actions_, errors.write_end.get(), STDERR_FILENO);
    // What a library opened without O_CLOEXEC is none of the child's business.
    if (status == 0) status = ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    return status;
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

bool is_shortage(int number) {
  return number == EAGAIN || number == ENOMEM || number == EMFILE || number == ENFILE;
}

}  // namespace

std::string ChildEnd::text() const {
  if (signal == 0) return "exited with status " + std::to_string(exit_status);
  return "was killed by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
}

ChildProcess::ChildProcess(pid_t pid, std::string command, Fd pipe, Deadline timeout)
    : pid_(pid),
      command_(std::move(command)),
      timeout_(timeout),
      pipe_(std::move(pipe)),
      exit_event_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

Result<std::unique_ptr<ChildProcess>> ChildProcess::spawn(const ChildOptions& options, ChildPipe direction) {
  if (options.argv.empty() || options.argv.front().empty()) {
    return Error{ErrorCode::kUsage, "no command to run was given"};
  }
  DRS_ASSIGN_OR_RETURN(Pipe payload, make_pipe());
  DRS_ASSIGN_OR_RETURN(Pipe errors, make_pipe());
  // The child's end stays blocking: it is a description of its own.
  Fd& ours = direction == ChildPipe::kFromChild ? payload.read_end : payload.write_end;
  const std::size_t capacity_bytes = enlarge_pipe(ours.get());
  DRS_RETURN_IF_ERROR(set_nonblocking(ours.get()));
  DRS_ASSIGN_OR_RETURN(auto stderr_tap, StderrTap::start(std::move(errors.read_end), options.stderr_to));

  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment = environment_without(options.environment_remove);
  SpawnSettings settings;
  int status = settings.prepare(payload, errors, direction);
  pid_t pid = -1;
  if (status == 0) {
    // Reports a failed exec itself, and copies no page tables however large we are.
    status = ::posix_spawnp(&pid, argv.front().c_str(), settings.actions(), settings.attributes(),
                            pointers_to(argv).data(), pointers_to(environment).data());
  }
  if (status != 0) {
    return Error{is_shortage(status) ? ErrorCode::kIo : ErrorCode::kUsage,
                 "cannot run '" + argv.front() + "': " + std::strerror(status), status};
  }
  Deadline timeout;
  if (options.timeout.has_value()) timeout = steady_clock::now() + *options.timeout;
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid, join(options.argv), std::move(ours), timeout));
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
  return said.empty() ? "" : "; the last it said: \"" + said + "\"";
}

bool ChildProcess::has_ended() const {
  siginfo_t info{};
  // Looks without reaping: its number stays taken, so that its group can still be signalled.
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid_;
}

Wake ChildProcess::wait(const Interrupt& interrupt, short events, Deadline deadline) {
  for (;;) {
    WaitRequest request{.fd = events != 0 ? pipe_.get() : -1, .events = events, .exit_fd = -1, .deadline = deadline};
    const bool look_again = !end_seen_ && !exit_event_;
    if (!end_seen_) request.exit_fd = exit_event_.get();
    if (look_again) {
      const auto next = steady_clock::now() + kLookAgain;
      request.deadline = deadline.has_value() ? std::min(*deadline, next) : next;
    }
    Wake wake = wait_for(interrupt, request);
    if (look_again) wake.exited = has_ended();
    end_seen_ = end_seen_ || wake.exited;
    const bool late = deadline.has_value() && steady_clock::now() >= *deadline;
    if (wake.interrupted || wake.ready || wake.exited || late) return wake;
  }
}

std::optional<ChildEnd> ChildProcess::wait_end(const Interrupt& interrupt, Deadline deadline) {
  while (!end_seen_) {
    const Wake wake = wait(interrupt, 0, deadline);
    if (!wake.exited) return std::nullopt;
  }
  return reap();
}

void ChildProcess::signal_group(int number) const {
  const std::lock_guard lock(mutex_);
  if (!end_.has_value()) ::kill(-pid_, number);
}

ChildEnd ChildProcess::reap() {
  const std::lock_guard lock(mutex_);
  if (end_.has_value()) return *end_;
  int status = 0;
  pid_t reaped = -1;
  do reaped = ::waitpid(pid_, &status, 0);
  while (reaped < 0 && errno == EINTR);
  DRS_ASSERT(reaped == pid_, "somebody else reaped our child");
  end_seen_ = true;
  end_ = WIFSIGNALED(status) ? ChildEnd{.exit_status = 0, .signal = WTERMSIG(status)}
                             : ChildEnd{.exit_status = WEXITSTATUS(status), .signal = 0};
  stderr_tap_->finish();
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
