#include "io/child_sink.h"

#include <poll.h>

#include <cerrno>
#include <cstring>

namespace drs {
namespace {

// From the moment a command stops reading until it must have ended by itself.
constexpr std::chrono::seconds kEndGrace{5};

class ChildSink final : public Sink {
 public:
  ChildSink(std::unique_ptr<ChildProcess> child, const ChildOptions& options, Interrupt interrupt)
      : child_(std::move(child)), timeout_(options.timeout), interrupt_(std::move(interrupt)) {}
  ~ChildSink() override { abandon(); }
  ChildSink(const ChildSink&) = delete;
  ChildSink& operator=(const ChildSink&) = delete;

  Result<void> write(ByteView bytes) override {
    while (!bytes.empty()) {
      if (error_.has_value()) return *error_;
      const Wake wake = child_->wait(interrupt_, POLLOUT, child_->timeout());
      if (wake.interrupted) return fail_cancelled();
      if (!wake.ready && !wake.exited) return fail_late();
      const ssize_t wrote = ::write(child_->pipe(), bytes.data(), bytes.size());
      if (wrote >= 0) {
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
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
    child_->close_pipe();
    const auto end = child_->wait_end(interrupt_, child_->timeout());
    if (!end.has_value()) return interrupt_.is_raised() ? fail_cancelled() : fail_late();
    ended_ = true;
    if (end->success()) return {};
    return fail(ErrorCode::kSinkClosed,
                "'" + child_->command() + "' read the whole stream and then " + end->text() + child_->stderr_quote());
  }

  void abandon() override {
    if (ended_) return;
    ended_ = true;
    child_->kill();  // first: at the end of its input it might commit half a restore
    child_->close_pipe();
  }

  void cancel() override { interrupt_.raise(); }
  [[nodiscard]] std::string name() const override { return "exec " + child_->command(); }
  [[nodiscard]] std::string io_description() const override {
    return "write, pipe of " + std::to_string(child_->pipe_capacity_bytes() / kKiB) + " KiB";
  }

 private:
  Error fail(ErrorCode code, std::string text) {
    error_ = Error{code, std::move(text)};
    return *error_;
  }
  Error fail_cancelled() { return fail(ErrorCode::kCancelled, "writing to '" + child_->command() + "' was cancelled"); }
  Error fail_late() {
    abandon();
    return fail(ErrorCode::kSinkClosed, "'" + child_->command() + "' did not finish within " +
                                            std::to_string(timeout_->count()) + " s" + child_->stderr_quote());
  }
  Error fail_closed() {
    const auto end = child_->wait_end(interrupt_, std::chrono::steady_clock::now() + kEndGrace);
    const std::string outcome = end.has_value() ? end->text() : "runs on";
    abandon();
    return fail(ErrorCode::kSinkClosed,
                "'" + child_->command() + "' stopped reading before the end and " + outcome + child_->stderr_quote());
  }

  const std::unique_ptr<ChildProcess> child_;
  const std::optional<std::chrono::seconds> timeout_;
  const Interrupt interrupt_;
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<std::unique_ptr<Sink>> make_child_sink(const ChildOptions& options) {
  DRS_ASSIGN_OR_RETURN(Interrupt interrupt, Interrupt::create());
  DRS_ASSIGN_OR_RETURN(auto child, ChildProcess::spawn(options, ChildPipe::kToChild));
  return std::unique_ptr<Sink>(std::make_unique<ChildSink>(std::move(child), options, std::move(interrupt)));
}

}  // namespace drs
