#include "io/pipe_source.h"

#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "io/base/error_class.h"
#include "io/file_stamp.h"
#include "io/interrupt.h"
#include "io/pipe.h"

namespace drs {
namespace {

class PipeSource final : public Source {
 public:
  PipeSource(int fd, std::string name, Interrupt interrupt)
      : fd_(fd), name_(std::move(name)), interrupt_(std::move(interrupt)) {}

  Result<void> inspect() {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return error_from_errno(errno, name_);
    if (S_ISDIR(status.st_mode)) return Error(ErrorCode::kUsage, name_ + " is a directory", EISDIR);
    capacity_bytes_ = enlarge_pipe(fd_);
    if (!S_ISREG(status.st_mode)) return {};
    DRS_ASSIGN_OR_RETURN(stamp_, stamp_of(fd_, name_));
    const off_t position = ::lseek(fd_, 0, SEEK_CUR);
    const std::uint64_t skipped_bytes = position < 0 ? 0 : static_cast<std::uint64_t>(position);
    size_hint_bytes_ = stamp_->size_bytes > skipped_bytes ? stamp_->size_bytes - skipped_bytes : 0;
    return {};
  }

  void start(MutableByteView buffer) override {
    DRS_ASSERT(buffer_.empty(), "a pipe fills one buffer at a time");
    buffer_ = buffer;
  }

  Result<std::size_t> finish() override {
    const MutableByteView buffer = std::exchange(buffer_, {});
    std::size_t filled_bytes = 0;
    // A read from a pipe often returns a few KiB. Fill the buffer before handing it on.
    while (filled_bytes < buffer.size() && !ended_) {
      const Wake wake = wait_for(interrupt_, {.fd = fd_, .events = POLLIN});
      if (wake.interrupted) return Error(ErrorCode::kCancelled, "reading " + name_ + " was cancelled");
      const ssize_t got = ::read(fd_, buffer.data() + filled_bytes, buffer.size() - filled_bytes);
      if (got > 0) {
        filled_bytes += static_cast<std::size_t>(got);
      } else if (got == 0) {
        ended_ = true;
      } else if (errno != EINTR && errno != EAGAIN) {
        return as_code_unless_shortage(ErrorCode::kSource, error_from_errno(errno, "read " + name_));
      }
    }
    read_bytes_ += filled_bytes;
    return filled_bytes;
  }

  [[nodiscard]] std::size_t read_ahead_max() const override { return 1; }

  Result<ProducerProof> conclude() override {
    if (!stamp_.has_value()) return ProducerProof{};
    DRS_RETURN_IF_ERROR(check_unchanged(fd_, *stamp_, name_));
    if (read_bytes_ != *size_hint_bytes_) {
      return Error(ErrorCode::kSource, name_ + " ended after " + std::to_string(read_bytes_) + " bytes; expected " +
                                           std::to_string(*size_hint_bytes_));
    }
    ProducerProof proof;
    proof.kind = ProducerProof::Kind::kFileEnd;
    return proof;
  }

  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return size_hint_bytes_; }
  void cancel() override { interrupt_.raise(); }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string io_description() const override {
    if (capacity_bytes_ == 0) return "read";
    return "read, pipe of " + std::to_string(capacity_bytes_ / kKiB) + " KiB";
  }

 private:
  const int fd_;
  const std::string name_;
  const Interrupt interrupt_;
  MutableByteView buffer_;
  std::size_t capacity_bytes_ = 0;
  bool ended_ = false;
  std::uint64_t read_bytes_ = 0;
  std::optional<FileStamp> stamp_;                // of a regular file
  std::optional<std::uint64_t> size_hint_bytes_;  // of a regular file, from the initial offset
};

}  // namespace

Result<std::unique_ptr<Source>> make_pipe_source(int fd, std::string name) {
  DRS_ASSIGN_OR_RETURN(Interrupt interrupt, Interrupt::create());
  auto source = std::make_unique<PipeSource>(fd, std::move(name), std::move(interrupt));
  DRS_RETURN_IF_ERROR(source->inspect());
  return std::unique_ptr<Source>(std::move(source));
}

}  // namespace drs
