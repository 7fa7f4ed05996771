#include "sinks/local/local_put.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/base/byte_pieces.h"
#include "io/failpoint.h"

namespace drs {
namespace {

// O_DIRECT requires aligned addresses, and aligned lengths except at the end.
bool fits_direct(const std::vector<ByteView>& pieces) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (reinterpret_cast<std::uintptr_t>(pieces[i].data()) % kDirectAlignment != 0) return false;
    if (i + 1 < pieces.size() && pieces[i].size() % kDirectAlignment != 0) return false;
  }
  return true;
}

std::uint64_t rounded_up(std::uint64_t bytes) {
  return (bytes + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
}

}  // namespace

void LocalPut::start(Ring& ring, DirectIo direct) {
  DRS_ASSERT(state_ == State::kQueued, "a put starts once");
  ring_ = &ring;
  state_ = State::kStoring;
  size_bytes_ = total_bytes(operation_.body);
  const bool fits = size_bytes_ > 0 && fits_direct(operation_.body);
  if (Result<void> made = create(fits ? direct : DirectIo::kOff); !made.ok()) fail_once(std::move(made).error());
  submit_writes();
}

Result<void> LocalPut::create(DirectIo direct) {
  const bool asks_direct = direct == DirectIo::kWhereAligned;
  DRS_RETURN_IF_ERROR(open_temporary({.write = true, .create_exclusive = true, .direct = asks_direct}));
  direct_refused_ = asks_direct && !file_.direct;
  DRS_RETURN_IF_ERROR(failpoint("local.after_create"));
  in_units_ = file_.direct;
  const std::uint64_t written_bytes = in_units_ ? rounded_up(size_bytes_) : size_bytes_;
  DRS_RETURN_IF_ERROR(files_.reserve(file_.fd, written_bytes));
  // Writes within the size of a file run in parallel; writes that extend it run one after the other.
  if (in_units_) DRS_RETURN_IF_ERROR(files_.truncate(file_.fd, written_bytes));
  return {};
}

Result<void> LocalPut::open_temporary(OpenFlags flags) {
  Result<OpenedFile> opened = files_.open(temporary_path_, flags);
  if (!opened.ok() && opened.error().code == ErrorCode::kNotFound) {
    // The first put of this store.
    const std::string directory = temporary_path_.substr(0, temporary_path_.rfind('/'));
    const Result<void> made = files_.make_directory(directory);
    if (!made.ok() && made.error().code != ErrorCode::kAlreadyExists) return made;
    opened = files_.open(temporary_path_, flags);
  }
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    // The temporary name was taken, not the object's.
    if (error.code == ErrorCode::kAlreadyExists) error.code = ErrorCode::kIo;
    return error;
  }
  file_ = *opened;
  created_ = true;
  return {};
}

ByteView LocalPut::next_piece() {
  const std::vector<ByteView>& body = operation_.body;
  while (piece_index_ < body.size() && piece_offset_bytes_ == body[piece_index_].size()) {
    ++piece_index_;
    piece_offset_bytes_ = 0;
  }
  if (piece_index_ == body.size()) return {};
  ByteView bytes = body[piece_index_].subspan(piece_offset_bytes_);
  bytes = bytes.first(std::min(bytes.size(), kLocalPutWriteBytesMax));
  if (in_units_ && bytes.size() > kDirectAlignment)
    bytes = bytes.first(bytes.size() / kDirectAlignment * kDirectAlignment);
  piece_offset_bytes_ += bytes.size();
  return bytes;
}

void LocalPut::submit_writes() {
  for (Write& write : writes_) {
    if (error_ || submitted_bytes_ == size_bytes_) break;
    if (write.busy) continue;
    ByteView bytes = next_piece();
    const std::uint64_t offset_bytes = submitted_bytes_;
    submitted_bytes_ += bytes.size();
    if (in_units_ && bytes.size() % kDirectAlignment != 0) {
      tail_ = std::make_unique<Tail>();
      std::memcpy(tail_->bytes.data(), bytes.data(), bytes.size());
      bytes = tail_->bytes;
    }
    write.busy = true;
    write.put = this;
    write.io = {.kind = IoKind::kWrite,
                .fd = file_.fd,
                .offset_bytes = offset_bytes,
                // The ring does not modify the memory that it writes from.
                .bytes = {const_cast<Byte*>(bytes.data()), bytes.size()},
                .done =
                    [](IoOperation& io) {
                      Write& done = *static_cast<Write*>(io.owner);
                      done.put->on_write(done);
                    },
                .owner = &write};
    submit(write);
  }
  settle_if_drained();
}

