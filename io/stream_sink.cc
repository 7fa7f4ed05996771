#include "io/stream_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "io/interrupt.h"
#include "io/pipe.h"

namespace drs {
namespace {

class StreamSink final : public Sink {
 public:
  StreamSink(Fd owned, int fd, std::string name, Interrupt interrupt)
      : owned_(std::move(owned)), fd_(fd), name_(std::move(name)), interrupt_(std::move(interrupt)) {}

  Result<void> inspect() {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return error_from_errno(errno, name_);
    syncs_ = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
    capacity_bytes_ = enlarge_pipe(fd_);
    if (capacity_bytes_ == 0) return {};
    // A write that blocks in the kernel could not be cancelled, and other processes share the flags of `fd`. A reopened
    // pipe has separate flags. If reopening is refused, writes of kAlwaysFitsBytes after poll do not block.
    const std::string again = "/proc/self/fd/" + std::to_string(fd_);
    reopened_ = Fd(::open(again.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (reopened_) {
      fd_ = reopened_.get();
    } else {
      piece_bytes_max_ = kAlwaysFitsBytes;
    }
    return {};
  }

  Result<void> write(ByteView bytes) override {
    while (!bytes.empty()) {
      const Wake wake = wait_for(interrupt_, {.fd = fd_, .events = POLLOUT});
      if (wake.interrupted) return Error(ErrorCode::kCancelled, "writing " + name_ + " was cancelled");
      const ssize_t wrote = ::write(fd_, bytes.data(), std::min(bytes.size(), piece_bytes_max_));
      if (wrote >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
      } else if (errno == EPIPE) {
        return Error(ErrorCode::kSinkClosed, "the reader of " + name_ + " went away before the end", EPIPE);
      } else if (errno != EINTR && errno != EAGAIN) {
        return error_from_errno(errno, "write " + name_);
      }
    }
    return {};
  }

  Result<void> commit() override {
    if (syncs_ && ::fsync(fd_) != 0) return error_from_errno(errno, "sync " + name_);
    reopened_ = Fd();
    // A network file system may report a lost write only at close. The owner of a borrowed descriptor closes it.
    DRS_RETURN_IF_ERROR(owned_.close());
    return {};
  }

  void abandon() override {
    reopened_ = Fd();
    owned_ = Fd();
  }
  void cancel() override { interrupt_.raise(); }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string io_description() const override {
    if (capacity_bytes_ == 0) return "write";
    return "write, pipe of " + std::to_string(capacity_bytes_ / kKiB) + " KiB";
  }

 private:
  static constexpr std::size_t kAlwaysFitsBytes = 4096;  // PIPE_BUF: a pipe that polls writable has room for it

  Fd owned_;
  Fd reopened_;
  int fd_;
  const std::string name_;
  const Interrupt interrupt_;
  std::size_t capacity_bytes_ = 0;
  std::size_t piece_bytes_max_ = kMiB;
  bool syncs_ = false;
};

Result<std::unique_ptr<Sink>> make_sink(Fd owned, int fd, std::string name) {
  DRS_ASSIGN_OR_RETURN(Interrupt interrupt, Interrupt::create());
  auto sink = std::make_unique<StreamSink>(std::move(owned), fd, std::move(name), std::move(interrupt));
  DRS_RETURN_IF_ERROR(sink->inspect());
  return std::unique_ptr<Sink>(std::move(sink));
}

}  // namespace

Result<std::unique_ptr<Sink>> make_stream_sink(int fd, std::string name) {
  return make_sink(Fd(), fd, std::move(name));
}

Result<std::unique_ptr<Sink>> make_owned_stream_sink(Fd fd, std::string name) {
  const int raw = fd.get();
  return make_sink(std::move(fd), raw, std::move(name));
}

}  // namespace drs
