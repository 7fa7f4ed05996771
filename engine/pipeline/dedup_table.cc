#include "engine/pipeline/dedup_table.h"

#include <sys/mman.h>

#include <cerrno>

namespace drs {

void DedupTable::Unmap::operator()(Entry* entries) const {
  ::munmap(entries, bytes);
}

Result<DedupTable> DedupTable::make(std::size_t bytes) {
  const std::size_t slots = bytes / sizeof(Entry);
  DRS_ASSERT(slots >= 64 && slots < (std::size_t{1} << 32), "a table of known chunks needs a sensible size");
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return error_from_errno(errno, "memory for the table of known chunks");
  return DedupTable(std::unique_ptr<Entry, Unmap>(static_cast<Entry*>(memory), Unmap{bytes}), slots);
}

void DedupTable::insert(std::uint64_t word, ChunkHint hint) {
  DRS_ASSERT(!full(), "insert into a full table of known chunks");
  const auto fingerprint = static_cast<std::uint32_t>(word);
  std::size_t at = home(fingerprint);
  while (entries_.get()[at].used()) at = next(at);
  entries_.get()[at] = {fingerprint, hint.unit + 1, hint.block, hint.chunk};
  ++size_;
}

bool DedupTable::erase(std::uint64_t word, ChunkHint hint) {
  const auto fingerprint = static_cast<std::uint32_t>(word);
  for (std::size_t at = home(fingerprint); entries_.get()[at].used(); at = next(at)) {
    if (entries_.get()[at].fingerprint != fingerprint || entries_.get()[at].hint() != hint) continue;
    remove_at(at);
    return true;
  }
  return false;
}

// Backward-shift deletion: later entries of the probe sequence move up, so no tombstones are needed.
void DedupTable::remove_at(std::size_t at) {
  Entry* entries = entries_.get();
  std::size_t hole = at;
  for (std::size_t i = next(at); entries[i].used(); i = next(i)) {
    const std::size_t ideal = home(entries[i].fingerprint);
    // Entry i may fill the hole unless its home lies (cyclically) behind the hole.
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
  // A removal moves entries only into the slot looked at and those behind it, so none escapes.
  for (std::size_t at = 0; at < slots_;) {
    const Entry& entry = entries_.get()[at];
    if (entry.used() && (entry.fingerprint & mask) != 0)
      remove_at(at);  // look at this slot again
    else
      ++at;
  }
}

}  // namespace drs
