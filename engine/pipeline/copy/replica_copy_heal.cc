// ReplicaCopy: copies again what the target has lost of snapshots that it had. Reading all their recipes costs as much
// as verifying the replica, so this runs only if the target's own index shows a loss.
#include <algorithm>
#include <utility>
#include <vector>

#include "engine/format/names.h"
#include "engine/pipeline/copy/replica_copy.h"
#include "engine/repository/block_index.h"
#include "engine/repository/listed_again.h"
#include "io/base/error_class.h"

namespace drs {

Result<void> ReplicaCopy::heal() {
  using Outcome = SnapshotCopy::Outcome;
  if (report_.count(Outcome::kPresent) == 0) return {};
  const std::vector<PackInfo>& there = target_packs_.packs();
  if (std::none_of(there.begin(), there.end(), [](const PackInfo& pack) { return pack.marked; })) {
    if (!names_a_lost_pack(live_->index())) return {};
    DRS_ASSIGN_OR_RETURN(const bool lost, options_.look_through_present ? Result<bool>(true) : shows_a_loss());
    if (!lost) return {};
  }
  std::uint64_t packs = 0;
  for (SnapshotCopy& entry : report_.snapshots) {
    if (entry.outcome != Outcome::kPresent) continue;
    if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "the copy was cancelled");
    DRS_RETURN_IF_ERROR(heal(entry));
    DRS_RETURN_IF_ERROR(session_->heartbeat_result());
    packs += entry.healed_packs;
  }
  if (packs > 0)
    report_.warnings.push_back("the target had lost " + std::to_string(packs) +
                               " packs of snapshots that it holds; they were copied again; find out how they were "
                               "lost, and run `drstream verify --read-data` there");
  return {};
}

bool ReplicaCopy::names_a_lost_pack(const BlockIndex& index) const {
  for (std::uint32_t unit = 0; unit < index.unit_count(); ++unit) {
    for (const IndexedPack& pack : index.unit_packs(unit)) {
      const PackInfo* const there = target_packs_.find(pack.name);
      if (there == nullptr ? !condemned_.contains(pack.name) : there->bytes != pack.bytes) return true;
    }
  }
  return false;
}

Result<bool> ReplicaCopy::shows_a_loss() {
  DRS_ASSIGN_OR_RETURN(const auto index,
                       BlockIndex::load(target_, target_.store(), target_packs_, {index_cache_bytes_}));
  if (!index->problems().empty() || index->vanished()) return true;
  for (std::uint32_t unit = 0; unit < index->unit_count(); ++unit)
    if (index->unit_is_uncovered_pack(unit)) return true;
  return names_a_lost_pack(*index);
}

Result<void> ReplicaCopy::heal(SnapshotCopy& entry) {
  const auto note = [&](Obstacle obstacle, const char* context) {
    obstacle.error = std::move(obstacle.error).with_context(context);
    note_obstacle(entry, obstacle);
    ++progress_.problems;
  };
  auto needs = needs_of(*entry.source);
  if (!needs.ok() && !is_object_fault(needs.error())) return std::move(needs).error();
  if (!needs.ok()) {
    note({needs.error()}, "the target has its manifest, but whether it has all its packs is unknown");
    return {};
  }
  DRS_RETURN_IF_ERROR(leave_what_is_lost(*needs));
  if (needs->packs.empty() && needs->moves.empty()) return {};
  const std::uint64_t packs = report_.packs;
  DRS_ASSIGN_OR_RETURN(auto obstacle, copy_needs(*entry.source, *needs));
  entry.healed_packs = report_.packs - packs;
  if (obstacle)
    note(*std::move(obstacle), "the target has its manifest, but not all its packs");
  else if (entry.healed_packs > 0)
    entry.outcome = SnapshotCopy::Outcome::kHealed;
  return {};
}

Result<void> ReplicaCopy::leave_what_is_lost(Needs& needs) {
  std::vector<std::string> absent;
  std::erase_if(needs.packs, [&](const auto& need) {
    const auto& [pack, bytes] = need;
    if (condemned_.contains(pack)) return true;
    const PackInfo* const there = target_packs_.find(pack);
    if (there == nullptr) absent.push_back(pack_name(pack));
    return there != nullptr && there->bytes == bytes && !needs.marked.contains(pack);
  });
  // A pack is lost if two lists lack it: another copy may have put it after the first list.
  DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(target_.store(), absent));
  std::erase_if(needs.packs, [&](const auto& need) { return listed.contains(pack_name(need.first)); });
  return {};
}

}  // namespace drs
