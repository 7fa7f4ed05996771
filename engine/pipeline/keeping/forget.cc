#include "engine/pipeline/keeping/forget.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "engine/repository/needs.h"
#include "engine/repository/stream_state.h"

namespace drs {
namespace {

std::span<const Snapshot> snapshots_of(const SnapshotCatalog& catalog, std::string_view stream) {
  const auto range = std::ranges::equal_range(
      catalog.live, stream, {}, [](const Snapshot& snapshot) { return std::string_view(snapshot.manifest.stream); });
  return {range.begin(), range.end()};
}

// When the store received the snapshot; where that is unknown, its own time.
WallNs stored_ns_of(const Snapshot& snapshot) {
  return snapshot.stored_ns != 0 ? snapshot.stored_ns : snapshot.manifest.snapshot_ns;
}

void add(PlannedSnapshot& planned, Shield shield) {
  if (std::ranges::find(planned.shields, shield) == planned.shields.end()) planned.shields.push_back(shield);
}

// Shields what the snapshots that stay need, and what these need. `stays`: by the plan, or otherwise.
void shield_needed(const Needs& needs, std::unordered_map<const Snapshot*, PlannedSnapshot*>& planned,
                   const std::function<bool(const Snapshot&)>& stays) {
  for (const Snapshot* const needed : needs.of(stays))
    if (const auto found = planned.find(needed); found != planned.end()) add(*found->second, Shield::kNeeded);
}

std::unordered_map<const Snapshot*, PlannedSnapshot*> index_of(std::vector<PlannedStream>& plan) {
  std::unordered_map<const Snapshot*, PlannedSnapshot*> planned;
  for (PlannedStream& stream : plan)
    for (PlannedSnapshot& snapshot : stream.snapshots) planned.emplace(snapshot.snapshot, &snapshot);
  return planned;
}

std::vector<std::string> warnings_of(const SnapshotCatalog& catalog, const std::string& stream) {
  std::vector<std::string> warnings;
  std::size_t count = 0;
  for (const BrokenManifest& broken : catalog.broken) {
    if (broken.stream != stream || ++count > kBrokenManifestsNamedMax) continue;
    warnings.push_back(broken.name + " cannot be read, so the rules do not count it: " + broken.error.message);
  }
  if (count > kBrokenManifestsNamedMax)
    warnings.push_back(std::to_string(count) + " manifests and removal marks of " + stream +
                       " cannot be read; the warnings name only the first ones");
  return warnings;
}

// Without `missing.named_by` nobody would miss the lost snapshot, and a prune would delete its data.
Error witness_refusal(const MissingManifest& missing, std::string_view what) {
  return {ErrorCode::kLimitMissed,
          missing.problem() + "; " + std::string(what) +
              " while it is lost: a copy of the repository may have it (`drstream copy`), or give it up with `drstream "
              "forget --damaged " +
              missing.name + "`"};
}

// Refuses those that would go: all, or the one with this manifest. Does nothing if there are none.
void refuse(PlannedStream& stream, Error refusal, std::string_view only = {}) {
  bool any = false;
  for (PlannedSnapshot& planned : stream.snapshots) {
    if (planned.stays() || (!only.empty() && planned.snapshot->name != only)) continue;
    add(planned, Shield::kRefused);
    any = true;
  }
  if (any) stream.refusal = std::move(refusal);
}

// The store's time of each stream's last removal mark.
std::map<std::string_view, WallNs> last_removals(const SnapshotCatalog& catalog) {
  std::map<std::string_view, WallNs> last;
  for (const Removal& mark : catalog.removed) {
    if (mark.is_fence()) continue;
    const WallNs marked_ns = mark.stored_ns != 0 ? mark.stored_ns : mark.removed_ns;
    const auto [entry, first] = last.try_emplace(mark.stream, marked_ns);
    if (!first) entry->second = std::max(entry->second, marked_ns);
  }
  return last;
}

// Plans one stream by rules.
class StreamPlanner {
 public:
  StreamPlanner(const ForgetSources& sources, const ForgetFilter& filter, const KeepRules& rules,
                const std::string& stream)
      : sources_(sources), filter_(filter), rules_(rules), all_(snapshots_of(sources.catalog, stream)) {
    plan_.stream = stream;
  }

