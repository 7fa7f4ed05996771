#include "verify/damage_marks.h"

#include "engine/format/names.h"
#include "engine/repository/damage.h"

namespace drs {

void DamageMarks::set(ObjectStore& store, const Digest& pack, const std::string& problem) {
  if (read_only_) return;
  {
    const std::scoped_lock lock(mutex_);
    if (!seen_.insert(pack).second) return;
  }
  const std::string name = damaged_name(pack);
  if (store.stat(name).ok()) return;  // marked by an earlier check
  if (const auto marked = mark_damaged(store, clock_, pack, found_by_, problem); !marked.ok()) {
    findings_.report(
        Finding::Severity::kWarning, name,
        "the damage mark could not be stored, so pushes may still use the pack: " + marked.error().message);
    return;
  }
  const std::scoped_lock lock(mutex_);
  ++set_count_;
}

void DamageMarks::clear(ObjectStore& store, const Digest& pack) {
  if (read_only_) return;
  if (const auto cleared = clear_damaged(store, pack); !cleared.ok()) {
    findings_.report(Finding::Severity::kWarning, damaged_name(pack),
                     "the pack is whole, but its damage mark could not be removed: " + cleared.error().message);
    return;
  }
  const std::scoped_lock lock(mutex_);
  ++cleared_count_;
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
