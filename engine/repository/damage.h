// Damage marks: what a check found, so that later pushes store those chunks again (FORMAT.md "Damaged mark"). Anyone
// who can write into the store can make one: a mark makes pushes store anew and makes checks look, and decides nothing
// else.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/format/marks.h"
#include "io/clock.h"
#include "sinks/object_store.h"

namespace drs {

// What the marks of one pack say together.
struct PackMarks {
  struct Mark {
    Uuid id;
    std::string found_by;  // empty: the mark cannot be read
  };
  bool whole = false;
  std::vector<DamagedBlock> blocks;  // what all marks name: by offset, none overlapping
  std::vector<Mark> marks;

  void add(std::span<const DamagedBlock> more);
  // Whether any mark names a byte of this range.
  [[nodiscard]] bool covers(std::uint32_t offset_bytes, std::uint32_t bytes) const;
};

using MarkedPacks = std::unordered_map<Digest, PackMarks, FixedBytesHash>;

// Reads the marks `listed`. One that cannot be read, or that is of another pack than its name says, counts as one of
// the whole pack. Errors: those of the store that are not about one object.
Result<MarkedPacks> load_marks(ObjectStore& store, std::span<const ObjectInfo> listed);

// Keyless: works on the store alone. `blocks`: empty for the whole pack; more than a mark can name become the whole
// pack.
Result<void> mark_damaged(ObjectStore& store, const Clock& clock, const Digest& pack, const std::string& found_by,
                          const std::string& problem, std::vector<DamagedBlock> blocks = {});
// Takes a mark back after the pack proved whole. No mark is success.
Result<void> clear_damaged(ObjectStore& store, const Digest& pack, const Uuid& mark);

}  // namespace drs