  PlannedStream plan() {
    plan_.warnings = warnings_of(sources_.catalog, plan_.stream);
    for (const Snapshot& snapshot : all_)
      if (!filter_.concerns || filter_.concerns(snapshot)) plan_.snapshots.push_back({&snapshot, {}, {}});
    auto reasons = apply_rules([](const Snapshot&) { return true; });
    for (std::size_t i = 0; i < reasons.size(); ++i) plan_.snapshots[i].rules = std::move(reasons[i]);
    shield_newest();
    for (PlannedSnapshot& planned : plan_.snapshots) {
      if (sources_.holds.contains(planned.snapshot->name)) add(planned, Shield::kHeld);
      if (filter_.has_copy && !planned.stays() && !filter_.has_copy(*planned.snapshot)) add(planned, Shield::kNoCopy);
    }
    return std::move(plan_);
  }

  // Why the stream is refused, by the result of `plan` to which the needs were added. `forgotten_ns`: of its last
  // removal, if there was one.
  std::optional<Error> refusal(const PlannedStream& plan, std::optional<WallNs> forgotten_ns) {
    plan_ = plan;
    if (plan_.removed() == 0) return std::nullopt;
    const auto is_ruled = [](const PlannedSnapshot& planned) { return !planned.rules.empty(); };
    if (std::ranges::none_of(plan_.snapshots, is_ruled))
      return refuse("no rule keeps any of its " + std::to_string(plan_.snapshots.size()) +
                    " snapshots: a tag may be mistyped");
    if (forgotten_ns) return refuse_many(*forgotten_ns);
    const std::size_t left = plan_.snapshots.size() - plan_.removed();
    if (left == 1 && plan_.removed() > 1)
      return refuse("all but one of its " + std::to_string(plan_.snapshots.size()) + " snapshots would be removed");
    return std::nullopt;
  }

 private:
  // The rules alone, of the planned snapshots that `counts` accepts.
  template <typename Counts>
  std::vector<std::vector<KeepReason>> apply_rules(const Counts& counts) const {
    std::vector<DatedKeep> dated;
    for (const PlannedSnapshot& planned : plan_.snapshots) {
      const Snapshot& one = *planned.snapshot;
      if (counts(one))
        dated.push_back({one.manifest.snapshot_ns, one.stored_ns, one.manifest.sequence, &one.manifest.tags});
    }
    const WallNs now_ns = sources_.store_now != 0 ? sources_.store_now : std::numeric_limits<WallNs>::max();
    return apply_keep_rules(rules_, dated, now_ns);
  }

  void shield(const Snapshot* snapshot, Shield by) {
    for (PlannedSnapshot& planned : plan_.snapshots)
      if (planned.snapshot == snapshot) add(planned, by);
  }

  void shield_newest() {
    if (all_.empty()) return;
    shield(&all_.back(), Shield::kNewest);
    shield(&*std::ranges::max_element(all_, {}, stored_ns_of), Shield::kNewest);
    for (std::size_t i = all_.size(); i-- > 0;)
      if (is_proven(all_[i])) return shield(&all_[i], Shield::kNewestProven);
  }

  // Of what the last forget had kept, the rules drop as much as newer snapshots replace. What they drop without regard
  // to newer ones shows that the rules are others, or the times.
  [[nodiscard]] std::optional<Error> refuse_many(WallNs forgotten_ns) const {
    const auto was_kept = [&](const Snapshot& snapshot) { return stored_ns_of(snapshot) < forgotten_ns; };
    const auto reasons = apply_rules(was_kept);
    std::size_t kept_before = 0, go = 0;
    for (const PlannedSnapshot& planned : plan_.snapshots) {
      if (!was_kept(*planned.snapshot)) continue;
      if (reasons[kept_before].empty() && !planned.stays()) ++go;
      ++kept_before;
    }
    if (go * 2 <= kept_before) return std::nullopt;
    return refuse("of " + std::to_string(kept_before) + " snapshots that an earlier forget had kept, " +
                  std::to_string(go) + " would be removed although no newer ones take their place");
  }

