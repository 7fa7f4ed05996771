#include "io/guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "io/base/bytes.h"

namespace drs {
namespace {

enum class Word : std::uint8_t { kRegister, kRegistered, kLetGo, kLetGone };
struct Message {
  Word word = Word::kRegister;
  pid_t pid = -1;
};

constexpr int kAnswerTimeoutMs = 10'000;
constexpr int kKillAgainMs = 1'000;
constexpr int kWithoutPidfdMs = 50;
constexpr const char* kName = "drs-guardian";  // must not match `pkill drstream`

bool send_message(int socket, const Message& message) {
  return ::send(socket, &message, sizeof message, MSG_NOSIGNAL) == sizeof message;
}

// Returns false and leaves `message` unspecified if the peer has closed its end.
bool receive_message(int socket, Message& message) {
  ssize_t got = -1;
  do got = ::recv(socket, &message, sizeof message, 0);
  while (got < 0 && errno == EINTR);
  return got == sizeof message;
}

// The functions below run in the guardian, after a fork of a process that may have had threads: only async-signal-safe
// calls.

// The memory of all arguments that the kernel passed. It begins before argv[0] if the dynamic loader was started as a
// command with our program as its argument. Empty without /proc.
MutableByteView argument_memory() {
  constexpr int kArgStart = 48;  // fields of proc_pid_stat(5)
  constexpr int kArgEnd = 49;
  std::array<char, 2048> text{};
  const int file = ::open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  const ssize_t got = file >= 0 ? ::read(file, text.data(), text.size() - 1) : -1;
  ::close(file);
  if (got <= 0) return {};
  const char* at = std::strrchr(text.data(), ')');  // the end of field 2, a name that may hold anything
  std::uintptr_t start = 0;
  std::uintptr_t end = 0;
  for (int field = 3; at != nullptr && field <= kArgEnd; ++field) {
    at = std::strchr(at + 1, ' ');
    if (at == nullptr) return {};
    if (field == kArgStart) start = std::strtoull(at, nullptr, 10);
    if (field == kArgEnd) end = std::strtoull(at, nullptr, 10);
  }
  if (start == 0 || end <= start) return {};
  return {reinterpret_cast<Byte*>(start), end - start};  // NOLINT(performance-no-int-to-ptr): our own stack
}

// The environment may contain keys, and with our arguments the guardian would match `pkill -f drstream`.
void wipe_inherited_text() {
  for (char** entry = environ; *entry != nullptr; ++entry) ::explicit_bzero(*entry, std::strlen(*entry));
  const MutableByteView arguments = argument_memory();
  if (arguments.empty()) return;
  ::explicit_bzero(arguments.data(), arguments.size());
  std::strncpy(reinterpret_cast<char*>(arguments.data()), kName, arguments.size() - 1);
}

void kill_group(pid_t leader, int process) {
  constexpr unsigned kProcessGroup = 1U << 2;  // Linux 6.9: correct even if the leader's pid was reused
  const bool sent = process >= 0 && ::syscall(SYS_pidfd_send_signal, process, SIGKILL, nullptr, kProcessGroup) == 0;
  if (sent || (process >= 0 && errno == ESRCH)) return;
  ::kill(-leader, SIGKILL);
  ::kill(leader, SIGKILL);
}

// Kills the child's process group and waits until the child has exited, indefinitely if we are not permitted to kill it
// (another user's process).
void end_child(pid_t child, int process) {
  for (;;) {
    kill_group(child, process);
    if (process < 0) {
      ::poll(nullptr, 0, kWithoutPidfdMs);
      if (::kill(child, 0) != 0 && errno == ESRCH) return;
      continue;
    }
    pollfd ended{.fd = process, .events = POLLIN, .revents = 0};
    if (::poll(&ended, 1, kKillAgainMs) > 0) return;
  }
}

[[noreturn]] void guard(int socket, int held) {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::setsid();
  ::dup2(socket, 0);
  ::dup2(held, 1);
  ::closefrom(2);
  static_cast<void>(::chdir("/") == 0);
  wipe_inherited_text();
  ::prctl(PR_SET_NAME, kName, 0, 0, 0);

  pid_t child = -1;
  int process = -1;
  for (Message message; receive_message(0, message);) {
    if (message.word == Word::kLetGo) {
      ::closefrom(1);  // the write end of the pipe and the child's pidfd
      child = -1;
      send_message(0, {.word = Word::kLetGone, .pid = -1});
      continue;
    }
    child = message.pid;
    process = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    send_message(0, {.word = Word::kRegistered, .pid = child});
  }
  if (child > 0) end_child(child, process);
  ::_exit(0);
}

Result<std::array<Fd, 2>> make_sockets() {
  std::array<int, 2> raw = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, raw.data()) != 0)
    return error_from_errno(errno, "socketpair");
  DRS_ASSIGN_OR_RETURN(Fd first, above_standard(Fd(raw[0])));
  DRS_ASSIGN_OR_RETURN(Fd second, above_standard(Fd(raw[1])));
  return std::array<Fd, 2>{std::move(first), std::move(second)};
}

}  // namespace

Result<std::unique_ptr<Guardian>> Guardian::start() {
  DRS_ASSIGN_OR_RETURN(Pipe pipe, make_pipe());
  DRS_ASSIGN_OR_RETURN(auto sockets, make_sockets());
  const pid_t pid = ::fork();
  if (pid < 0) return error_from_errno(errno, "start the process that guards the command");
  if (pid == 0) guard(sockets[1].get(), pipe.write_end.get());
  return std::unique_ptr<Guardian>(new Guardian(pid, std::move(sockets[0]), std::move(pipe)));
}

void Guardian::let_go() {
  if (!send_message(socket_.get(), {.word = Word::kLetGo, .pid = -1})) return;
  // Skips the answer to a child that registered and died before reading it.
  for (Message message; receive_message(socket_.get(), message) && message.word != Word::kLetGone;) {
  }
}

Guardian::~Guardian() {
  let_go();
  socket_ = Fd();
  pid_t reaped = -1;
  do reaped = ::waitpid(pid_, nullptr, 0);
  while (reaped < 0 && errno == EINTR);
}

int Guardian::register_self(int socket) {
  if (!send_message(socket, {.word = Word::kRegister, .pid = ::getpid()})) return errno;
  pollfd answer{.fd = socket, .events = POLLIN, .revents = 0};
  if (::poll(&answer, 1, kAnswerTimeoutMs) != 1) return ETIMEDOUT;
  Message message;
  return receive_message(socket, message) && message.word == Word::kRegistered ? 0 : EPIPE;
}

}  // namespace drs
