// One mapping for all payload buffers, divided into pools of equal slots. Sized once at start-up: an empty pool means
// back-pressure, never allocation.
//
// BufferArena owns the mapping (huge pages if allowed; registered with a ring as a whole). BufferPool hands out the
// slots of one part of it. PooledBuffer is one slot: movable, with one owner, returned on destruction from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

class BufferArena {
 public:
  // Maps `size_bytes` (rounded up to 2 MiB), aligned to 2 MiB, with MADV_HUGEPAGE and MADV_DONTDUMP. Touches no page:
  // memory becomes resident on first use. Errors: kBusy (ENOMEM).
  static Result<BufferArena> map(std::size_t size_bytes);
  BufferArena(BufferArena&&) noexcept;
  BufferArena& operator=(BufferArena&&) noexcept;
  ~BufferArena();
  // Takes the next `size_bytes` of the mapping, rounded up to kPageBytes. Asserts that they are available.
  MutableByteView carve(std::size_t size_bytes);
  [[nodiscard]] MutableByteView whole() const { return {base_, size_bytes_}; }

 private:
  BufferArena(Byte* base, std::size_t size_bytes) : base_(base), size_bytes_(size_bytes) {}
  Byte* base_ = nullptr;
  std::size_t size_bytes_ = 0;
  std::size_t carved_bytes_ = 0;
};

class BufferPool;

class PooledBuffer {
 public:
  PooledBuffer() = default;
  PooledBuffer(PooledBuffer&& other) noexcept;
  PooledBuffer& operator=(PooledBuffer&& other) noexcept;
  ~PooledBuffer();
  [[nodiscard]] MutableByteView bytes() const { return bytes_; }  // the whole slot
  explicit operator bool() const { return pool_ != nullptr; }
  void release();  // returns the slot now

 private:
  friend class BufferPool;
  PooledBuffer(BufferPool* pool, MutableByteView bytes) : pool_(pool), bytes_(bytes) {}
  BufferPool* pool_ = nullptr;
  MutableByteView bytes_;
};

class BufferPool {
 public:
  // `region` from BufferArena::carve, at least count * slot_bytes (slot_bytes a multiple of kPageBytes).
  BufferPool(MutableByteView region, std::size_t slot_bytes, std::size_t count);
  ~BufferPool();  // asserts that every buffer was returned
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Returns an empty buffer if no slot is free.
  PooledBuffer try_acquire();
  // Waits for a free slot. Returns an empty buffer after close().
  PooledBuffer acquire();
  void close();  // wakes all waiters; further acquires yield empty buffers
  [[nodiscard]] std::size_t slot_bytes() const { return slot_bytes_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t free_count() const;
  [[nodiscard]] std::size_t free_count_min() const;  // the low-water mark

 private:
  friend class PooledBuffer;
  void give_back(MutableByteView bytes);
  const std::size_t slot_bytes_;
  const std::size_t count_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Byte*> free_;
  std::size_t free_count_min_;
  bool closed_ = false;
};

}  // namespace drs