  [[nodiscard]] Error refuse(const std::string& problem) const {
    return {ErrorCode::kLimitMissed,
            "stream " + plan_.stream + ": " + problem +
                "; none of them is removed. Check the rules, or give --force if they are meant"};
  }

  const ForgetSources& sources_;
  const ForgetFilter& filter_;
  const KeepRules& rules_;
  const std::span<const Snapshot> all_;
  PlannedStream plan_;
};

}  // namespace

std::string_view shield_name(Shield shield) {
  switch (shield) {
    case Shield::kNewest: return "newest";
    case Shield::kNewestProven: return "newest-proven";
    case Shield::kHeld: return "held";
    case Shield::kNeeded: return "needed";
    case Shield::kNoCopy: return "no-copy";
    case Shield::kRefused: return "refused";
  }
  return "";
}

std::size_t PlannedStream::removed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(snapshots, [](const PlannedSnapshot& planned) { return !planned.stays(); }));
}

std::vector<PlannedStream> plan_by_rules(const ForgetSources& sources,
                                         const std::map<std::string, const KeepRules*>& rules,
                                         const ForgetFilter& filter, ForgetGuards guards) {
  std::vector<StreamPlanner> planners;
  std::vector<PlannedStream> plan;
  for (const auto& [stream, of_stream] : rules) {
    planners.emplace_back(sources, filter, *of_stream, stream);
    plan.push_back(planners.back().plan());
  }
  auto planned = index_of(plan);
  const auto stays = [&](const Snapshot& snapshot) {
    const auto found = planned.find(&snapshot);
    return found == planned.end() || found->second->stays();
  };
  const Needs needs(sources.catalog);
  shield_needed(needs, planned, stays);
  for (const MissingManifest& missing : sources.catalog.missing)
    for (PlannedStream& stream : plan)
      if (stream.stream == missing.stream) refuse(stream, witness_refusal(missing, "none of its snapshots is removed"));
  if (guards == ForgetGuards::kOff) return plan;
  const std::map<std::string_view, WallNs> removals = last_removals(sources.catalog);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].refusal) continue;
    const auto last = removals.find(plan[i].stream);
    auto refusal = planners[i].refusal(plan[i], last == removals.end() ? std::nullopt : std::optional(last->second));
    if (refusal) refuse(plan[i], *std::move(refusal));
  }
  shield_needed(needs, planned, stays);
  return plan;
}

std::vector<PlannedStream> plan_by_name(const ForgetSources& sources, std::span<const Snapshot* const> named,
                                        const ForgetFilter& filter) {
  std::vector<PlannedStream> plan;
  const std::unordered_set<const Snapshot*> wanted(named.begin(), named.end());
  for (const Snapshot& snapshot : sources.catalog.live) {
    if (!wanted.contains(&snapshot)) continue;
    if (plan.empty() || plan.back().stream != snapshot.manifest.stream)
      plan.push_back({snapshot.manifest.stream, {}, std::nullopt, {}});
    PlannedSnapshot& planned = plan.back().snapshots.emplace_back(PlannedSnapshot{&snapshot, {}, {}});
    if (sources.holds.contains(snapshot.name)) add(planned, Shield::kHeld);
    if (filter.has_copy && !filter.has_copy(snapshot)) add(planned, Shield::kNoCopy);
  }
  auto planned = index_of(plan);
  const Needs needs(sources.catalog);
  shield_needed(needs, planned, [&](const Snapshot& snapshot) { return sources.holds.contains(snapshot.name); });
  for (PlannedStream& stream : plan) {
    for (const MissingManifest& missing : sources.catalog.missing)
      if (std::ranges::find(sources.given_up, missing.name) == sources.given_up.end())
        refuse(stream, witness_refusal(missing, "that one is not removed"), missing.named_by);
    for (const PlannedSnapshot& one : stream.snapshots) {
      if (one.stays()) continue;
      for (const auto& [snapshot, others] : needs.all())
        if (!wanted.contains(snapshot) && std::ranges::find(others, one.snapshot) != others.end())
          stream.warnings.push_back("snapshot " + snapshot->id() + " of " + snapshot->manifest.stream + " needs " +
                                    one.snapshot->id() + ", which is removed: it cannot be restored without it");
    }
  }
  return plan;
}

}  // namespace drs
