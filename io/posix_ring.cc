#include "io/posix_ring.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/helper_thread.h"

namespace drs {
namespace {

constexpr std::size_t kThreadCountMax = 4;  // enough to keep one disk busy; callers move up to 1 MiB per operation

std::int64_t perform(const IoOperation& operation) {
  const auto offset = static_cast<off_t>(operation.offset_bytes);
  const std::size_t size_bytes = std::min(operation.bytes.size(), kOperationBytesMax);
  ssize_t moved = -1;
  do {
    switch (operation.kind) {
      case IoKind::kRead: moved = ::pread(operation.fd, operation.bytes.data(), size_bytes, offset); break;
      case IoKind::kWrite: moved = ::pwrite(operation.fd, operation.bytes.data(), size_bytes, offset); break;
      // Never retried: a second sync may report success although data was lost.
      case IoKind::kSyncData: return ::fdatasync(operation.fd) == 0 ? 0 : -errno;
    }
  } while (moved < 0 && errno == EINTR);
  return moved < 0 ? -errno : moved;
}

}  // namespace

PosixRing::PosixRing(std::size_t depth) : thread_count_max_(std::clamp<std::size_t>(depth, 1, kThreadCountMax)) {}

PosixRing::~PosixRing() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_arrived_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

void PosixRing::submit(IoOperation& operation) {
  pending_.push(operation);
  ++in_flight_;
}

Result<void> PosixRing::start_threads() {
  threads_.reserve(thread_count_max_);
  while (threads_.size() < thread_count_max_) {
    auto thread = start_helper_thread([this] { work(); }, must_not_throw);
    // Fewer threads suffice: the ring is only slower.
    if (!thread.ok() && !threads_.empty()) return {};
    if (!thread.ok()) return std::move(thread).error();
    threads_.push_back(*std::move(thread));
  }
  return {};
}

void PosixRing::start_pending() {
  const std::lock_guard lock(mutex_);
  started_.splice(pending_);
  work_arrived_.notify_all();
}

Result<std::size_t> PosixRing::run(Wait wait) {
  if (in_flight_ == 0) return std::size_t{0};
  if (threads_.empty()) DRS_RETURN_IF_ERROR(start_threads());
  if (!pending_.empty()) start_pending();
  OperationQueue completed;
  {
    std::unique_lock lock(mutex_);
    if (wait == Wait::kForOne) work_completed_.wait(lock, [this] { return !completed_.empty(); });
    completed.splice(completed_);
  }
  const std::size_t count = complete_all(completed, in_flight_);
  // Starts the operations that `done` submitted: the next run() may be a while away.
  if (!pending_.empty()) start_pending();
  return count;
}

void PosixRing::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_arrived_.wait(lock, [this] { return stopping_ || !started_.empty(); });
    if (stopping_) return;
    IoOperation& operation = started_.pop();
    lock.unlock();
    operation.result = perform(operation);
    lock.lock();
    completed_.push(operation);
    work_completed_.notify_one();
  }
}

}  // namespace drs
