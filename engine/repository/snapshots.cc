#include "engine/repository/snapshots.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"

namespace drs {
namespace {

Result<Snapshot> open_manifest(const Repository& repository, const std::string& name, Result<Bytes> read) {
  DRS_ASSIGN_OR_RETURN(const Bytes object, std::move(read));
  const auto parsed = parse_name(name);
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(repository.keys(), ObjectKind::kManifest, name, object));
  Snapshot snapshot;
  DRS_ASSIGN_OR_RETURN(snapshot.manifest, decode_manifest(body));
  if (snapshot.manifest.session != parsed->uuid ||
      repository.keys().stream_tag(snapshot.manifest.stream) != parsed->tag)
    return Error(ErrorCode::kCorrupt, "the manifest's name does not agree with what it holds");
  snapshot.name = name;
  snapshot.digest = sha256(object);
  return snapshot;
}

bool older(const Snapshot& a, const Snapshot& b) {
  return std::tie(a.manifest.stream, a.manifest.sequence, a.manifest.snapshot_ns, a.manifest.session) <
         std::tie(b.manifest.stream, b.manifest.sequence, b.manifest.snapshot_ns, b.manifest.session);
}

// Edit distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string near_matches(const SnapshotCatalog& catalog, const std::string& wanted) {
  std::set<std::string> streams;
  for (const Snapshot& snapshot : catalog.live) streams.insert(snapshot.manifest.stream);
  if (streams.empty()) return "the repository holds no snapshot";
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const std::string& stream : streams) {
    const bool contains = stream.find(wanted) != std::string::npos || wanted.find(stream) != std::string::npos;
    ranked.emplace_back(contains ? 0 : distance(stream, wanted), stream);
  }
  std::sort(ranked.begin(), ranked.end());
  std::string text = "nearest streams: ";
  for (std::size_t i = 0; i < std::min<std::size_t>(ranked.size(), 3); ++i) {
    if (i > 0) text += ", ";
    text += ranked[i].second;
  }
  return text;
}

Error broken_error(const BrokenManifest& broken) {
  return broken.error.with_context(broken.name);
}

}  // namespace

const Snapshot* SnapshotCatalog::latest(std::string_view stream) const {
  const Snapshot* found = nullptr;
  for (const Snapshot& snapshot : live)
    if (snapshot.manifest.stream == stream) found = &snapshot;
  return found;
}

Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream) {
  std::optional<StreamTag> only;
  if (stream) only = repository.keys().stream_tag(*stream);
  ObjectStore& store = repository.store();
  SnapshotCatalog catalog;
  const auto of_stream = [&](const ObjectInfo& info) { return !only || *only == parse_name(info.key)->tag; };
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> manifests, repository.list(ObjectKind::kManifest));
  std::erase_if(manifests, [&](const ObjectInfo& info) { return !of_stream(info); });
  // Marks after manifests: a manifest is never live beside its mark, whichever appeared first.
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> marks, repository.list(ObjectKind::kRemoved));
  std::erase_if(marks, [&](const ObjectInfo& info) { return !of_stream(info); });

  std::unordered_set<std::string> removed;
  const auto take_mark = [&](std::size_t place, Result<Bytes> object) -> Result<void> {
    const std::string& name = marks[place].key;
    if (!object.ok()) {
      const ErrorCode code = object.error().code;
      if (code == ErrorCode::kNotFound) return {};  // pruned since it was listed, its manifest before it
      if (code != ErrorCode::kCorrupt && code != ErrorCode::kTruncated && code != ErrorCode::kIo)
        return std::move(object).error();
    }
    const auto decode = [&]() -> Result<RemovedMark> {
      DRS_RETURN_IF_ERROR(object.ok() ? Result<void>() : Result<void>(object.error()));
      DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(repository.keys(), ObjectKind::kRemoved, name, *object));
      DRS_ASSIGN_OR_RETURN(RemovedMark mark, decode_removed(body));
      if (removed_name(mark.manifest_name) != name)
        return Error(ErrorCode::kCorrupt, "the mark's name does not agree with what it holds");
      return mark;
    };
    auto mark = decode();
    if (!mark.ok()) {
      catalog.broken.push_back({name, std::move(mark).error(), "", true});
      return {};
    }
    removed.insert(mark->manifest_name);
    catalog.removed.push_back(*std::move(mark));
    return {};
  };
  DRS_RETURN_IF_ERROR(get_documents(store, marks, kDocumentBytesMax, take_mark));

  std::vector<ObjectInfo> not_removed;
  for (const ObjectInfo& info : manifests)
    if (!removed.contains(info.key)) not_removed.push_back(info);
  const auto take_manifest = [&](std::size_t place, Result<Bytes> object) -> Result<void> {
    const std::string& name = not_removed[place].key;
    auto snapshot = open_manifest(repository, name, std::move(object));
    if (snapshot.ok()) {
      catalog.live.push_back(*std::move(snapshot));
      return {};
    }
    switch (snapshot.error().code) {
      case ErrorCode::kNotFound: break;  // removed since it was listed
      case ErrorCode::kCorrupt:
      case ErrorCode::kTruncated:
      case ErrorCode::kFormatTooNew:
      case ErrorCode::kIo: catalog.broken.push_back({name, std::move(snapshot).error(), "", false}); break;
      default: return std::move(snapshot).error();
    }
    return {};
  };
  DRS_RETURN_IF_ERROR(get_documents(store, not_removed, kDocumentBytesMax, take_manifest));
  // They came in no order.
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(catalog.broken.begin(), catalog.broken.end(), by_name);
  std::sort(catalog.removed.begin(), catalog.removed.end(),
            [](const RemovedMark& a, const RemovedMark& b) { return a.manifest_name < b.manifest_name; });
  std::sort(catalog.live.begin(), catalog.live.end(), older);

  std::unordered_set<std::string> predecessors;
  std::map<StreamTag, std::string> streams;
  for (const Snapshot& snapshot : catalog.live) {
    predecessors.insert(snapshot.manifest.predecessor_name);
    streams.try_emplace(repository.keys().stream_tag(snapshot.manifest.stream), snapshot.manifest.stream);
  }
  for (BrokenManifest& broken : catalog.broken) {
    const auto parsed = parse_name(broken.name);
    if (const auto known = streams.find(parsed->tag); known != streams.end()) broken.stream = known->second;
    broken.superseded = broken.superseded || predecessors.contains(broken.name);
  }

  std::unordered_set<std::string> present;
  for (const ObjectInfo& info : manifests) present.insert(info.key);
  for (const Snapshot& snapshot : catalog.live) {
    const std::string& predecessor = snapshot.manifest.predecessor_name;
    if (!predecessor.empty() && !present.contains(predecessor) && !removed.contains(predecessor))
      catalog.missing.push_back({snapshot.manifest.stream, predecessor, snapshot.name});
  }
  return catalog;
}

