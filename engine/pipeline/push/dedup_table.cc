#include "engine/pipeline/push/dedup_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/base/bytes.h"

namespace drs {

namespace {

constexpr std::size_t kSlotsFirst = std::size_t{64} * 1024;
// This many entries fill a whole number of pages.
constexpr std::size_t kAlignedSlots = 1024;
// Slots of the old table moved in one step of growing.
constexpr std::size_t kStepSlots = 64 * kAlignedSlots;

constexpr std::size_t align(std::size_t slots) {
  return (slots + kAlignedSlots - 1) / kAlignedSlots * kAlignedSlots;
}

// Returns memory to the kernel; it then reads as zeros. `memory` is page-aligned.
void discard(void* memory, std::size_t bytes) {
  std::size_t discarded_bytes = bytes / kPageBytes * kPageBytes;
  if (::madvise(memory, discarded_bytes, MADV_DONTNEED) != 0) discarded_bytes = 0;
  std::memset(static_cast<char*>(memory) + discarded_bytes, 0, bytes - discarded_bytes);
}

}  // namespace

void DedupTable::Unmap::operator()(Entry* memory) const {
  ::munmap(memory, bytes);
}

Result<DedupTable> DedupTable::make(std::size_t bytes) {
  const std::size_t slots = bytes / sizeof(Entry);
  DRS_ASSERT(slots >= 64 && slots < (std::size_t{1} << 32), "a table of known chunks has 64 to 2^32 - 1 slots");
  const std::size_t mapped_bytes = (align(slots) + slots / 2) * sizeof(Entry);
  void* memory =
      ::mmap(nullptr, mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return error_from_errno(errno, "memory for the table of known chunks");
  return DedupTable(std::unique_ptr<Entry, Unmap>(static_cast<Entry*>(memory), Unmap{mapped_bytes}), slots);
}

DedupTable::DedupTable(std::unique_ptr<Entry, Unmap> memory, std::size_t slots_max)
    : memory_(std::move(memory)), slots_max_(slots_max) {
  while (slots_max_ >> halvings_ > kSlotsFirst) ++halvings_;
  slots_ = slots_max_ >> halvings_;
  entries_ = area();
}

void DedupTable::insert(std::uint64_t word, ChunkHint hint) {
  DRS_ASSERT(!full(), "insert into a full table of known chunks");
  if (size_ >= slots_ / 4 * 3 && halvings_ > 0) grow();
  place({static_cast<std::uint32_t>(word), hint.unit + 1, hint.block, hint.chunk});
  ++size_;
}

void DedupTable::place(const Entry& entry) {
  std::size_t at = home(entry.fingerprint);
  while (entries_[at].used()) at = next(at);
  entries_[at] = entry;
}

// Home slots keep their order, so reading the old table from front to back fills the new one from front to back.
void DedupTable::grow() {
  Entry* const old_entries = entries_;
  const std::size_t old_slots = slots_;
  --halvings_;
  entries_ = area();
  slots_ = slots_max_ >> halvings_;
  // Both calls are advice; a kernel that ignores it provides small pages as they are touched.
  ::madvise(entries_, slots_ * sizeof(Entry), MADV_HUGEPAGE);
  for (std::size_t begin = 0; begin < old_slots; begin += kStepSlots) {
    const std::size_t end = std::min(begin + kStepSlots, old_slots);
    // Map the pages at once, for writing. A page that is read first and written later costs two faults and a TLB
    // shootdown on every thread, together a tenth of the CPU time of a first push.
    ::madvise(entries_ + begin * 2, (std::min(end * 2, slots_) - begin * 2) * sizeof(Entry), MADV_POPULATE_WRITE);
    for (std::size_t i = begin; i < end; ++i)
      if (old_entries[i].used()) place(old_entries[i]);
    discard(old_entries + begin, (end - begin) * sizeof(Entry));
  }
}

DedupTable::Entry* DedupTable::area() const {
  return memory_.get() + (halvings_ % 2 == 0 ? 0 : align(slots_max_));
}

bool DedupTable::erase(std::uint64_t word, ChunkHint hint) {
  const auto fingerprint = static_cast<std::uint32_t>(word);
  for (std::size_t at = home(fingerprint); entries_[at].used(); at = next(at)) {
    if (entries_[at].fingerprint != fingerprint || entries_[at].hint() != hint) continue;
    remove_at(at);
    return true;
  }
  return false;
}

// Backward-shift deletion: later entries of the probe sequence move up, which needs no tombstones.
void DedupTable::remove_at(std::size_t at) {
  Entry* entries = entries_;
  std::size_t hole = at;
  for (std::size_t i = next(at); entries[i].used(); i = next(i)) {
    const std::size_t ideal = home(entries[i].fingerprint);
    // Entry i may fill the hole unless its home slot lies (cyclically) behind the hole.
    const bool behind = hole <= i ? (ideal > hole && ideal <= i) : (ideal > hole || ideal <= i);
    if (behind) continue;
    entries[hole] = entries[i];
    hole = i;
  }
  entries[hole] = {};
  --size_;
}

void DedupTable::thin(unsigned shift) {
  DRS_ASSERT(shift < 32, "fingerprints have 32 bits");
  const std::uint32_t mask = (std::uint32_t{1} << shift) - 1;
  // A removal moves entries only into the current slot and those behind it, so none is missed.
  for (std::size_t at = 0; at < slots_;) {
    const Entry& entry = entries_[at];
    if (entry.used() && (entry.fingerprint & mask) != 0)
      remove_at(at);  // another entry may have moved into this slot
    else
      ++at;
  }
}

}  // namespace drs
