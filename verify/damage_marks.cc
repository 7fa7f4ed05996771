#include "verify/damage_marks.h"

#include <algorithm>

#include "engine/format/names.h"

namespace drs {

void DamageMarks::set(ObjectStore& store, const Digest& pack, const std::string& problem,
                      std::vector<DamagedBlock> blocks) {
  if (marking_ == Marking::kReadOnly) return;
  {
    const std::scoped_lock lock(mutex_);
    PackMarks& known = known_[pack];
    if (known.whole) return;
    if (blocks.empty()) {
      known.whole = true;
    } else {
      std::erase_if(blocks, [&](const DamagedBlock& block) { return known.covers(block.offset_bytes, block.bytes); });
      if (blocks.empty()) return;
      known.add(blocks);
    }
  }
  if (const auto marked =
          mark_damaged(store, clock_, pack, {.found_by = found_by_, .problem = problem, .blocks = std::move(blocks)});
      !marked.ok()) {
    findings_.report(
        Finding::Severity::kWarning, pack_name(pack),
        "its damage mark could not be stored, so pushes may still use the pack: " + marked.error().message);
    return;
  }
  const std::scoped_lock lock(mutex_);
  ++set_count_;
}

void DamageMarks::clear(ObjectStore& store, const Digest& pack, std::string_view found_by) {
  if (marking_ == Marking::kReadOnly) return;
  std::vector<PackMarks::Mark> marks;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = known_.find(pack); known != known_.end()) marks = known->second.marks;
  }
  std::erase_if(marks, [&](const PackMarks::Mark& mark) { return !found_by.empty() && mark.found_by != found_by; });
  for (const PackMarks::Mark& mark : marks) {
    if (const auto cleared = clear_damaged(store, pack, mark.id); !cleared.ok()) {
      findings_.report(Finding::Severity::kWarning, damaged_name(pack, mark.id),
                       "the pack is whole, but its damage mark could not be removed: " + cleared.error().message);
      return;
    }
  }
  const std::scoped_lock lock(mutex_);
  if (!marks.empty()) ++cleared_count_;
}

std::uint64_t DamageMarks::set_count() const {
  const std::scoped_lock lock(mutex_);
  return set_count_;
}

std::uint64_t DamageMarks::cleared_count() const {
  const std::scoped_lock lock(mutex_);
  return cleared_count_;
}

}  // namespace drs
