// The table of known chunks: 12 bytes an entry in one fixed allocation, filled to at most three quarters.
//
// An entry is a hint: 32 bits of the chunk's word and where the chunk should be. The caller confirms it by the block's
// chunk list. Several entries may share a word (the same chunk in several blocks, or a chance collision). Pages are
// touched only when used. Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "io/result.h"

namespace drs {

// A chunk by the numbers of its unit, block and place in the block.
struct ChunkHint {
  std::uint32_t unit = 0;
  std::uint16_t block = 0;
  std::uint16_t chunk = 0;
  friend bool operator==(const ChunkHint&, const ChunkHint&) = default;
};

class DedupTable {
 public:
  static Result<DedupTable> make(std::size_t bytes);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t size_max() const { return slots_ / 4 * 3; }
  [[nodiscard]] bool full() const { return size_ >= size_max(); }

  // Asserts that the table is not full.
  void insert(std::uint64_t word, ChunkHint hint);
  // Removes this very entry. Returns whether it was there.
  bool erase(std::uint64_t word, ChunkHint hint);
  // Calls visit(hint) for each entry with this word's fingerprint until it returns true.
  template <typename Visit>
  void find(std::uint64_t word, const Visit& visit) const {
    const auto fingerprint = static_cast<std::uint32_t>(word);
    for (std::size_t at = home(fingerprint); entries_.get()[at].used(); at = next(at))
      if (entries_.get()[at].fingerprint == fingerprint && visit(entries_.get()[at].hint())) return;
  }
  // Drops every entry whose word does not have `shift` (at most 31) low zero bits.
  void thin(unsigned shift);

 private:
  struct Entry {
    std::uint32_t fingerprint;
    std::uint32_t unit_plus_one;  // 0: the slot is empty, which is how fresh pages come
    std::uint16_t block;
    std::uint16_t chunk;
    [[nodiscard]] bool used() const { return unit_plus_one != 0; }
    [[nodiscard]] ChunkHint hint() const { return {unit_plus_one - 1, block, chunk}; }
  };
  static_assert(sizeof(Entry) == 12);
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(Entry* entries) const;
  };
  DedupTable(std::unique_ptr<Entry, Unmap> entries, std::size_t slots) : entries_(std::move(entries)), slots_(slots) {}
  [[nodiscard]] std::size_t home(std::uint32_t fingerprint) const {
    // Multiplicative hashing; the odd constant is 2^32 divided by the golden ratio.
    return static_cast<std::size_t>((std::uint64_t{fingerprint * 0x9E3779B1U} * slots_) >> 32);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const { return at + 1 == slots_ ? 0 : at + 1; }
  void remove_at(std::size_t at);

  std::unique_ptr<Entry, Unmap> entries_;
  std::size_t slots_;
  std::size_t size_ = 0;
};

}  // namespace drs
