#include "engine/repository/snapshot_selection.h"

#include <algorithm>
#include <iterator>
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

constexpr std::string_view kNameItByItsId = "; a snapshot can still be selected by its id";

Error damaged(const BrokenManifest& broken, const Selector& selector) {
  return broken.error.with_context(broken.name)
      .with_context("'" + selector.text + "' may mean a snapshot whose manifest cannot be read" +
                    std::string(kNameItByItsId));
}

Error gone(const std::string& problem, const Selector& selector) {
  return {ErrorCode::kRollback,
          "'" + selector.text + "' may mean a snapshot that is missing" + std::string(kNameItByItsId) + ": " + problem};
}

// The times of one stream's snapshots, in the order of their sequence numbers, with those that contradict the others
// replaced by the time of the one before: the longest run of times that do not decrease is believed, of several the one
// with later times.
std::vector<WallNs> consistent_times(std::vector<WallNs> times) {
  if (std::is_sorted(times.begin(), times.end())) return times;
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  // starts[k]: the latest time with which a run of k + 1 times begins, of those looked at; from the end to the front.
  std::vector<std::size_t> starts, next(times.size(), kNone);
  for (std::size_t i = times.size(); i-- > 0;) {
    const auto place =
        std::partition_point(starts.begin(), starts.end(), [&](std::size_t start) { return times[start] >= times[i]; });
    if (place != starts.begin()) next[i] = *std::prev(place);
    if (place == starts.end())
      starts.push_back(i);
    else
      *place = i;
  }
  std::vector<bool> believed(times.size(), false);
  for (std::size_t i = starts.back(); i != kNone; i = next[i]) believed[i] = true;
  WallNs before = times[starts.back()];
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (believed[i]) before = times[i];
    times[i] = before;
  }
  return times;
}

// The snapshots of one stream, in the order of their sequence numbers, with the times with which they count.
std::vector<DatedSnapshot> dated_of_stream(std::span<const Snapshot> snapshots) {
  std::vector<WallNs> times;
  for (const Snapshot& snapshot : snapshots)
    if (has_time_of_a_clock(snapshot.manifest)) times.push_back(snapshot.manifest.snapshot_ns);
  times = consistent_times(std::move(times));
  std::vector<DatedSnapshot> dated;
  auto time = times.begin();
  for (const Snapshot& snapshot : snapshots)
    dated.push_back({has_time_of_a_clock(snapshot.manifest) ? *time++ : snapshot.manifest.snapshot_ns, &snapshot});
  return dated;
}

// The answer by the readable manifests alone, which are sorted by sequence number.
const Snapshot* newest(const SnapshotCatalog& catalog, const Selector& selector) {
  if (!selector.at_or_before) return catalog.latest(selector.stream);
  const Snapshot* found = nullptr;
  for (const DatedSnapshot& dated : oldest_first(catalog, selector.stream)) {
    if (dated.made_ns > *selector.at_or_before) break;
    found = dated.snapshot;
  }
  return found;
}

// The least sequence number above `sequence` of a snapshot that is too new for the selector; nothing without a time in
// the selector, and where there is none.
std::optional<std::uint64_t> first_too_new(const SnapshotCatalog& catalog, const Selector& selector,
                                           std::uint64_t sequence) {
  std::optional<std::uint64_t> least;
  if (!selector.at_or_before) return least;
  for (const DatedSnapshot& dated : oldest_first(catalog, selector.stream)) {
    const std::uint64_t number = dated.snapshot->manifest.sequence;
    if (dated.made_ns > *selector.at_or_before && number > sequence) least = std::min(least.value_or(number), number);
  }
  return least;
}