Result<const Snapshot*> select_snapshot(const SnapshotCatalog& catalog, const Selector& selector) {
  if (selector.stream.empty()) {
    const Snapshot* found = nullptr;
    std::size_t matches = 0;
    std::string ids;
    for (const Snapshot& snapshot : catalog.live) {
      if (!snapshot.id().starts_with(selector.text)) continue;
      found = &snapshot;
      if (++matches <= 3) ids += (ids.empty() ? "" : ", ") + snapshot.id() + " (" + snapshot.manifest.stream + ")";
    }
    if (matches == 1) return found;
    if (matches > 1)
      return Error(ErrorCode::kUsage,
                   "'" + selector.text + "' begins the ids of " + std::to_string(matches) + " snapshots: " + ids);
    for (const BrokenManifest& broken : catalog.broken) {
      const auto parsed = parse_name(broken.name);
      if (parsed && parsed->kind == ObjectKind::kManifest && parsed->uuid.hex().starts_with(selector.text))
        return broken_error(broken);
    }
    return Error(ErrorCode::kUsage,
                 "no stream or snapshot id '" + selector.text + "'; " + near_matches(catalog, selector.text));
  }

  const Snapshot* found = nullptr;
  const Snapshot* oldest = nullptr;
  for (const Snapshot& snapshot : catalog.live) {
    if (snapshot.manifest.stream != selector.stream) continue;
    if (oldest == nullptr) oldest = &snapshot;
    if (!selector.at_or_before) {
      found = &snapshot;
    } else if (snapshot.manifest.snapshot_ns <= *selector.at_or_before &&
               (found == nullptr || snapshot.manifest.snapshot_ns >= found->manifest.snapshot_ns)) {
      found = &snapshot;
    }
  }
  if (!selector.at_or_before) {
    for (const BrokenManifest& broken : catalog.broken)
      if (broken.stream == selector.stream && !broken.superseded)
        return broken_error(broken).with_context(
            "the newest snapshot of stream '" + selector.stream +
            "' may be the one whose manifest is damaged; name an older one by its id or time");
  }
  if (found != nullptr) return found;
  if (oldest == nullptr && !catalog.broken.empty())
    return broken_error(catalog.broken.front())
        .with_context("no readable snapshot of stream '" + selector.stream +
                      "', and a damaged manifest that may be one");
  if (oldest == nullptr)
    return Error(ErrorCode::kUsage, "no stream '" + selector.stream + "'; " + near_matches(catalog, selector.stream));
  return Error(ErrorCode::kUsage, "stream '" + selector.stream + "' has no snapshot that old ('" + selector.text +
                                      "'); its oldest is " + oldest->id());
}

}  // namespace drs
