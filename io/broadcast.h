// Broadcast: reads one source once, for several readers, each of which sees the whole of it as a source of its own.
//
// A thread reads the source into a ring of buffers; each branch copies what it is asked for out of the ring, at its own
// pace. A buffer is filled anew once every branch has left it: the slowest one sets the pace, and nothing is allocated.
// A branch that is cancelled is out and holds nobody back; once all are out, the source is cancelled. What the source
// says at its end, its proof or its error, all branches are told.
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
  MutableByteView ring;        // borrowed; aligned as the source wants it
  std::size_t slot_bytes = 0;  // the source fills so many at a time; `ring` holds at least one more than it reads ahead
  std::size_t branches = 0;
};

class Broadcast {
 public:
  // Begins to read. `source` must outlive the broadcast, which alone uses it meanwhile. Errors: kIo (no thread).
  static Result<std::unique_ptr<Broadcast>> start(Source& source, const BroadcastOptions& options);
  // Cancels what has not ended, and waits for the thread.
  ~Broadcast();
  Broadcast(const Broadcast&) = delete;
  Broadcast& operator=(const Broadcast&) = delete;

  // Lives as long as the broadcast. Each may be read by a thread of its own.
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
  std::uint64_t read_bytes_ = 0;                   // of the stream; slot n holds what begins at n * slot_bytes_
  bool ended_ = false;                             // read_bytes_ is all of it
  std::optional<Result<ProducerProof>> outcome_;   // the thread's last word
  std::thread thread_;
};

}  // namespace drs
