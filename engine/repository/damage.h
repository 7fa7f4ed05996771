// Damage marks: a check records damage, so that later pushes store the affected chunks again (FORMAT.md "Damaged
// mark"). Anyone with write access to the store can make one. Therefore a mark only makes pushes store chunks again and
// makes checks read what it names.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/format/marks.h"
#include "io/base/clock.h"
#include "sinks/object_store.h"

namespace drs {

// All marks of one pack.
struct PackMarks {
  struct Mark {
    Uuid id;
    std::string found_by;  // empty: the mark cannot be read
  };
  bool whole = false;
  std::vector<DamagedBlock> blocks;  // the union of all marks, sorted by offset, without overlap
  std::vector<Mark> marks;

  void add(std::span<const DamagedBlock> more);
  // Whether any mark names a byte of this range.
  [[nodiscard]] bool covers(std::uint32_t offset_bytes, std::uint32_t bytes) const;
};

using MarkedPacks = std::unordered_map<Digest, PackMarks, FixedBytesHash>;

// Reads the marks in `listed`. A mark that cannot be read, or whose name and content differ, counts as a mark of the
// whole pack. Errors: those of the store that do not concern a single object.
Result<MarkedPacks> load_marks(ObjectStore& store, std::span<const ObjectInfo> listed);

struct DamageReport {
  std::string found_by = {};  // the command: "verify"
  std::string problem = {};
  std::vector<DamagedBlock> blocks = {};  // empty, or more than a mark can hold: the whole pack
};
// Puts a mark and settles the put (sinks/settled_put.h): success means that the mark is stored, also after a lost
// reply. Needs no key. Errors: those of put_settled.
Result<void> mark_damaged(ObjectStore& store, const Clock& clock, const Digest& pack, DamageReport report);
// Removes a mark after the pack proved intact. Succeeds if the mark is missing.
Result<void> clear_damaged(ObjectStore& store, const Digest& pack, const Uuid& mark);

}  // namespace drs
