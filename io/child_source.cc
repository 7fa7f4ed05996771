#include "io/child_source.h"

#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "io/base/error_class.h"
#include "io/helper_thread.h"

namespace drs {
namespace {

class ChildSource final : public Source {
 public:
  ChildSource(std::unique_ptr<ChildProcess> child, const ChildOptions& options, std::chrono::seconds output_grace,
              Interrupt interrupt, Interrupt stop_watching)
      : child_(std::move(child)),
        timeout_(options.timeout),
        output_grace_(output_grace),
        interrupt_(std::move(interrupt)),
        stop_watching_(std::move(stop_watching)) {}
  ~ChildSource() override {
    end_watch();
    // SIGTERM first, so that the command can clean up. A concluded command was reaped: its descendants are left alone.
    if (!concluded_) child_->stop();
  }
  ChildSource(const ChildSource&) = delete;
  ChildSource& operator=(const ChildSource&) = delete;

  // Errors: kBusy.
  Result<void> start_watch() {
    const auto watch = [this] {
      if (child_->await_exit(stop_watching_)) mark_exit();
    };
    DRS_ASSIGN_OR_RETURN(watch_, start_helper_thread(watch, must_not_throw));
    return {};
  }

  void start(MutableByteView buffer) override {
    DRS_ASSERT(buffer_.empty(), "a pipe fills one buffer at a time");
    buffer_ = buffer;
  }

  Result<std::size_t> finish() override {
    const MutableByteView buffer = std::exchange(buffer_, {});
    std::size_t filled_bytes = 0;
    while (filled_bytes < buffer.size() && !ended_) {
      if (error_.has_value()) return *error_;
      DRS_ASSIGN_OR_RETURN(const std::size_t got_bytes, read_some(buffer.subspan(filled_bytes)));
      filled_bytes += got_bytes;
    }
    return filled_bytes;
  }

  [[nodiscard]] std::size_t read_ahead_max() const override { return 1; }

  Result<ProducerProof> conclude() override {
    if (error_.has_value()) return *error_;
    DRS_ASSERT(ended_, "conclude() before the end");
    end_watch();
    const auto end = child_->wait_end(interrupt_, child_->timeout());
    if (!end.has_value()) return interrupt_.is_raised() ? fail_cancelled() : fail_late();
    concluded_ = true;
    if (!end->success()) {
      return fail("'" + child_->command() + "' " + end->text() + ": its output is not a backup" +
                  child_->stderr_quote());
    }
    return ProducerProof{.kind = ProducerProof::Kind::kExitStatus,
                         .command = child_->command(),
                         .exit_status = 0,
                         .stderr_tail = child_->stderr_tail()};
  }

  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return std::nullopt; }
  void cancel() override {
    interrupt_.raise();
    child_->terminate();
  }
  [[nodiscard]] std::string name() const override { return "exec " + child_->command(); }
  [[nodiscard]] std::string io_description() const override {
    return "read, pipe of " + std::to_string(child_->pipe_capacity_bytes() / kKiB) + " KiB";
  }

 private:
  // Called when the command exits: its own output ends with the bytes now in the pipe. A separate thread waits for the
  // exit, since the reader may be busy for long while a surviving descendant writes more.
  void mark_exit() {
    const std::lock_guard lock(mutex_);
    if (own_bytes_.has_value()) return;
    int waiting_bytes = 0;
    // Cannot fail for a pipe. If it did, all further bytes would be refused.
    static_cast<void>(::ioctl(child_->pipe(), FIONREAD, &waiting_bytes));
    own_bytes_ = read_bytes_ + static_cast<std::uint64_t>(std::max(waiting_bytes, 0));
  }

  void end_watch() {
    stop_watching_.raise();
    if (watch_.joinable()) watch_.join();
  }

