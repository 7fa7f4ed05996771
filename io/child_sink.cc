#include "io/child_sink.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drs {
namespace {

// The polling interval for an empty pipe: the kernel has no notification for that.
constexpr std::chrono::milliseconds kLookAgainMin{1};
constexpr std::chrono::milliseconds kLookAgainMax{50};

class ChildSink final : public ConsumerSink {
 public:
  ChildSink(std::unique_ptr<ChildProcess> child, const ConsumerOptions& options, Interrupt interrupt)
      : child_(std::move(child)),
        timeout_(options.child.timeout),
        may_stop_(options.may_stop),
        end_grace_(options.end_grace),
        interrupt_(std::move(interrupt)) {}
  ~ChildSink() override { abandon(); }
  ChildSink(const ChildSink&) = delete;
  ChildSink& operator=(const ChildSink&) = delete;

  Result<void> write(ByteView bytes) override {
    while (!bytes.empty()) {
      if (error_.has_value()) return *error_;
      const Wake wake = child_->wait(interrupt_, POLLOUT, stall_deadline());
      if (wake.interrupted) return fail_cancelled();
      if (wake.unguarded) return fail_unguarded();
      if (wake.exited) note_exit();
      if (!wake.ready && !wake.exited) {
        if (is_late()) return fail_late();
        if (reads_on()) continue;
        return fail_held_open();
      }
      const ssize_t wrote = ::write(child_->pipe(), bytes.data(), bytes.size());
      if (wrote >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
        if (exited_) note_moved();
      } else if (errno == EPIPE) {
        return fail_closed();
      } else if (errno != EINTR && errno != EAGAIN) {
        return fail(ErrorCode::kIo, "write to '" + child_->command() + "': " + std::strerror(errno));
      }
    }
    return {};
  }

  Result<void> commit() override {
    if (error_.has_value()) return *error_;
    DRS_RETURN_IF_ERROR(wait_until_read());
    if (ended_) return {};
    child_->close_pipe();
    const auto end = child_->wait_end(interrupt_, child_->timeout());
    if (!end.has_value()) return interrupt_.is_raised() ? fail_cancelled() : fail_late();
    ended_ = true;
    if (end->success()) return {};
    return fail(ErrorCode::kSinkClosed,
                "'" + child_->command() + "' read the whole stream and then " + end->text() + child_->stderr_quote());
  }

  [[nodiscard]] bool stopped_well() const override { return stopped_well_; }

  void abandon() override {
    if (ended_) return;
    ended_ = true;
    child_->kill();  // before the pipe is closed: at the end of its input the command might commit half a restore
    child_->close_pipe();
  }

  void cancel() override { interrupt_.raise(); }
  [[nodiscard]] std::string name() const override { return "exec " + child_->command(); }
  [[nodiscard]] std::string io_description() const override {
    return "write, pipe of " + std::to_string(child_->pipe_capacity_bytes() / kKiB) + " KiB";
  }

 private:
  // Waits until the pipe is empty, with our end still open: only that proves that every byte was read.
  Result<void> wait_until_read() {
    for (auto pause = kLookAgainMin;; pause = std::min(2 * pause, kLookAgainMax)) {
      const int unread = unread_bytes();
      if (unread < 0) {
        return fail(ErrorCode::kIo, "query the pipe to '" + child_->command() + "': " + std::strerror(errno));
      }
      if (unread == 0) return {};
      if (is_late()) return fail_late();
      const bool has_one = has_reader();
      if (!has_one || (exited_ && !reads_on())) {
        const Error error = has_one ? fail_held_open() : fail_closed();
        if (stopped_well_) return {};
        return error;
      }
      const Wake wake = child_->wait(interrupt_, 0, std::chrono::steady_clock::now() + pause);
      if (wake.interrupted) return fail_cancelled();
      if (wake.unguarded) return fail_unguarded();
      if (wake.exited) note_exit();
    }
  }

  // The bytes in the pipe; -1 with errno on failure.
  [[nodiscard]] int unread_bytes() const {
    int bytes = 0;
    return ::ioctl(child_->pipe(), FIONREAD, &bytes) == 0 ? bytes : -1;
  }

