#include "io/uring_ring.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

namespace drs {
namespace {

// The kernel accepts at most 1 GiB per registered buffer. An operation that straddles two pieces is submitted as an
// unregistered one.
constexpr std::size_t kRegisteredPieceBytes = 512 * kMiB;
// Kernel threads for operations that cannot start at once (buffered writes, syncs).
constexpr unsigned kKernelWorkersMax = 8;
// A kernel that is out of memory for requests returns EAGAIN even with nothing in flight. Retries, a millisecond apart.
constexpr int kBusyTriesMax = 1000;

}  // namespace

Result<std::unique_ptr<UringRing>> UringRing::create(std::size_t depth) {
  // No SINGLE_ISSUER, since a ring may move between threads. Older kernels refuse the newer flags.
  constexpr std::array<unsigned, 3> kFlagChoices = {
      IORING_SETUP_CLAMP | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
      IORING_SETUP_CLAMP, 0};
  io_uring ring{};
  int status = -EINVAL;
  for (const unsigned flags : kFlagChoices) {
    status = ::io_uring_queue_init(static_cast<unsigned>(depth), &ring, flags);
    if (status != -EINVAL) break;
  }
  if (status < 0) return error_from_errno(-status, "io_uring_setup");
  std::array<unsigned, 2> workers_max = {kKernelWorkersMax, kKernelWorkersMax};
  ::io_uring_register_iowq_max_workers(&ring, workers_max.data());  // best effort: new in 5.15
  return std::unique_ptr<UringRing>(new UringRing(ring, std::min<std::size_t>(depth, ring.sq.ring_entries)));
}

UringRing::~UringRing() {
  while (kernel_in_flight_ > 0) {
    if (!enter(Wait::kForOne).ok()) break;
    collect();
  }
  ::io_uring_queue_exit(&ring_);
}

void UringRing::submit(IoOperation& operation) {
  pending_.push(operation);
  ++in_flight_;
}

void UringRing::prepare(io_uring_sqe& entry, IoOperation& operation) {
  const auto size_bytes = static_cast<unsigned>(std::min(operation.bytes.size(), kOperationBytesMax));
  Byte* const start = operation.bytes.data();
  int piece = -1;
  if (!registered_.empty() && start >= registered_.data() && size_bytes > 0 &&
      start + size_bytes <= registered_.data() + registered_.size()) {
    const auto first = static_cast<std::size_t>(start - registered_.data());
    if (first / kRegisteredPieceBytes == (first + size_bytes - 1) / kRegisteredPieceBytes) {
      piece = static_cast<int>(first / kRegisteredPieceBytes);
    }
  }
  switch (operation.kind) {
    case IoKind::kRead:
      if (piece >= 0) {
        ::io_uring_prep_read_fixed(&entry, operation.fd, start, size_bytes, operation.offset_bytes, piece);
      } else {
        ::io_uring_prep_read(&entry, operation.fd, start, size_bytes, operation.offset_bytes);
      }
      break;
    case IoKind::kWrite:
      if (piece >= 0) {
        ::io_uring_prep_write_fixed(&entry, operation.fd, start, size_bytes, operation.offset_bytes, piece);
      } else {
        ::io_uring_prep_write(&entry, operation.fd, start, size_bytes, operation.offset_bytes);
      }
      break;
    case IoKind::kSyncData: ::io_uring_prep_fsync(&entry, operation.fd, IORING_FSYNC_DATASYNC); break;
  }
  ::io_uring_sqe_set_data(&entry, &operation);
}

void UringRing::prepare_pending() {
  while (!pending_.empty() && kernel_in_flight_ < depth_) {
    io_uring_sqe* const entry = ::io_uring_get_sqe(&ring_);
    if (entry == nullptr) return;
    prepare(*entry, pending_.pop());
    ++kernel_in_flight_;
  }
}

Result<void> UringRing::enter(Wait wait) {
  for (int busy_tries = 0;;) {
    const int status = wait == Wait::kForOne ? ::io_uring_submit_and_wait(&ring_, 1) : ::io_uring_submit(&ring_);
    if (status >= 0) return {};
    if (status == -EINTR) continue;
    if (status != -EAGAIN && status != -EBUSY) return error_from_errno(-status, "io_uring_enter");
    // The kernel is out of memory, or completions must be collected first.
    if (::io_uring_cq_ready(&ring_) > 0) return {};
    if (++busy_tries > kBusyTriesMax) return error_from_errno(-status, "io_uring_enter");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void UringRing::collect() {
  std::array<io_uring_cqe*, 32> entries;
  for (;;) {
    const unsigned count = ::io_uring_peek_batch_cqe(&ring_, entries.data(), static_cast<unsigned>(entries.size()));
    for (unsigned i = 0; i < count; ++i) {
      IoOperation& operation = *static_cast<IoOperation*>(::io_uring_cqe_get_data(entries[i]));
      operation.result = entries[i]->res;
      --kernel_in_flight_;
      const bool interrupted = operation.result == -EINTR || operation.result == -EAGAIN;
      // Reads and writes may be repeated. A sync may not: a second one may report success although data was lost.
      (interrupted && operation.kind != IoKind::kSyncData ? pending_ : completed_).push(operation);
    }
    ::io_uring_cq_advance(&ring_, count);
    if (count < entries.size()) return;
  }
}

Result<std::size_t> UringRing::run(Wait wait) {
  if (in_flight_ == 0) return std::size_t{0};
  do {
    prepare_pending();
    const Wait needed = ::io_uring_cq_ready(&ring_) == 0 ? wait : Wait::kNo;
    if (needed == Wait::kForOne || ::io_uring_sq_ready(&ring_) > 0) DRS_RETURN_IF_ERROR(enter(needed));
    collect();
  } while (wait == Wait::kForOne && completed_.empty());

  // Moved out first: operations that complete while `done` runs belong to the next call.
  OperationQueue completed;
  completed.splice(completed_);
  const std::size_t count = complete_all(completed, in_flight_);
  // Starts operations that waited for a slot or that `done` submitted: the next run() may be a while away.
  prepare_pending();
  if (::io_uring_sq_ready(&ring_) > 0) DRS_RETURN_IF_ERROR(enter(Wait::kNo));
  return count;
}

bool UringRing::register_memory(MutableByteView memory) {
  DRS_ASSERT(in_flight_ == 0, "memory is registered while the ring is idle");
  DRS_ASSERT(registered_.empty(), "memory is registered once");
  if (memory.empty()) return false;
  std::vector<iovec> pieces;
  for (std::size_t first = 0; first < memory.size(); first += kRegisteredPieceBytes) {
    pieces.push_back({memory.data() + first, std::min(kRegisteredPieceBytes, memory.size() - first)});
  }
  // ENOMEM: over RLIMIT_MEMLOCK. Whatever the error, unregistered memory works too, slightly slower.
  if (::io_uring_register_buffers(&ring_, pieces.data(), static_cast<unsigned>(pieces.size())) != 0) return false;
  registered_ = memory;
  return true;
}

}  // namespace drs
