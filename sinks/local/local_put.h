// LocalPut: writes the bytes of one put into a temporary file: creates it, reserves space, writes pieces with several
// in flight, syncs, closes. The store gives the file its final name afterwards (sinks/local/local_store.cc).
//
// Every step is checked and none is repeated: after a failed write or sync the file is removed. A short write continues
// where it stopped. Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/base/bytes.h"
#include "io/base/result.h"
#include "io/file_system.h"
#include "io/ring.h"
#include "sinks/local/direct_io.h"
#include "sinks/object_store.h"

namespace drs {

inline constexpr std::size_t kLocalPutWritesMax = 4;             // in flight per put
inline constexpr std::size_t kLocalPutWriteBytesMax = 1 * kMiB;  // per write

class LocalPut {
 public:
  enum class State : std::uint8_t {
    kQueued,   // nothing done yet
    kStoring,  // the ring holds operations of this put
    kStored,   // the temporary file is whole, synced and closed
    kFailed,   // `error` says why; the file is closed and removed
  };

  // `operation` and its body must outlive the put. Do not destroy the put while kStoring unless the ring is destroyed.
  LocalPut(PutOperation& operation, FileSystem& files, std::string temporary_path)
      : operation_(operation), files_(files), temporary_path_(std::move(temporary_path)) {}
  LocalPut(const LocalPut&) = delete;
  LocalPut& operator=(const LocalPut&) = delete;

  // From kQueued.
  void start(Ring& ring, DirectIo direct);
  // Ends the put as failed: at once, or after its last write has returned. Removes the temporary file, also in state
  // kStored.
  void give_up(Error error);
  // As give_up, for a ring that is destroyed and returns nothing more.
  void give_up_without_ring(Error error);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Error& error() const { return *error_; }
  [[nodiscard]] PutOperation& operation() const { return operation_; }
  [[nodiscard]] const std::string& temporary_path() const { return temporary_path_; }
  // The file system refused O_DIRECT, or an operation with it.
  [[nodiscard]] bool direct_refused() const { return direct_refused_; }

  bool dropped = false;  // set by the store when `drop` was called

 private:
  struct Write {
    IoOperation io;
    LocalPut* put = nullptr;
    bool busy = false;
    bool direct = false;  // whether this write uses O_DIRECT
  };

  Result<void> create(DirectIo direct);
  Result<void> open_temporary(OpenFlags flags);
  Result<void> after_writing();
  void submit_writes();
  // The next bytes to write; empty after all were submitted.
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
  bool in_units_ = false;  // writes are multiples of kDirectAlignment, which O_DIRECT requires
  bool created_ = false;
  bool direct_refused_ = false;
  std::uint64_t size_bytes_ = 0;       // of the body
  std::uint64_t submitted_bytes_ = 0;  // of the body, given to the ring
  std::size_t piece_index_ = 0;
  std::size_t piece_offset_bytes_ = 0;
  std::size_t in_ring_ = 0;
  std::array<Write, kLocalPutWritesMax> writes_;
  IoOperation sync_;
  // The end of the body, if it does not fill a unit of alignment: written with padding, which truncate removes.
  struct alignas(kDirectAlignment) Tail {
    std::array<Byte, kDirectAlignment> bytes{};
  };
  std::unique_ptr<Tail> tail_;
};

}  // namespace drs
