#include "io/child_spawn.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "io/descriptor_limit.h"
#include "io/guardian.h"
#include "io/pipe.h"

namespace drs {
namespace {

constexpr int kReportFd = STDERR_FILENO + 1;

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

bool set_up_descriptors(const SpawnRequest& request) {
  int input = request.stdin_fd;
  if (input < 0) input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, STDIN_FILENO) < 0) return false;
  if (request.stdout_fd >= 0 && ::dup2(request.stdout_fd, STDOUT_FILENO) < 0) return false;
  return request.stderr_fd < 0 || ::dup2(request.stderr_fd, STDERR_FILENO) >= 0;
}

void set_up_signals() {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    const bool changed_by_main = number == SIGPIPE || number == SIGXFSZ || number == SIGCHLD;
    if (action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && !changed_by_main)) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(number, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A child in our session is not guarded: only the parent-death signal kills it when we are killed.
int end_with(pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
  return ::getppid() == parent ? 0 : ESRCH;  // the parent died before the prctl
}

// Sets up the child and execs; returns the errno of the step that failed. `report` is the only descriptor kept beside
// stdio: exec closes it, which tells the parent that the command has started.
int try_to_become(const SpawnRequest& request, char* const* argv, char* const* environment, pid_t parent, int& report) {
  int failure = 0;
  if (request.own_session)
    ::setsid();
  else
    failure = end_with(parent);
  if (failure == 0 && request.guardian_socket >= 0) failure = Guardian::register_self(request.guardian_socket);
  if (failure != 0) return failure;
  if (!set_up_descriptors(request)) return errno;
  // Closes also descriptors that libraries opened without O_CLOEXEC.
  if (report != kReportFd && ::dup3(report, kReportFd, O_CLOEXEC) < 0) return errno;
  report = kReportFd;
  ::closefrom(kReportFd + 1);
  restore_descriptor_limit();
  set_up_signals();
  ::execvpe(argv[0], argv, environment);
  return errno;
}

// Runs in the vfork child, which shares our memory: makes system calls only and changes none of our state.
[[noreturn]] void become_command(const SpawnRequest& request, char* const* argv, char* const* environment, pid_t parent,
                                 int report) {
  const int failure = try_to_become(request, argv, environment, parent, report);
  static_cast<void>(::write(report, &failure, sizeof failure) < 0);
  ::_exit(127);
}

// Returns the errno that the child reported before it gave up. 0: the command has started, or the child was killed,
// which its exit will show.
int reported_failure(int report) {
  int failure = 0;
  ssize_t got = -1;
  do got = ::read(report, &failure, sizeof failure);
  while (got < 0 && errno == EINTR);
  return got == sizeof failure ? failure : 0;
}

}  // namespace

Spawned spawn_command(const SpawnRequest& request) {
  const std::vector<char*> argv = pointers_to(request.argv);
  const std::vector<char*> environment = pointers_to(request.environment);
  auto report = make_pipe();
  if (!report.ok()) return {.error_number = report.error().error_number};
  const pid_t parent = ::getpid();
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  // Block signals: one of our handlers would otherwise run in the child, on our memory.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::vfork();
  if (pid == 0) become_command(request, argv.data(), environment.data(), parent, report->write_end.get());
  Spawned out{.pid = pid, .error_number = pid < 0 ? errno : 0};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  report->write_end = Fd();
  if (pid > 0) out.error_number = reported_failure(report->read_end.get());
  if (pid > 0 && out.error_number != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  return out;
}

}  // namespace drs
