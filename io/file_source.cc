#include "io/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <vector>

#include "io/base/error_class.h"
#include "io/direct_file.h"
#include "io/file_stamp.h"

namespace drs {
namespace {

constexpr std::size_t kReadAheadMax = 4;         // buffers
constexpr std::size_t kPieceBytes = 512 * kKiB;  // a buffer is read in pieces, so that several reads are in flight
constexpr std::size_t kDepth = kFileSourceRingDepth;

Error source_error(int number, std::string_view what) {
  return as_code_unless_shortage(ErrorCode::kSource, error_from_errno(number, what));
}

class FileSource final : public Source {
 public:
  FileSource(std::string name, Fd file, const FileStamp& stamp, std::unique_ptr<Ring> ring)
      : name_(std::move(name)), file_(std::move(file)), stamp_(stamp), ring_(std::move(ring)) {}

  void start(MutableByteView buffer) override {
    DRS_ASSERT(started_count_ < kReadAheadMax, "more buffers were started than read_ahead_max() allows");
    // A buffer that is not aligned for O_DIRECT is read through the page cache.
    if (!is_direct_aligned(buffer.data()) || !is_direct_aligned(buffer.size())) file_.drop_direct();
    Slot& slot = slots_[(oldest_ + started_count_) % kReadAheadMax];
    ++started_count_;
    const std::uint64_t left_bytes = stamp_.size_bytes - next_offset_bytes_;
    slot.size_bytes = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_bytes));
    slot.pieces_open = 0;
    slot.pieces.clear();
    slot.pieces.resize((slot.size_bytes + kPieceBytes - 1) / kPieceBytes);
    for (std::size_t i = 0; i < slot.pieces.size(); ++i) {
      Piece& piece = slot.pieces[i];
      piece.source = this;
      piece.slot = &slot;
      // Up to the end of the buffer, not of the file: O_DIRECT requires whole blocks and stops at the end of the file.
      piece.operation.bytes = buffer.subspan(i * kPieceBytes, std::min(kPieceBytes, buffer.size() - i * kPieceBytes));
      piece.operation.offset_bytes = next_offset_bytes_ + i * kPieceBytes;
      piece.end_offset_bytes =
          std::min(piece.operation.offset_bytes + kPieceBytes, next_offset_bytes_ + slot.size_bytes);
      piece.operation.kind = IoKind::kRead;
      piece.operation.fd = file_.fd();
      piece.operation.owner = &piece;
      piece.operation.done = [](IoOperation& operation) {
        Piece& done = *static_cast<Piece*>(operation.owner);
        done.source->piece_done(done);
      };
      submit(piece);
    }
    next_offset_bytes_ += slot.size_bytes;
    // Starts the reads while the caller works on earlier buffers. finish() returns the error of a failing ring.
    if (const auto ran = ring_->run(Wait::kNo); !ran.ok()) fail(ran.error());
  }

  Result<std::size_t> finish() override {
    DRS_ASSERT(started_count_ > 0, "finish() without start()");
    Slot& slot = slots_[oldest_];
    while (slot.pieces_open > 0 && !error_.has_value() && !cancelled_) {
      const auto ran = ring_->run(Wait::kForOne);
      if (!ran.ok()) fail(ran.error());
    }
    if (cancelled_) fail(Error(ErrorCode::kCancelled, "reading " + name_ + " was cancelled"));
    if (error_.has_value()) {
      settle();
      return *error_;
    }
    oldest_ = (oldest_ + 1) % kReadAheadMax;
    --started_count_;
    return slot.size_bytes;
  }

  [[nodiscard]] std::size_t read_ahead_max() const override { return kReadAheadMax; }