void LocalPut::submit(Write& write) {
  write.direct = file_.direct;
  ++in_ring_;
  ring_->submit(write.io);
}

void LocalPut::drop_direct() {
  if (!file_.direct) return;
  files_.drop_direct(file_.fd);
  file_.direct = false;
  direct_refused_ = true;
}

void LocalPut::on_write(Write& write) {
  --in_ring_;
  IoOperation& io = write.io;
  if (io.result == -EINVAL && write.direct && !error_) {
    drop_direct();
    return submit(write);
  }
  if (io.result <= 0) {
    write.busy = false;
    fail_once(io.result < 0 ? error_from_errno(static_cast<int>(-io.result), "write " + temporary_path_)
                            : Error(ErrorCode::kIo, "write " + temporary_path_ + ": the file system wrote no byte"));
    return settle_if_drained();
  }
  const auto moved_bytes = static_cast<std::size_t>(io.result);
  DRS_ASSERT(moved_bytes <= io.bytes.size(), "a write moved more than it was given");
  if (moved_bytes < io.bytes.size() && !error_) {
    if (moved_bytes % kDirectAlignment != 0) drop_direct();
    io.offset_bytes += moved_bytes;
    io.bytes = io.bytes.subspan(moved_bytes);
    return submit(write);
  }
  write.busy = false;
  if (submitted_bytes_ < size_bytes_ || in_ring_ > 0) {
    if (Result<void> point = failpoint("local.mid_write"); !point.ok()) fail_once(std::move(point).error());
  }
  submit_writes();
}

// All bytes are written. Sets the exact length, then syncs data and length once, while no write is in flight.
Result<void> LocalPut::after_writing() {
  DRS_RETURN_IF_ERROR(failpoint("local.after_write"));
  if (in_units_ && size_bytes_ % kDirectAlignment != 0) {
    DRS_RETURN_IF_ERROR(files_.truncate(file_.fd, size_bytes_));
  }
  sync_ = {.kind = IoKind::kSyncData,
           .fd = file_.fd,
           .bytes = {},
           .done = [](IoOperation& io) { static_cast<LocalPut*>(io.owner)->on_sync(); },
           .owner = this};
  ++in_ring_;
  ring_->submit(sync_);
  return {};
}

void LocalPut::on_sync() {
  --in_ring_;
  if (sync_.result < 0) {
    // A failed sync is final: the kernel may have dropped the pages, and a second sync would report success.
    fail_once(error_from_errno(static_cast<int>(-sync_.result), "sync " + temporary_path_));
  }
  if (!error_) {
    if (Result<void> closed = files_.close(std::exchange(file_.fd, -1)); !closed.ok()) {
      fail_once(std::move(closed).error().with_context("close " + temporary_path_));
    }
  }
  if (!error_) {
    if (Result<void> point = failpoint("local.after_sync"); !point.ok()) fail_once(std::move(point).error());
  }
  if (error_) return end_as_failed();
  state_ = State::kStored;
}

void LocalPut::settle_if_drained() {
  if (state_ != State::kStoring || in_ring_ > 0) return;
  if (!error_) {
    if (submitted_bytes_ < size_bytes_) return;
    Result<void> written = after_writing();
    if (written.ok()) return;
    fail_once(std::move(written).error());
  }
  end_as_failed();
}

void LocalPut::fail_once(Error error) {
  if (!error_) error_ = std::move(error);
}

void LocalPut::end_as_failed() {
  // Errors here change nothing: the put has failed, and clean_incoming removes a leftover file later.
  if (file_.fd >= 0) static_cast<void>(files_.close(std::exchange(file_.fd, -1)));
  if (created_) static_cast<void>(files_.remove(temporary_path_));
  created_ = false;
  state_ = State::kFailed;
}

void LocalPut::give_up(Error error) {
  if (state_ == State::kFailed) return;
  fail_once(std::move(error));
  if (in_ring_ == 0) end_as_failed();
}

void LocalPut::give_up_without_ring(Error error) {
  in_ring_ = 0;
  give_up(std::move(error));
}

}  // namespace drs
