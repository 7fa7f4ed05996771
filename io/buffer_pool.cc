#include "io/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace drs {
namespace {

constexpr std::size_t kHugePageBytes = 2 * kMiB;

constexpr std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

Result<BufferArena> BufferArena::map(std::size_t size_bytes) {
  const Error too_large{
      ErrorCode::kBusy,
      "out of memory: cannot map " + std::to_string(size_bytes / kMiB) + " MiB for buffers; lower --memory", ENOMEM};
  if (size_bytes > SIZE_MAX / 2) return too_large;
  const std::size_t rounded_bytes = std::max(round_up(size_bytes, kHugePageBytes), kHugePageBytes);
  // One extra huge page, so that an aligned range fits; the excess is unmapped below.
  const std::size_t mapped_bytes = rounded_bytes + kHugePageBytes;
  void* mapped = ::mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return too_large;
  Byte* const start = static_cast<Byte*>(mapped);
  const std::size_t lead_bytes =
      (kHugePageBytes - reinterpret_cast<std::uintptr_t>(start) % kHugePageBytes) % kHugePageBytes;
  if (lead_bytes > 0) ::munmap(start, lead_bytes);
  Byte* const base = start + lead_bytes;
  ::munmap(base + rounded_bytes, kHugePageBytes - lead_bytes);
  // Only advice: a kernel without huge pages uses small ones.
  ::madvise(base, rounded_bytes, MADV_HUGEPAGE);
  ::madvise(base, rounded_bytes, MADV_DONTDUMP);  // keeps plaintext out of core dumps
  return BufferArena(base, rounded_bytes);
}

BufferArena::BufferArena(BufferArena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)),
      carved_bytes_(std::exchange(other.carved_bytes_, 0)) {}

BufferArena& BufferArena::operator=(BufferArena&& other) noexcept {
  if (this == &other) return *this;
  if (base_ != nullptr) ::munmap(base_, size_bytes_);
  base_ = std::exchange(other.base_, nullptr);
  size_bytes_ = std::exchange(other.size_bytes_, 0);
  carved_bytes_ = std::exchange(other.carved_bytes_, 0);
  return *this;
}

BufferArena::~BufferArena() {
  if (base_ != nullptr) ::munmap(base_, size_bytes_);
}

MutableByteView BufferArena::carve(std::size_t size_bytes) {
  DRS_ASSERT(size_bytes <= size_bytes_ - carved_bytes_, "the arena is smaller than the sum of its parts");
  const MutableByteView part(base_ + carved_bytes_, size_bytes);
  // The arena's size is a multiple of the page size, so rounding up cannot pass its end.
  carved_bytes_ += round_up(size_bytes, kPageBytes);
  return part;
}

PooledBuffer::PooledBuffer(PooledBuffer&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}

PooledBuffer& PooledBuffer::operator=(PooledBuffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  bytes_ = std::exchange(other.bytes_, {});
  return *this;
}

PooledBuffer::~PooledBuffer() {
  release();
}

void PooledBuffer::release() {
  if (BufferPool* const pool = std::exchange(pool_, nullptr); pool != nullptr) {
    pool->give_back(std::exchange(bytes_, {}));
  }
}

BufferPool::BufferPool(MutableByteView region, std::size_t slot_bytes, std::size_t count)
    : slot_bytes_(slot_bytes), count_(count), free_count_min_(count) {
  DRS_ASSERT(slot_bytes > 0 && slot_bytes % kPageBytes == 0, "slots must be whole pages");
  DRS_ASSERT(count <= region.size() / slot_bytes, "the region is smaller than its slots");
  free_.reserve(count);
  // In reverse: slots are taken from the back, so the first pages are used first and reused while in cache.
  for (std::size_t i = count; i > 0; --i) free_.push_back(region.data() + (i - 1) * slot_bytes);
}

BufferPool::~BufferPool() {
  const std::lock_guard lock(mutex_);
  DRS_ASSERT(free_.size() == count_, "a pool was destroyed before all of its buffers were returned");
}

PooledBuffer BufferPool::try_acquire() {
  const std::lock_guard lock(mutex_);
  if (closed_ || free_.empty()) return {};
  Byte* const slot = free_.back();
  free_.pop_back();
  free_count_min_ = std::min(free_count_min_, free_.size());
  return {this, {slot, slot_bytes_}};
}

PooledBuffer BufferPool::acquire() {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [this] { return closed_ || !free_.empty(); });
  if (closed_) return {};
  Byte* const slot = free_.back();
  free_.pop_back();
  free_count_min_ = std::min(free_count_min_, free_.size());
  return {this, {slot, slot_bytes_}};
}

void BufferPool::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  freed_.notify_all();
}

std::size_t BufferPool::free_count() const {
  const std::lock_guard lock(mutex_);
  return free_.size();
}

std::size_t BufferPool::free_count_min() const {
  const std::lock_guard lock(mutex_);
  return free_count_min_;
}

void BufferPool::give_back(MutableByteView bytes) {
  // Notifies under the lock, so that the pool may be destroyed as soon as its last buffer is returned.
  const std::lock_guard lock(mutex_);
  DRS_ASSERT(free_.size() < count_, "more buffers were returned than acquired");
  free_.push_back(bytes.data());
  freed_.notify_one();
}

}  // namespace drs
