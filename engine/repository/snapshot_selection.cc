#include "engine/repository/snapshot_selection.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/format/names.h"
#include "engine/repository/edit_distance.h"

namespace drs {
namespace {

std::string near_matches(const SnapshotCatalog& catalog, const std::string& wanted) {
  std::set<std::string> streams;
  for (const Snapshot& snapshot : catalog.live) streams.insert(snapshot.manifest.stream);
  if (streams.empty()) return "the repository holds no snapshot";
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& stream : streams) {
    const bool contains = stream.find(wanted) != std::string::npos || wanted.find(stream) != std::string::npos;
    ranked.emplace_back(contains ? 0 : edit_distance(stream, wanted), stream);
  }
  std::sort(ranked.begin(), ranked.end());
  std::string text = "nearest streams: ";
  for (std::size_t i = 0; i < std::min<std::size_t>(ranked.size(), 3); ++i) {
    if (i > 0) text += ", ";
    text += ranked[i].second;
  }
  return text;
}

constexpr std::string_view kNameItByItsId = "; a snapshot that is named by its id is taken all the same";

Error damaged(const BrokenManifest& broken, const Selector& selector) {
  return broken.error.with_context(broken.name)
      .with_context("'" + selector.text + "' may mean a snapshot whose manifest cannot be read" +
                    std::string(kNameItByItsId));
}

Error gone(const std::string& problem, const Selector& selector) {
  return {ErrorCode::kRollback,
          "'" + selector.text + "' may mean a snapshot that is gone" + std::string(kNameItByItsId) + ": " + problem};
}

// What the readable manifests alone answer. They come by sequence number.
const Snapshot* newest(const SnapshotCatalog& catalog, const Selector& selector) {
  const Snapshot* found = nullptr;
  for (const Snapshot& snapshot : catalog.live) {
    const ManifestHeader& manifest = snapshot.manifest;
    if (manifest.stream != selector.stream) continue;
    if (selector.at_or_before) {
      if (manifest.snapshot_ns > *selector.at_or_before) continue;
      const bool older =
          found != nullptr && !has_time_of_a_clock(manifest) && manifest.snapshot_ns < found->manifest.snapshot_ns;
      if (older) continue;
    }
    found = &snapshot;
  }
  return found;
}

// Whether a snapshot of this sequence number came after one that is already too new for the selector.
bool is_after_its_time(const SnapshotCatalog& catalog, const Selector& selector, std::uint64_t sequence_from,
                       std::uint64_t sequence) {
  return selector.at_or_before && std::any_of(catalog.live.begin(), catalog.live.end(), [&](const Snapshot& snapshot) {
           const ManifestHeader& manifest = snapshot.manifest;
           return manifest.stream == selector.stream && manifest.snapshot_ns > *selector.at_or_before &&
                  manifest.sequence > sequence_from && manifest.sequence <= sequence;
         });
}

// What is damaged or gone may be newer than `found`.
Result<void> check_nothing_newer(const SnapshotCatalog& catalog, const Selector& selector, const Snapshot* found,
                                 std::span<const LostSnapshot> lost) {
  const std::uint64_t sequence = found == nullptr ? 0 : found->manifest.sequence;
  const bool stream_is_known = catalog.latest(selector.stream) != nullptr;
  for (const BrokenManifest& broken : catalog.broken) {
    // Whose it is, its name says only beside a readable one.
    const bool may_be_of_stream = broken.stream == selector.stream || (!stream_is_known && broken.stream.empty());
    if (may_be_of_stream && (!broken.superseded_by || *broken.superseded_by > sequence))
      return damaged(broken, selector);
  }
  for (const MissingManifest& missing : catalog.missing)
    if (missing.stream == selector.stream && missing.before_sequence > sequence)
      return gone(missing.problem(), selector);
  for (const LostSnapshot& snapshot : lost)
    if (snapshot.stream == selector.stream && snapshot.sequence >= sequence &&
        !is_after_its_time(catalog, selector, sequence, snapshot.sequence))
      return gone(snapshot.problem, selector);
  return {};
}

// The id of a manifest's snapshot, empty where the name is none of a manifest.
std::string id_of(const std::string& manifest_name) {
  const auto parsed = parse_name(manifest_name);
  return parsed && parsed->kind == ObjectKind::kManifest ? parsed->uuid.hex() : std::string();
}

Result<const Snapshot*> select_by_id(const SnapshotCatalog& catalog, const Selector& selector,
                                     std::span<const LostSnapshot> lost) {
  struct Match {
    std::string remark;
    const Snapshot* snapshot = nullptr;
    std::optional<Error> trouble = {};
  };
  std::map<std::string, Match> matches;  // by id
  const auto match = [&](const std::string& id, Match found) {
    if (!id.empty() && id.starts_with(selector.text)) matches.try_emplace(id, std::move(found));
  };
  for (const Snapshot& snapshot : catalog.live) match(snapshot.id(), {snapshot.manifest.stream, &snapshot});
  for (const BrokenManifest& broken : catalog.broken)
    match(id_of(broken.name), {"damaged", nullptr, broken.error.with_context(broken.name)});
  for (const MissingManifest& missing : catalog.missing)
    match(id_of(missing.name), {"gone", nullptr, Error(ErrorCode::kRollback, missing.problem())});
  for (const LostSnapshot& snapshot : lost)
    match(id_of(snapshot.manifest_name), {"gone", nullptr, Error(ErrorCode::kRollback, snapshot.problem)});
  if (matches.empty())
    return Error(ErrorCode::kNoSnapshot,
                 "no stream or snapshot id '" + selector.text + "'; " + near_matches(catalog, selector.text));
  if (matches.size() > 1) {
    std::string ids;
    for (auto at = matches.begin(); at != matches.end() && std::distance(matches.begin(), at) < 3; ++at)
      ids += (ids.empty() ? "" : ", ") + at->first + " (" + at->second.remark + ")";
    return Error(ErrorCode::kUsage,
                 "'" + selector.text + "' begins the ids of " + std::to_string(matches.size()) + " snapshots: " + ids);
  }
  const Match& only = matches.begin()->second;
  if (only.snapshot != nullptr) return only.snapshot;
  return *only.trouble;
}

}  // namespace