  // Returns 0 if no bytes were available yet, or at the end (ended_).
  Result<std::size_t> read_some(MutableByteView space) {
    Deadline deadline = child_->timeout();
    if (exited_) {
      const auto grace_end = std::chrono::steady_clock::now() + output_grace_;
      deadline = deadline.has_value() ? std::min(*deadline, grace_end) : grace_end;
    }
    const Wake wake = child_->wait(interrupt_, POLLIN, deadline);
    if (wake.interrupted) return fail_cancelled();
    if (wake.exited) mark_exit();
    exited_ = exited_ || wake.exited;
    // Checked here since the output of a command that never stops writing is always ready.
    const bool late = child_->timeout().has_value() && std::chrono::steady_clock::now() >= *child_->timeout();
    if (late) return fail_late();
    if (!wake.ready) return wake.exited ? Result<std::size_t>(0) : fail_held_open();

    ssize_t got = -1;
    int number = 0;
    bool is_own = true;
    {
      const std::lock_guard lock(mutex_);
      got = ::read(child_->pipe(), space.data(), space.size());
      number = errno;
      if (got > 0) read_bytes_ += static_cast<std::uint64_t>(got);
      is_own = !own_bytes_.has_value() || read_bytes_ <= *own_bytes_;
    }
    if (!is_own) return fail_written_late();
    if (got == 0) ended_ = true;
    if (got < 0 && number != EAGAIN && number != EINTR) {
      return fail("read from '" + child_->command() + "': " + std::strerror(number));
    }
    return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }

  Error fail(std::string text) {
    error_ = Error(ErrorCode::kSource, std::move(text));
    return *error_;
  }
  Error fail_cancelled() {
    error_ = Error(ErrorCode::kCancelled, "reading from '" + child_->command() + "' was cancelled");
    return *error_;
  }
  Error fail_late() {
    child_->stop();
    concluded_ = true;
    return fail("'" + child_->command() + "' did not finish within " + std::to_string(timeout_->count()) + " s" +
                child_->stderr_quote());
  }
  Error fail_held_open() {
    return fail_unproven("keeps its output open: it has neither written nor closed it for " +
                         std::to_string(output_grace_.count()) + " s");
  }
  Error fail_written_late() { return fail_unproven("wrote into the stream after that"); }
  Error fail_unproven(const std::string& what) {
    end_watch();
    const ChildEnd end = child_->kill();
    concluded_ = true;
    return fail("'" + child_->command() + "' " + end.text() + ", but a process that it started " + what +
                ". Whether that process finished cannot be known, so this stream is not a backup; make the command "
                "wait for the processes it starts, or redirect their output" +
                child_->stderr_quote());
  }

  const std::unique_ptr<ChildProcess> child_;
  const std::optional<std::chrono::seconds> timeout_;
  const std::chrono::seconds output_grace_;
  const Interrupt interrupt_;
  const Interrupt stop_watching_;
  MutableByteView buffer_;
  bool ended_ = false;      // end of output seen
  bool exited_ = false;     // the command has exited
  bool concluded_ = false;  // the command was reaped
  std::optional<Error> error_;
  std::mutex mutex_;
  std::uint64_t read_bytes_ = 0;            // guarded by mutex_
  std::optional<std::uint64_t> own_bytes_;  // written by the command itself; set when it exits; guarded by mutex_
  std::thread watch_;                       // waits for the exit
};

}  // namespace

Result<std::unique_ptr<Source>> make_child_source(const ChildOptions& options, std::chrono::seconds output_grace) {
  DRS_ASSIGN_OR_RETURN(Interrupt interrupt, Interrupt::create());
  DRS_ASSIGN_OR_RETURN(Interrupt stop_watching, Interrupt::create());
  auto child = ChildProcess::spawn(options, ChildPipe::kFromChild);
  if (!child.ok()) {
    if (child.error().code != ErrorCode::kIo) return std::move(child).error();
    return as_code_unless_shortage(ErrorCode::kSource, std::move(child).error());
  }
  auto source = std::make_unique<ChildSource>(*std::move(child), options, output_grace, std::move(interrupt),
                                              std::move(stop_watching));
  DRS_RETURN_IF_ERROR(source->start_watch());
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace drs
