// Broadcast: reads a source once for several readers. Each reader sees the complete stream as a Source.
//
// A thread reads the source into a ring of buffers; each branch copies from the ring at its own pace. A buffer is
// refilled once every branch has consumed it, so the slowest branch sets the pace and nothing is allocated. A cancelled
// branch no longer holds back the others; once all are cancelled, the source is cancelled. Every branch receives the
// source's proof or error.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "io/source.h"

namespace drs {

struct BroadcastOptions {
  MutableByteView ring;        // borrowed; aligned as the source requires; more than read_ahead_max() slots
  std::size_t slot_bytes = 0;  // the size of each buffer that the source fills
  std::size_t branches = 0;
};

class Broadcast {
 public:
  // Starts reading. `source` must outlive the broadcast and must not be used by others until then. Errors: kBusy (no
  // thread or memory left).
  static Result<std::unique_ptr<Broadcast>> start(Source& source, const BroadcastOptions& options);
  // Cancels all branches and joins the thread.
  ~Broadcast();
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;

  // Valid for the lifetime of the broadcast. Each branch may be read by its own thread.
  [[nodiscard]] Source& branch(std::size_t index);

 private:
  class Branch;
  Broadcast(Source& source, const BroadcastOptions& options);
  void conclude(Result<ProducerProof> outcome);
  Result<ProducerProof> read_all();
  bool wait_for_slot(std::uint64_t slot);
  [[nodiscard]] bool slot_is_free(std::uint64_t slot) const;  // under mutex_
  [[nodiscard]] MutableByteView slot_bytes(std::uint64_t slot) const;
  void drop(Branch& branch);
  Result<std::size_t> read(Branch& branch, MutableByteView buffer);
  Result<ProducerProof> wait_outcome(const Branch& branch);

  Source& source_;
  const MutableByteView ring_;
  const std::size_t slot_bytes_;
  const std::size_t slots_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Below: guarded by mutex_.
  std::vector<std::unique_ptr<Branch>> branches_;  // the vector itself never changes
  std::size_t branches_in_ = 0;                    // not cancelled
  std::uint64_t read_bytes_ = 0;                   // of the stream; slot n holds the bytes from n * slot_bytes_ on
  bool ended_ = false;                             // read_bytes_ is the length of the stream
  std::optional<Result<ProducerProof>> outcome_;   // set last, when the reading thread ends
  std::thread thread_;
};

}  // namespace drs
