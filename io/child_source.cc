#include "io/child_source.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drs {
namespace {

// From the command's exit to the end of its output, while nothing arrives.
constexpr std::chrono::seconds kEndGrace{3};

class ChildSource final : public Source {
 public:
  ChildSource(std::unique_ptr<ChildProcess> child, const ChildOptions& options, Interrupt interrupt)
      : child_(std::move(child)), timeout_(options.timeout), interrupt_(std::move(interrupt)) {}
  ~ChildSource() override {
    // Given the chance to clean up, unless it has ended; one that finished well is not killed over its descendants.
    if (!concluded_) child_->stop();
  }
  ChildSource(const ChildSource&) = delete;
  ChildSource& operator=(const ChildSource&) = delete;

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
  // 0 where there was nothing yet, or the end (ended_).
  Result<std::size_t> read_some(MutableByteView space) {
    Deadline deadline = child_->timeout();
    if (exited_) {
      const auto grace_end = std::chrono::steady_clock::now() + kEndGrace;
      deadline = deadline.has_value() ? std::min(*deadline, grace_end) : grace_end;
    }
    const Wake wake = child_->wait(interrupt_, POLLIN, deadline);
    if (wake.interrupted) return fail_cancelled();
    exited_ = exited_ || wake.exited;
    // A command that never stops writing is late, too.
    const bool late = child_->timeout().has_value() && std::chrono::steady_clock::now() >= *child_->timeout();
    if (late) return fail_late();
    if (!wake.ready) return wake.exited ? Result<std::size_t>(0) : fail_held_open();

    const ssize_t got = ::read(child_->pipe(), space.data(), space.size());
    if (got == 0) ended_ = true;
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
      return fail("read from '" + child_->command() + "': " + std::strerror(errno));
    }
    const auto got_bytes = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    // What the command itself left behind fits the pipe; more comes from somebody else.
    if (exited_) after_exit_bytes_ += got_bytes;
    if (after_exit_bytes_ > child_->pipe_capacity_bytes()) return fail_held_open();
    return got_bytes;
  }

  Error fail(std::string text) {
    error_ = Error{ErrorCode::kSource, std::move(text)};
    return *error_;
  }
  Error fail_cancelled() {
    error_ = Error{ErrorCode::kCancelled, "reading from '" + child_->command() + "' was cancelled"};
    return *error_;
  }
  Error fail_late() {
    child_->stop();
    concluded_ = true;
    return fail("'" + child_->command() + "' did not finish within " + std::to_string(timeout_->count()) + " s" +
                child_->stderr_quote());
  }
  Error fail_held_open() {
    const ChildEnd end = child_->kill();
    concluded_ = true;
    return fail("'" + child_->command() + "' " + end.text() +
                ", but a process that it started keeps its output open, and nobody can tell whether that finished" +
                child_->stderr_quote());
  }

  const std::unique_ptr<ChildProcess> child_;
  const std::optional<std::chrono::seconds> timeout_;
  const Interrupt interrupt_;
  MutableByteView buffer_;
  bool ended_ = false;      // its output
  bool exited_ = false;     // the command
  bool concluded_ = false;  // reaped
  std::size_t after_exit_bytes_ = 0;
  std::optional<Error> error_;
};

}  // namespace

Result<std::unique_ptr<Source>> make_child_source(const ChildOptions& options) {
  DRS_ASSIGN_OR_RETURN(Interrupt interrupt, Interrupt::create());
  auto child = ChildProcess::spawn(options, ChildPipe::kFromChild);
  if (!child.ok()) {
    Error error = std::move(child).error();
    if (error.code == ErrorCode::kIo) error.code = ErrorCode::kSource;
    return error;
  }
  return std::unique_ptr<Source>(std::make_unique<ChildSource>(*std::move(child), options, std::move(interrupt)));
}

}  // namespace drs