// Checks that no damaged or missing snapshot may be newer than `found`.
Result<void> check_nothing_newer(const SnapshotCatalog& catalog, const Selector& selector, const Snapshot* found,
                                 std::span<const LostSnapshot> lost) {
  const std::uint64_t sequence = found == nullptr ? 0 : found->manifest.sequence;
  const bool stream_is_known = catalog.latest(selector.stream) != nullptr;
  for (const BrokenManifest& broken : catalog.broken) {
    // The name of a manifest shows its stream only if a readable manifest of the stream exists.
    const bool may_be_of_stream = broken.stream == selector.stream || (!stream_is_known && broken.stream.empty());
    if (may_be_of_stream && (!broken.superseded_by || *broken.superseded_by > sequence))
      return damaged(broken, selector);
  }
  for (const MissingManifest& missing : catalog.missing)
    if (missing.stream == selector.stream && missing.before_sequence > sequence)
      return gone(missing.problem(), selector);
  // What came after a snapshot that is too new is too new itself.
  const std::optional<std::uint64_t> too_new_from = first_too_new(catalog, selector, sequence);
  for (const LostSnapshot& snapshot : lost)
    if (snapshot.stream == selector.stream && snapshot.sequence >= sequence &&
        (!too_new_from || snapshot.sequence < *too_new_from))
      return gone(snapshot.problem, selector);
  return {};
}

// Returns the id of a manifest's snapshot; empty if the name is not that of a manifest.
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
  if (matches.empty()) {
    for (const Removal& removal : catalog.removed)
      if (const std::string id = id_of(removal.manifest_name); !removal.is_fence() && id.starts_with(selector.text))
        return Error(ErrorCode::kNoSnapshot,
                     "snapshot " + id +
                         " was removed: `drstream list --removed` shows when and why, and `drstream "
                         "unforget " +
                         id + "` brings it back as long as its data is there");
    return Error(ErrorCode::kNoSnapshot,
                 "no stream or snapshot id '" + selector.text + "'; " + near_matches(catalog, selector.text));
  }
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

bool is_copy(const ManifestHeader& one, const ManifestHeader& other) {
  return one.stream == other.stream && one.snapshot_ns == other.snapshot_ns && one.bytes == other.bytes &&
         one.sha256 == other.sha256 && one.xxh3 == other.xxh3;
}

bool has_time_of_a_clock(const ManifestHeader& manifest) {
  return manifest.snapshot_ns == manifest.started_ns;
}

std::vector<DatedSnapshot> oldest_first(const SnapshotCatalog& catalog) {
  std::vector<DatedSnapshot> dated;
  for (auto first = catalog.live.begin(); first != catalog.live.end();) {
    const auto last = std::find_if(first, catalog.live.end(), [&](const Snapshot& snapshot) {
      return snapshot.manifest.stream != first->manifest.stream;
    });
    const std::vector<DatedSnapshot> stream = dated_of_stream(std::span(first, last));
    dated.insert(dated.end(), stream.begin(), stream.end());
    first = last;
  }
  std::ranges::stable_sort(dated, {}, &DatedSnapshot::made_ns);
  return dated;
}

std::vector<DatedSnapshot> oldest_first(const SnapshotCatalog& catalog, std::string_view stream) {
  const auto is_of_stream = [&](const Snapshot& snapshot) { return snapshot.manifest.stream == stream; };
  const auto first = std::ranges::find_if(catalog.live, is_of_stream);
  std::vector<DatedSnapshot> dated =
      dated_of_stream(std::span(first, std::find_if_not(first, catalog.live.end(), is_of_stream)));
  std::ranges::stable_sort(dated, {}, &DatedSnapshot::made_ns);
  return dated;
}

WallNs made_ns_of(const SnapshotCatalog& catalog, const Snapshot& snapshot) {
  for (const DatedSnapshot& dated : oldest_first(catalog, snapshot.manifest.stream))
    if (dated.snapshot->name == snapshot.name) return dated.made_ns;
  return snapshot.manifest.snapshot_ns;
}

const Snapshot* held_back(const SnapshotCatalog& catalog, const Selector& selector) {
  if (!selector.at_or_before) return nullptr;
  const Snapshot* found = nullptr;
  for (const DatedSnapshot& dated : oldest_first(catalog, selector.stream)) {
    const WallNs recorded_ns = dated.snapshot->manifest.snapshot_ns;
    if (dated.made_ns <= *selector.at_or_before || recorded_ns > *selector.at_or_before) continue;
    if (found == nullptr || recorded_ns >= found->manifest.snapshot_ns) found = dated.snapshot;
  }
  return found;
}

DatedSnapshot last_by_time(const SnapshotCatalog& catalog, std::string_view stream) {
  const std::vector<DatedSnapshot> dated = oldest_first(catalog, stream);
  return dated.empty() ? DatedSnapshot{} : dated.back();
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