  Result<ProducerProof> conclude() override {
    if (error_.has_value()) return *error_;
    DRS_ASSERT(next_offset_bytes_ == stamp_.size_bytes, "conclude() before the end");
    DRS_RETURN_IF_ERROR(check_unchanged(file_.fd(), stamp_, name_));
    ProducerProof proof;
    proof.kind = ProducerProof::Kind::kFileEnd;
    return proof;
  }

  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return stamp_.size_bytes; }
  void cancel() override { cancelled_ = true; }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string io_description() const override {
    return describe_io(*ring_, {.direct = file_.is_direct(), .depth = kDepth});
  }

 private:
  struct Slot;
  struct Piece {
    IoOperation operation;
    FileSource* source = nullptr;
    Slot* slot = nullptr;
    std::uint64_t end_offset_bytes = 0;  // the end of the piece, or of the file within it
    bool direct = false;                 // whether it was submitted with O_DIRECT
  };
  struct Slot {
    std::size_t size_bytes = 0;  // the buffer's size, or less at the end of the file
    std::size_t pieces_open = 0;
    std::vector<Piece> pieces;
  };

  void piece_done(Piece& piece) {
    --piece.slot->pieces_open;
    IoOperation& operation = piece.operation;
    if (operation.result < 0) {
      // The file system accepts O_DIRECT but refuses direct reads: read the piece again without it.
      if (operation.result == -EINVAL && piece.direct) return read_again_without_direct(piece);
      return fail(source_error(static_cast<int>(-operation.result),
                               "read " + name_ + " at byte " + std::to_string(operation.offset_bytes)));
    }
    const auto read_bytes = static_cast<std::size_t>(operation.result);
    operation.offset_bytes += read_bytes;
    operation.bytes = operation.bytes.subspan(read_bytes);
    if (operation.offset_bytes >= piece.end_offset_bytes) return;
    if (read_bytes == 0) {
      return fail(Error(ErrorCode::kSource, name_ + " ended at byte " + std::to_string(operation.offset_bytes) +
                                                " while it was read; when opened it had " +
                                                std::to_string(stamp_.size_bytes) + " bytes"));
    }
    // A short read in the middle of the file: read the rest, from an offset that may not be aligned for O_DIRECT.
    if (!is_direct_aligned(read_bytes)) return read_again_without_direct(piece);
    submit(piece);
  }

  void read_again_without_direct(Piece& piece) {
    file_.drop_direct();
    submit(piece);
  }

  void submit(Piece& piece) {
    ++piece.slot->pieces_open;
    piece.direct = file_.is_direct();
    ring_->submit(piece.operation);
  }

  void fail(Error error) {
    if (!error_.has_value()) error_ = std::move(error);
  }

  // Waits for all operations, so that no buffer of the caller is written to afterwards.
  void settle() {
    while (ring_->in_flight() > 0) {
      if (!ring_->run(Wait::kForOne).ok()) return;
    }
  }

  const std::string name_;
  DirectFile file_;
  const FileStamp stamp_;
  std::array<Slot, kReadAheadMax> slots_;
  std::size_t oldest_ = 0;
  std::size_t started_count_ = 0;
  std::uint64_t next_offset_bytes_ = 0;
  std::optional<Error> error_;  // the first one; ends reading
  std::atomic<bool> cancelled_ = false;
  const std::unique_ptr<Ring> ring_;  // last: its destructor waits for operations that use the members above
};

}  // namespace

Result<std::unique_ptr<Source>> make_file_source(const std::string& path, IoChoice choice,
                                                 MutableByteView register_memory) {
  DRS_ASSIGN_OR_RETURN(auto ring, make_ring(choice, kFileSourceRingDepth));
  return make_file_source(path, std::move(ring), register_memory);
}

Result<std::unique_ptr<Source>> make_file_source(const std::string& path, std::unique_ptr<Ring> ring,
                                                 MutableByteView register_memory) {
  std::string name = "file " + path;
  // O_NONBLOCK, so that opening a FIFO does not block. Cleared below: with it, io_uring fails reads of regular files
  // with EAGAIN instead of waiting for the disk.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file) return source_error(errno, "open " + name);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return source_error(errno, "stat " + name);
  if (S_ISDIR(status.st_mode)) return Error(ErrorCode::kUsage, name + " is a directory", EISDIR);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
    return Error(ErrorCode::kUsage, name + " is neither a regular file nor a block device: redirect it to stdin");
  }
  if (::fcntl(file.get(), F_SETFL, 0) != 0) return source_error(errno, "open " + name);
  DRS_ASSIGN_OR_RETURN(const FileStamp stamp, stamp_of(file.get(), name));
  // Registering faults in and zeroes all of the memory, which a smaller file would not use.
  if (!register_memory.empty() && stamp.size_bytes >= register_memory.size()) ring->register_memory(register_memory);
  return std::unique_ptr<Source>(
      std::make_unique<FileSource>(std::move(name), std::move(file), stamp, std::move(ring)));
}

}  // namespace drs
