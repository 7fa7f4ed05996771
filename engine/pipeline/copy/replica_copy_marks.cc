// ReplicaCopy: carries what says that snapshots were removed.
#include <set>

#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/pipeline/copy/replica_copy.h"
#include "engine/repository/holds.h"
#include "engine/repository/needs.h"
#include "engine/repository/removal.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {

// Stores the source's mark in the target. A retired object is never copied, since a replica may still have what it
// names: its entry becomes a mark of the target's own. So does a mark that a prune of the source has retired since it
// was listed.
Result<void> ReplicaCopy::carry_mark(const Removal& removal) {
  const std::string name = removed_name(removal.manifest_name);
  if (!removal.retired) {
    const auto object = get_object(source_.store(), name, kDocumentBytesMax);
    if (object.ok()) {
      DRS_RETURN_IF_ERROR(open_removed(source_.keys(), name, *object));
      return put_settled(target_.store(), name, *object);
    }
    if (!is_absent(object.error())) return object.error();
  }
  const Bytes own = encode_document(target_.keys(), ObjectKind::kRemoved, name, encode_removed(removal));
  auto stored = put_settled(target_.store(), name, own);
  if (stored.ok() || !is_damage(stored.error())) return stored;
  // Another copy may have made a mark of its own, with other bytes.
  DRS_ASSIGN_OR_RETURN(const auto there, removal_of(target_.keys(), target_.store(), removal.manifest_name));
  return there ? Result<void>() : stored;
}

// The manifests of a mirror that are held, and those that these need.
Result<std::set<std::string>> ReplicaCopy::held_here() {
  std::set<std::string> names;
  if (!options_.mirror) return names;
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(target_, target_.clock().wall_ns()));
  for (const auto& [name, hold] : holds) names.insert(name);
  const auto is_held = [&](const Snapshot& snapshot) { return holds.contains(snapshot.name); };
  for (const Snapshot* const needed : drs::Needs(target_snapshots_).of(is_held)) names.insert(needed->name);
  return names;
}

Result<void> ReplicaCopy::carry_marks(const std::vector<const Snapshot*>& chosen) {
  std::set<std::string> streams;
  for (const Snapshot* const snapshot : chosen) streams.insert(snapshot->manifest.stream);
  const bool all = options_.mirror || chosen.size() == catalog_.live.size();
  std::set<std::string> removed;
  for (const Removal& removal : target_snapshots_.removed) removed.insert(removal.manifest_name);
  std::set<std::string> live;
  for (const Snapshot& snapshot : target_snapshots_.live) live.insert(snapshot.name);
  DRS_ASSIGN_OR_RETURN(const std::set<std::string> held, held_here());
  for (const Removal& removal : catalog_.removed) {
    if (removed.contains(removal.manifest_name) || (!all && !streams.contains(removal.stream))) continue;
    const bool is_live = live.contains(removal.manifest_name);
    if (is_live && !options_.mirror) continue;
    if (is_live && held.contains(removal.manifest_name)) {
      report_.warnings.push_back(removal.manifest_name + " of " + removal.stream +
                                 " was removed in the source, but a hold here keeps it live, or one that needs it: "
                                 "`drstream hold --release`, then copy again");
      continue;
    }
    if (const auto stored = carry_mark(removal); !stored.ok()) {
      // In the target another object may have the mark's name.
      if (!is_object_fault(stored.error())) return stored.error();
      report_.warnings.push_back(removed_name(removal.manifest_name) + " was not copied: " + stored.error().message);
      continue;
    }
    ++report_.removal_marks;
  }
  return {};
}

}  // namespace drs