bool has_time_of_a_clock(const ManifestHeader& manifest) {
  return manifest.snapshot_ns == manifest.started_ns;
}

std::vector<DatedSnapshot> oldest_first(const SnapshotCatalog& catalog) {
  std::vector<DatedSnapshot> dated;
  WallNs latest_ns = 0;  // that a clock gave to the stream's earlier snapshots
  for (const Snapshot& snapshot : catalog.live) {
    const ManifestHeader& manifest = snapshot.manifest;
    if (dated.empty() || dated.back().snapshot->manifest.stream != manifest.stream)
      latest_ns = std::numeric_limits<WallNs>::min();
    WallNs made_ns = manifest.snapshot_ns;
    if (has_time_of_a_clock(manifest)) made_ns = latest_ns = std::max(latest_ns, made_ns);
    dated.push_back({made_ns, &snapshot});
  }
  std::stable_sort(dated.begin(), dated.end(),
                   [](const DatedSnapshot& a, const DatedSnapshot& b) { return a.made_ns < b.made_ns; });
  return dated;
}

DatedSnapshot last_by_time(const SnapshotCatalog& catalog, std::string_view stream) {
  const std::vector<DatedSnapshot> dated = oldest_first(catalog);
  const auto found = std::find_if(dated.rbegin(), dated.rend(),
                                  [&](const DatedSnapshot& one) { return one.snapshot->manifest.stream == stream; });
  return found == dated.rend() ? DatedSnapshot{} : *found;
}

std::span<const Snapshot> siblings_of(const SnapshotCatalog& catalog, const Snapshot& snapshot) {
  const auto by_sequence = [](const Snapshot& a, const Snapshot& b) {
    return std::tie(a.manifest.stream, a.manifest.sequence) < std::tie(b.manifest.stream, b.manifest.sequence);
  };
  const auto [first, last] = std::equal_range(catalog.live.begin(), catalog.live.end(), snapshot, by_sequence);
  return {first, last};
}

Result<const Snapshot*> select_snapshot(const SnapshotCatalog& catalog, const Selector& selector,
                                        std::span<const LostSnapshot> lost) {
  if (selector.stream.empty()) return select_by_id(catalog, selector, lost);
  const Snapshot* const found = newest(catalog, selector);
  DRS_RETURN_IF_ERROR(check_nothing_newer(catalog, selector, found, lost));
  if (found != nullptr) return found;
  if (catalog.latest(selector.stream) == nullptr)
    return Error(ErrorCode::kNoSnapshot,
                 "no stream '" + selector.stream + "'; " + near_matches(catalog, selector.stream));
  return Error(ErrorCode::kNoSnapshot,
               "stream '" + selector.stream + "' has no snapshot that old ('" + selector.text + "')");
}

}  // namespace drs
