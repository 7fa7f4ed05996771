#include "io/pipe.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

namespace drs {
namespace {

constexpr std::chrono::milliseconds kReaderPollInterval{50};
constexpr int kFirstFree = 3;  // if stdin was closed at start-up, the kernel would otherwise give a pipe number 0

int read_pipe_bytes_max() {
  int bytes_max = 1 << 20;
  std::ifstream("/proc/sys/fs/pipe-max-size") >> bytes_max;
  return bytes_max;
}

}  // namespace

Result<Pipe> make_pipe() {
  std::array<int, 2> raw = {-1, -1};
  if (::pipe2(raw.data(), O_CLOEXEC) != 0) return error_from_errno(errno, "pipe");
  Pipe pipe{.read_end = Fd(raw[0]), .write_end = Fd(raw[1])};
  for (Fd* const end : {&pipe.read_end, &pipe.write_end}) {
    DRS_ASSIGN_OR_RETURN(*end, above_standard(std::move(*end)));
  }
  return pipe;
}

Result<Fd> above_standard(Fd fd) {
  if (fd.get() >= kFirstFree) return fd;
  Fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved) return error_from_errno(errno, "dup");
  return moved;
}

Result<Fd> open_fifo_to_write(const std::string& path, const CancelToken& cancel) {
  for (;;) {
    if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "waiting for a reader of '" + path + "' was cancelled");
    Fd fifo(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    if (fifo) return above_standard(std::move(fifo));
    // ENXIO: the FIFO has no reader yet.
    if (errno != ENXIO && errno != EINTR) return error_from_errno(errno, "open '" + path + "'");
    std::this_thread::sleep_for(kReaderPollInterval);
  }
}

Result<void> set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return error_from_errno(errno, "fcntl");
  return {};
}

std::size_t enlarge_pipe(int fd) {
  const int current_bytes = ::fcntl(fd, F_GETPIPE_SZ);
  if (current_bytes < 0) return 0;
  for (int wanted_bytes = read_pipe_bytes_max(); wanted_bytes > current_bytes; wanted_bytes /= 2) {
    if (::fcntl(fd, F_SETPIPE_SZ, wanted_bytes) >= 0) break;
  }
  return static_cast<std::size_t>(std::max(::fcntl(fd, F_GETPIPE_SZ), 0));
}

}  // namespace drs
