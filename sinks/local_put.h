// LocalPut: the bytes of one put on their way into a temporary file: created, space reserved, written in pieces with
// several in flight, synced, closed. What follows, giving the file its name, is the store's (sinks/local_store.cc).
//
// Every step is checked and none is repeated: a write that failed or a sync that failed is final for the file, which is
// then removed. Short writes go on where they stopped. Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/bytes.h"
#include "io/file_system.h"
#include "io/result.h"
#include "io/ring.h"
#include "sinks/object_store.h"

namespace drs {

inline constexpr std::size_t kLocalPutWritesMax = 4;             // in flight per put
inline constexpr std::size_t kLocalPutWriteBytesMax = 1 * kMiB;  // per write

class LocalPut {
 public:
  enum class State : std::uint8_t {
    kQueued,   // nothing done yet
    kStoring,  // the ring has work of it
    kStored,   // the temporary file is whole, synced and closed
    kFailed,   // `error` says why; the file is closed and removed
  };

  // `operation` and its body stay until the put is destroyed, which must not be while kStoring unless the ring is gone.
  LocalPut(PutOperation& operation, FileSystem& files, std::string temporary_path)
      : operation_(operation), files_(files), temporary_path_(std::move(temporary_path)) {}
  LocalPut(const LocalPut&) = delete;
  LocalPut& operator=(const LocalPut&) = delete;

  // From kQueued. With `direct`, O_DIRECT is asked for where the body's alignment allows it.
  void start(Ring& ring, bool direct);
  // Ends the put as failed: at once, or once its last write came back. The temporary file is removed, also a kStored
  // one.
  void give_up(Error error);
  // As give_up, when the ring is gone and nothing will come back.
  void give_up_without_ring(Error error);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Error& error() const { return *error_; }
  [[nodiscard]] PutOperation& operation() const { return operation_; }
  [[nodiscard]] const std::string& temporary_path() const { return temporary_path_; }
  // O_DIRECT was asked for, and the file system refused it or an operation with it.
  [[nodiscard]] bool direct_refused() const { return direct_refused_; }

  bool dropped = false;  // the store's: `drop` was called

 private:
  struct Write {
    IoOperation io;
    LocalPut* put = nullptr;
    bool busy = false;
    bool direct = false;  // as the kernel was given it
  };

  Result<void> create(bool direct);
  Result<void> open_temporary(OpenFlags flags);
  Result<void> after_writing();
  void submit_writes();
  // The next bytes to write, or empty when all were submitted.
  ByteView next_piece();
  void submit(Write& write);
  void on_write(Write& write);
  void drop_direct();
  void on_sync();
  void fail_once(Error error);
  void settle_if_drained();
  void end_as_failed();

  PutOperation& operation_;
  FileSystem& files_;
  const std::string temporary_path_;
  Ring* ring_ = nullptr;
  State state_ = State::kQueued;
  std::optional<Error> error_;
  OpenedFile file_;
  bool in_units_ = false;  // the body is written in units of kDirectAlignment, as O_DIRECT wants it
  bool created_ = false;
  bool direct_refused_ = false;
  std::uint64_t size_bytes_ = 0;       // of the body
  std::uint64_t submitted_bytes_ = 0;  // of the body, given to the ring
  std::size_t piece_index_ = 0;
  std::size_t piece_offset_bytes_ = 0;
  std::size_t in_ring_ = 0;
  std::array<Write, kLocalPutWritesMax> writes_;
  IoOperation sync_;
  // The end of a direct body that does not fill an alignment unit: written padded, cut off by truncate.
  struct alignas(kDirectAlignment) Tail {
    std::array<Byte, kDirectAlignment> bytes{};
  };
  std::unique_ptr<Tail> tail_;
};

}  // namespace drs
