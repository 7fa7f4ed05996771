#include "engine/repository/snapshots.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "io/error_class.h"

namespace drs {
namespace {

// The name of the manifest that an entry of `broken` is or marks as removed.
std::string manifest_of(const BrokenManifest& broken) {
  const auto parsed = parse_name(broken.name);
  return manifest_name(parsed->tag, parsed->uuid);
}

Digest digest_of(const Result<Bytes>& object) {
  return object.ok() ? sha256(*object) : Digest{};
}

bool older(const Snapshot& a, const Snapshot& b) {
  return std::tie(a.manifest.stream, a.manifest.sequence, a.manifest.snapshot_ns, a.manifest.session) <
         std::tie(b.manifest.stream, b.manifest.sequence, b.manifest.snapshot_ns, b.manifest.session);
}

}  // namespace

const Snapshot* SnapshotCatalog::latest(std::string_view stream) const {
  const Snapshot* found = nullptr;
  for (const Snapshot& snapshot : live)
    if (snapshot.manifest.stream == stream) found = &snapshot;
  return found;
}

NextSnapshot SnapshotCatalog::next(std::string_view stream) const {
  NextSnapshot next;
  next.predecessor = latest(stream);
  std::uint64_t highest = next.predecessor == nullptr ? 0 : next.predecessor->manifest.sequence;
  for (const RemovedMark& mark : removed)
    if (mark.stream == stream) highest = std::max(highest, mark.sequence);
  std::set<std::string> readable;
  for (const Snapshot& snapshot : live) readable.insert(snapshot.name);
  std::map<std::string, Digest> unreadable;
  std::set<std::string> unaccounted;
  for (const BrokenManifest& entry : broken) {
    if (entry.stream != stream) continue;
    const std::string name = manifest_of(entry);
    if (readable.contains(name)) continue;  // only its mark is broken
    unreadable.try_emplace(name);
    if (name == entry.name) unreadable[name] = entry.digest;
    if (!entry.accounted) unaccounted.insert(name);
  }
  next.sequence = highest + unaccounted.size() + 1;
  for (const auto& [name, digest] : unreadable)
    if (next.unreadable.size() < kManifestUnreadableMax) next.unreadable.push_back({name, digest});
  return next;
}

Result<Manifest> read_manifest(const Repository& repository, ObjectStore& store, const Snapshot& snapshot) {
  auto manifest = read_again_if_damaged([&]() -> Result<Manifest> {
    DRS_ASSIGN_OR_RETURN(const Bytes object, get_object(store, snapshot.name, kDocumentBytesMax));
    DRS_ASSIGN_OR_RETURN(Manifest opened, open_manifest(repository.keys(), snapshot.name, object));
    if (document_identity(object) != snapshot.digest)
      return Error(ErrorCode::kCorrupt, "it reads differently than a moment before");
    return opened;
  });
  if (!manifest.ok()) return std::move(manifest).error().with_context(snapshot.name);
  return manifest;
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
      if (object.error().code == ErrorCode::kNotFound) return {};  // pruned since it was listed, its manifest before it
      if (!is_damage(object.error())) return std::move(object).error();
    }
    auto mark = object.ok() ? open_removed(repository.keys(), name, *object) : Result<RemovedMark>(object.error());
    if (!mark.ok()) {
      catalog.broken.push_back({name, std::move(mark).error(), digest_of(object), "", false, 0});
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
  // By live manifests, as predecessors or as unreadable: the least sequence number of those.
  std::unordered_map<std::string, std::uint64_t> accounted;
  const auto account = [&accounted](const std::string& name, std::uint64_t sequence) {
    const auto [entry, first] = accounted.try_emplace(name, sequence);
    if (!first) entry->second = std::min(entry->second, sequence);
  };
  const auto take_manifest = [&](std::size_t place, Result<Bytes> object) -> Result<void> {
    const std::string& name = not_removed[place].key;
    auto opened =
        object.ok() ? open_manifest_object(repository.keys(), name, *object) : Result<ManifestObject>(object.error());
    if (!opened.ok()) {
      if (opened.error().code == ErrorCode::kNotFound) return {};  // removed since it was listed
      if (!is_damage(opened.error())) return std::move(opened).error();
      catalog.broken.push_back({name, std::move(opened).error(), digest_of(object), "", false, std::nullopt});
      return {};
    }
    auto* const manifest = std::get_if<Manifest>(&*opened);
    if (manifest == nullptr) {
      catalog.fences.push_back(name);
      return {};
    }
    for (const UnreadableManifest& unreadable : manifest->unreadable) account(unreadable.name, manifest->sequence);
    if (!manifest->predecessor_name.empty()) account(manifest->predecessor_name, manifest->sequence);
    catalog.live.push_back({name, document_identity(*object), static_cast<ManifestHeader&&>(*manifest)});
    return {};
  };
  DRS_RETURN_IF_ERROR(get_documents(store, not_removed, kDocumentBytesMax, take_manifest));
  // They came in no order.
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(catalog.broken.begin(), catalog.broken.end(), by_name);
  std::sort(catalog.fences.begin(), catalog.fences.end());
  std::sort(catalog.removed.begin(), catalog.removed.end(),
            [](const RemovedMark& a, const RemovedMark& b) { return a.manifest_name < b.manifest_name; });
  std::sort(catalog.live.begin(), catalog.live.end(), older);

  std::map<StreamTag, std::string> streams;
  if (stream) streams.emplace(*only, *stream);
  for (const Snapshot& snapshot : catalog.live)
    streams.try_emplace(repository.keys().stream_tag(snapshot.manifest.stream), snapshot.manifest.stream);
  for (const RemovedMark& mark : catalog.removed)
    streams.try_emplace(repository.keys().stream_tag(mark.stream), mark.stream);
  for (BrokenManifest& broken : catalog.broken) {
    const auto parsed = parse_name(broken.name);
    if (const auto known = streams.find(parsed->tag); known != streams.end()) broken.stream = known->second;
    const auto successor = accounted.find(manifest_of(broken));
    broken.accounted = successor != accounted.end();
    if (broken.accounted && !broken.superseded_by) broken.superseded_by = successor->second;
  }

  std::unordered_set<std::string> present;
  for (const ObjectInfo& info : manifests) present.insert(info.key);
  for (const std::string& fence : catalog.fences) present.erase(fence);
  for (const Snapshot& snapshot : catalog.live) {
    const std::string& predecessor = snapshot.manifest.predecessor_name;
    if (!predecessor.empty() && !present.contains(predecessor) && !removed.contains(predecessor))
      catalog.missing.push_back({snapshot.manifest.stream, predecessor, snapshot.name, snapshot.manifest.sequence});
  }
  return catalog;
}

}  // namespace drs
