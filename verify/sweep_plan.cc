#include "verify/sweep_plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace drs {

bool SweepShard::contains(const Digest& name) const {
  // The first four bytes, scaled: an arc of the ring.
  const std::uint64_t place = (std::uint64_t{name.data[0]} << 24) | (std::uint64_t{name.data[1]} << 16) |
                              (std::uint64_t{name.data[2]} << 8) | std::uint64_t{name.data[3]};
  return (place * count) >> 32 == number - 1;
}

std::vector<std::size_t> due_packs(std::span<const PackInfo> packs, std::span<const PackProof> proofs,
                                   const SweepScope& scope) {
  const auto is_suspect = [&](std::size_t at) { return packs[at].marked || proofs[at].damaged; };
  const auto proven_ns = [&](std::size_t at) {
    return is_suspect(at) ? WallNs{0} : std::max<WallNs>(proofs[at].at(scope.level), 0);
  };
  std::vector<std::size_t> due;
  for (std::size_t at = 0; at < packs.size(); ++at) {
    if (packs[at].condemned || !scope.shard.contains(packs[at].name)) continue;
    const WallNs when_ns = proven_ns(at);
    if (when_ns == 0 || when_ns < scope.proven_since_ns) due.push_back(at);
  }
  std::ranges::stable_sort(due, {}, [&](std::size_t at) { return std::pair(is_suspect(at), proven_ns(at)); });
  return due;
}

std::vector<const Snapshot*> due_snapshots(const SnapshotCatalog& catalog, const Evidence& evidence,
                                           const SweepScope& scope) {
  struct Due {
    WallNs proven_ns = 0;
    bool newest = false;
    const Snapshot* snapshot = nullptr;
  };
  std::vector<Due> due;
  for (const Snapshot& snapshot : catalog.live) {
    if (!scope.shard.contains(snapshot.digest)) continue;
    const RebuildProof* const proof = evidence.rebuilt(snapshot.digest);
    // Of one that was not equal, the last attempt: it does not use up the budget of each night.
    const WallNs proven_ns = proof != nullptr ? std::max<WallNs>(proof->proven_ns, 0) : 0;
    if (proof != nullptr && proof->well && proven_ns >= scope.proven_since_ns) continue;
    due.push_back({proven_ns, catalog.latest(snapshot.manifest.stream) == &snapshot, &snapshot});
  }
  std::ranges::stable_sort(due, {}, [](const Due& one) {
    return std::tuple(one.proven_ns, !one.newest, -one.snapshot->manifest.snapshot_ns);
  });
  std::vector<const Snapshot*> out;
  out.reserve(due.size());
  for (const Due& one : due) out.push_back(one.snapshot);
  return out;
}

}  // namespace drs
