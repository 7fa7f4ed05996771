#include "engine/repository/damage.h"

#include "engine/format/manifest.h"
#include "engine/format/names.h"

namespace drs {

Result<void> mark_damaged(ObjectStore& store, const Clock& clock, const Digest& pack, const std::string& found_by,
                          const std::string& problem) {
  DamagedMark mark;
  mark.pack = pack;
  mark.found_ns = clock.wall_ns();
  mark.found_by = found_by;
  mark.problem = problem.substr(0, 1000);
  auto stored = put_object(store, damaged_name(pack), encode_damaged(mark));
  if (!stored.ok() && stored.error().code == ErrorCode::kAlreadyExists) return {};
  return stored;
}

Result<void> clear_damaged(ObjectStore& store, const Digest& pack) {
  auto removed = store.remove(damaged_name(pack));
  if (!removed.ok() && removed.error().code == ErrorCode::kNotFound) return {};
  return removed;
}

}  // namespace drs
