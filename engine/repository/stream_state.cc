#include "engine/repository/stream_state.h"

#include <algorithm>
#include <map>

#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"

namespace drs {
namespace {

bool missed_limit(const Snapshot& snapshot) {
  return snapshot.manifest.tags.contains(kAnomalyTag);
}

// `dated`: all of one stream, oldest first.
void choose_good(const std::vector<DatedSnapshot>& dated, StreamState& state) {
  const bool any_proven = std::ranges::any_of(dated, [](const DatedSnapshot& one) { return is_proven(*one.snapshot); });
  for (auto one = dated.rbegin(); one != dated.rend(); ++one) {
    if (any_proven ? !is_proven(*one->snapshot) : missed_limit(*one->snapshot)) continue;
    if (state.good.snapshot != nullptr) {
      state.before = one->snapshot;
      return;
    }
    state.good = *one;
    const WallNs stored_ns = one->snapshot->stored_ns;
    if (stored_ns != 0) state.good.made_ns = std::min(state.good.made_ns, stored_ns);
  }
}

}  // namespace

bool is_proven(const Snapshot& snapshot) {
  return snapshot.manifest.producer != ProducerKind::kUnseen && !missed_limit(snapshot);
}

std::vector<StreamState> stream_states(const SnapshotCatalog& catalog) {
  std::map<std::string, StreamState> states;
  std::map<std::string, std::vector<DatedSnapshot>> dated;
  for (const DatedSnapshot& one : oldest_first(catalog)) dated[one.snapshot->manifest.stream].push_back(one);
  for (const auto& [stream, snapshots] : dated) {
    StreamState& state = states[stream];
    state.snapshots = snapshots.size();
    state.newest = catalog.latest(stream);
    choose_good(snapshots, state);
  }
  for (const BrokenManifest& broken : catalog.broken)
    if (const auto name = parse_name(broken.name); name && name->kind == ObjectKind::kManifest)
      ++states[broken.stream].unreadable;
  for (const MissingManifest& missing : catalog.missing) ++states[missing.stream].missing;
  std::vector<StreamState> out;
  for (auto& [stream, state] : states) {
    state.stream = stream;
    out.push_back(std::move(state));
  }
  return out;
}

}  // namespace drs