  [[nodiscard]] bool is_late() const {
    const Deadline& timeout = child_->timeout();
    return timeout.has_value() && *timeout <= std::chrono::steady_clock::now();
  }

  // After the command has exited, a descendant may still read the pipe, but must not hold it open without reading.
  void note_exit() {
    exited_ = true;
    note_moved();
  }
  void note_moved() {
    moved_unread_bytes_ = unread_bytes();
    moved_at_ = std::chrono::steady_clock::now();
  }
  [[nodiscard]] Deadline stall_deadline() const {
    const Deadline& timeout = child_->timeout();
    if (!exited_) return timeout;
    const auto grace_end = moved_at_ + end_grace_;
    return timeout.has_value() ? std::min(*timeout, grace_end) : grace_end;
  }
  bool reads_on() {
    if (unread_bytes() != moved_unread_bytes_) note_moved();
    return std::chrono::steady_clock::now() < moved_at_ + end_grace_;
  }

  [[nodiscard]] bool has_reader() const {
    pollfd entry{.fd = child_->pipe(), .events = 0, .revents = 0};
    return ::poll(&entry, 1, 0) == 0 || (entry.revents & POLLERR) == 0;
  }

  Error fail(ErrorCode code, std::string text) {
    error_ = Error(code, std::move(text));
    return *error_;
  }
  Error fail_cancelled() { return fail(ErrorCode::kCancelled, "writing to '" + child_->command() + "' was cancelled"); }
  Error fail_late() {
    abandon();
    return fail(ErrorCode::kSinkClosed, "'" + child_->command() + "' did not finish within " +
                                            std::to_string(timeout_->count()) + " s" + child_->stderr_quote());
  }
  Error fail_unguarded() {
    abandon();
    return fail(ErrorCode::kSinkClosed,
                "the process that guards '" + child_->command() +
                    "' was killed; the command was killed too, before it could mistake that for the end of its input");
  }
  Error fail_closed() {
    Deadline late = std::chrono::steady_clock::now() + end_grace_;
    if (may_stop_) late = child_->timeout();
    const auto end = child_->wait_end(interrupt_, late);
    if (!end.has_value() && interrupt_.is_raised()) return fail_cancelled();
    const std::string outcome = end.has_value() ? end->text() : "did not exit";
    abandon();
    stopped_well_ = may_stop_ && end.has_value() && end->success();
    std::string text = "'" + child_->command() + "' stopped reading before the end and " + outcome;
    if (end.has_value() && end->success()) text += " (--consumer-may-stop accepts that)";
    return fail(ErrorCode::kSinkClosed, text + child_->stderr_quote());
  }

  Error fail_held_open() {
    // Kills the descendants too, before they mistake the closed pipe for the end of the data.
    const ChildEnd end = child_->kill();
    ended_ = true;
    child_->close_pipe();
    stopped_well_ = may_stop_ && end.success();
    return fail(ErrorCode::kSinkClosed, "'" + child_->command() + "' stopped reading before the end and " + end.text() +
                                            "; a process that it started kept its input open without reading it" +
                                            child_->stderr_quote());
  }

  const std::unique_ptr<ChildProcess> child_;
  const std::optional<std::chrono::seconds> timeout_;
  const bool may_stop_;
  const std::chrono::milliseconds end_grace_;
  const Interrupt interrupt_;
  bool ended_ = false;
  bool stopped_well_ = false;
  bool exited_ = false;                               // the command
  std::chrono::steady_clock::time_point moved_at_{};  // after the exit: when bytes last entered or left the pipe
  int moved_unread_bytes_ = 0;                        // the bytes in the pipe at moved_at_
  std::optional<Error> error_;
};

}  // namespace

Result<std::unique_ptr<ConsumerSink>> make_child_sink(const ConsumerOptions& options) {
  DRS_ASSIGN_OR_RETURN(Interrupt interrupt, Interrupt::create());
  DRS_ASSIGN_OR_RETURN(auto child, ChildProcess::spawn(options.child, ChildPipe::kToChild));
  return std::unique_ptr<ConsumerSink>(std::make_unique<ChildSink>(std::move(child), options, std::move(interrupt)));
}

}  // namespace drs
