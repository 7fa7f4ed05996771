// The table of known chunks: an open-addressing hash table, 12 bytes an entry, at most three quarters full.
//
// The table begins small and doubles up to a fixed size, so that it touches only the memory it needs: clearing memory
// costs more than moving entries. To grow, it fills the larger table from front to back and returns the pages of the
// smaller one on the way, so that both together never exceed the fixed size.
//
// An entry is a hint: 32 bits of the chunk's word, and the chunk's presumed place. The caller confirms it with the
// block's chunk list. Several entries may share a word (the same chunk in several blocks, or a collision). Threads: one
// thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "io/base/result.h"

namespace drs {

// A chunk's place: the numbers of its unit, of its block in the unit, and of the chunk in the block.
struct ChunkHint {
  std::uint32_t unit = 0;
  std::uint16_t block = 0;
  std::uint16_t chunk = 0;
  friend bool operator==(const ChunkHint&, const ChunkHint&) = default;
};

class DedupTable {
 public:
  static constexpr std::size_t kBytesMax = std::size_t{UINT32_MAX} * 12;  // home slots are computed in 32 bits
  // `bytes`: the most the table may take. Errors: kIo with ENOMEM (not enough address space).
  static Result<DedupTable> make(std::size_t bytes);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t size_max() const { return slots_max_ / 4 * 3; }
  [[nodiscard]] bool full() const { return size_ >= size_max(); }

  // Asserts that the table is not full.
  void insert(std::uint64_t word, ChunkHint hint);
  // Removes the entry with this word and this hint. Returns whether it existed.
  bool erase(std::uint64_t word, ChunkHint hint);
  // Calls visit(hint) for each entry with this word's fingerprint until it returns true.
  template <typename Visit>
  void find(std::uint64_t word, const Visit& visit) const {
    const auto fingerprint = static_cast<std::uint32_t>(word);
    for (std::size_t at = home(fingerprint); entries_[at].used(); at = next(at))
      if (entries_[at].fingerprint == fingerprint && visit(entries_[at].hint())) return;
  }
  // Drops every entry whose word does not have `shift` (at most 31) low zero bits.
  void thin(unsigned shift);

 private:
  struct Entry {
    std::uint32_t fingerprint;
    std::uint32_t unit_plus_one;  // 0: the slot is empty; fresh pages are zero
    std::uint16_t block;
    std::uint16_t chunk;
    [[nodiscard]] bool used() const { return unit_plus_one != 0; }
    [[nodiscard]] ChunkHint hint() const { return {unit_plus_one - 1, block, chunk}; }
  };
  static_assert(sizeof(Entry) == 12);
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(Entry* memory) const;
  };
  DedupTable(std::unique_ptr<Entry, Unmap> memory, std::size_t slots_max);
  // Where the table of `halvings_` lies. The next larger and the next smaller table do not overlap it.
  [[nodiscard]] Entry* area() const;
  void grow();
  void place(const Entry& entry);
  [[nodiscard]] std::size_t home(std::uint32_t fingerprint) const {
    // Multiplicative hashing; the odd constant is 2^32 divided by the golden ratio.
    return static_cast<std::size_t>((std::uint64_t{fingerprint * 0x9E3779B1U} * slots_) >> 32);
  }
  [[nodiscard]] std::size_t next(std::size_t at) const { return at + 1 == slots_ ? 0 : at + 1; }
  void remove_at(std::size_t at);

  std::unique_ptr<Entry, Unmap> memory_;  // slots_max_ entries, and half as many again
  std::size_t slots_max_;
  unsigned halvings_ = 0;  // slots_ == slots_max_ >> halvings_
  std::size_t slots_ = 0;
  Entry* entries_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace drs
