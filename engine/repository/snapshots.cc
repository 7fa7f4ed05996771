#include "engine/repository/snapshots.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "io/error_class.h"

namespace drs {
namespace {

// The name of the manifest that `name` is, or marks as removed.
std::string manifest_of(const std::string& name) {
  const auto parsed = parse_name(name);
  return manifest_name(parsed->tag, parsed->uuid);
}

Digest digest_of(const Result<Bytes>& object) {
  return object.ok() ? sha256(*object) : Digest{};
}

// How live manifests name one that may be gone: what the first of them says.
struct Naming {
  std::string stream;
  std::string named_by;
  std::uint64_t sequence = 0;
  bool was_unreadable = false;
};

bool older(const Snapshot& a, const Snapshot& b) {
  return std::tie(a.manifest.stream, a.manifest.sequence, a.manifest.snapshot_ns, a.manifest.session) <
         std::tie(b.manifest.stream, b.manifest.sequence, b.manifest.snapshot_ns, b.manifest.session);
}

}  // namespace

std::string MissingManifest::problem() const {
  return "stream " + stream + ": " + named_by + " names " + name +
         (was_unreadable ? " as a manifest that could not be read" : " as its predecessor") +
         ", which is gone without an authentic mark of removal";
}

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
    const std::string name = manifest_of(entry.name);
    if (readable.contains(name)) continue;  // only its mark is broken
    unreadable.try_emplace(name);
    if (name == entry.name) unreadable[name] = entry.digest;
    if (!entry.accounted) unaccounted.insert(name);
  }
  next.sequence = highest + unaccounted.size() + 1;
  for (const bool accounted : {false, true})
    for (const auto& [name, digest] : unreadable)
      if (unaccounted.contains(name) != accounted && next.unreadable.size() < kManifestUnreadableMax)
        next.unreadable.push_back({name, digest});
  std::ranges::sort(next.unreadable, {}, &UnreadableManifest::name);
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

namespace {

// Reads what the lists name into a catalog.
class CatalogLoader {
 public:
  CatalogLoader(Repository& repository, const std::optional<std::string>& stream) : repository_(repository) {
    if (stream) only_ = repository.keys().stream_tag(*stream);
  }

  Result<void> load() {
    DRS_RETURN_IF_ERROR(list());
    DRS_RETURN_IF_ERROR(read_marks(marks_));
    DRS_RETURN_IF_ERROR(read_manifests(manifests_));
    if (absent_.empty()) return {};
    return load_absent();
  }

  SnapshotCatalog catalog;
  std::unordered_set<std::string> present;  // manifests that are there, broken ones too
  std::unordered_set<std::string> removed;  // manifests that an authentic mark names
  // By live manifests, as predecessors or as unreadable: what that of the least sequence number says.
  std::map<std::string, Naming> accounted;

 private:
  using Infos = std::vector<ObjectInfo>;

  // Marks after manifests: a manifest is never live beside its mark, whichever appeared first.
  Result<void> list() {
    DRS_ASSIGN_OR_RETURN(manifests_, repository_.list(ObjectKind::kManifest));
    DRS_ASSIGN_OR_RETURN(marks_, repository_.list(ObjectKind::kRemoved));
    const auto of_another = [&](const ObjectInfo& info) { return only_ && *only_ != parse_name(info.key)->tag; };
    std::erase_if(manifests_, of_another);
    std::erase_if(marks_, of_another);
    return {};
  }

  // What was listed and is absent is listed again, beside the marks that are new. A manifest that is still listed, and
  // not marked, is broken, and so is such a mark. The others were removed since they were listed.
  Result<void> load_absent() {
    absent_before_ = std::exchange(absent_, {});
    std::unordered_set<std::string> known;
    for (const ObjectInfo& info : marks_)
      if (!absent_before_.contains(info.key)) known.insert(info.key);
    DRS_RETURN_IF_ERROR(list());
    std::erase_if(marks_, [&](const ObjectInfo& info) { return known.contains(info.key); });
    std::erase_if(manifests_, [&](const ObjectInfo& info) { return !absent_before_.contains(info.key); });
    DRS_RETURN_IF_ERROR(read_marks(marks_));
    DRS_RETURN_IF_ERROR(read_manifests(manifests_));
    std::erase_if(catalog.live, [&](const Snapshot& snapshot) { return removed.contains(snapshot.name); });
    return {};
  }

  // Whether an object that could not be read is only gone. Makes `error` damage where two lists name it.
  bool is_gone(const std::string& name, Error& error) {
    if (error.code != ErrorCode::kNotFound) return false;
    if (!absent_before_.contains(name)) {
      absent_.insert(name);
      return true;
    }
    error = listed_but_absent();
    return false;
  }

  Result<void> read_marks(const Infos& marks) {
    return get_documents(
        repository_.store(), marks, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
          const std::string& name = marks[place].key;
          auto mark =
              object.ok() ? open_removed(repository_.keys(), name, *object) : Result<RemovedMark>(object.error());
          if (mark.ok()) {
            removed.insert(mark->manifest_name);
            catalog.removed.push_back(*std::move(mark));
            return {};
          }
          Error error = std::move(mark).error();
          if (is_gone(name, error)) return {};  // pruned since it was listed, its manifest before it
          if (!is_damage(error)) return error;
          catalog.broken.push_back({name, std::move(error), digest_of(object), "", false, 0});
          return {};
        });
  }

  Result<void> read_manifests(const Infos& listed) {
    Infos not_removed;
    for (const ObjectInfo& info : listed)
      if (!removed.contains(info.key)) not_removed.push_back(info);
    return get_documents(repository_.store(), not_removed, kDocumentBytesMax,
                         [&](std::size_t place, Result<Bytes> object) -> Result<void> {
                           return take_manifest(not_removed[place].key, object);
                         });
  }

  Result<void> take_manifest(const std::string& name, const Result<Bytes>& object) {
    auto opened =
        object.ok() ? open_manifest_object(repository_.keys(), name, *object) : Result<ManifestObject>(object.error());
    if (!opened.ok()) {
      Error error = std::move(opened).error();
      if (is_gone(name, error)) return {};
      if (!is_damage(error)) return error;
      present.insert(name);
      catalog.broken.push_back({name, std::move(error), digest_of(object), "", false, std::nullopt});
      return {};
    }
    auto* const manifest = std::get_if<Manifest>(&*opened);
    if (manifest == nullptr) {
      catalog.fences.push_back(name);
      return {};
    }
    present.insert(name);
    const auto account = [&](const std::string& other, bool was_unreadable) {
      Naming naming{manifest->stream, name, manifest->sequence, was_unreadable};
      const auto rank = [](const Naming& n) { return std::tie(n.sequence, n.named_by); };
      const auto [entry, first] = accounted.try_emplace(other, naming);
      if (!first && rank(naming) < rank(entry->second)) entry->second = std::move(naming);
    };
    for (const UnreadableManifest& unreadable : manifest->unreadable) account(unreadable.name, true);
    if (!manifest->predecessor_name.empty()) account(manifest->predecessor_name, false);
    catalog.live.push_back({name, document_identity(*object), static_cast<ManifestHeader&&>(*manifest)});
    return {};
  }

  Repository& repository_;
  std::optional<StreamTag> only_;
  Infos manifests_, marks_;
  std::unordered_set<std::string> absent_;         // listed and not found, in this round of reads
  std::unordered_set<std::string> absent_before_;  // in the first
};

}  // namespace

Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream) {
  CatalogLoader loader(repository, stream);
  DRS_RETURN_IF_ERROR(loader.load());
  SnapshotCatalog& catalog = loader.catalog;
  // They came in no order.
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(catalog.broken.begin(), catalog.broken.end(), by_name);
  std::sort(catalog.fences.begin(), catalog.fences.end());
  std::sort(catalog.removed.begin(), catalog.removed.end(),
            [](const RemovedMark& a, const RemovedMark& b) { return a.manifest_name < b.manifest_name; });
  std::sort(catalog.live.begin(), catalog.live.end(), older);

  std::map<StreamTag, std::string> streams;
  if (stream) streams.emplace(repository.keys().stream_tag(*stream), *stream);
  for (const Snapshot& snapshot : catalog.live)
    streams.try_emplace(repository.keys().stream_tag(snapshot.manifest.stream), snapshot.manifest.stream);
  for (const RemovedMark& mark : catalog.removed)
    streams.try_emplace(repository.keys().stream_tag(mark.stream), mark.stream);
  for (BrokenManifest& broken : catalog.broken) {
    const auto parsed = parse_name(broken.name);
    if (const auto known = streams.find(parsed->tag); known != streams.end()) broken.stream = known->second;
    const auto successor = loader.accounted.find(manifest_of(broken.name));
    broken.accounted = successor != loader.accounted.end();
    if (broken.accounted && !broken.superseded_by) broken.superseded_by = successor->second.sequence;
  }

  // What could not be read was a fence or a mark, perhaps.
  std::unordered_set<std::string> no_manifests(catalog.fences.begin(), catalog.fences.end());
  for (const BrokenManifest& broken : catalog.broken) no_manifests.insert(manifest_of(broken.name));
  for (const auto& [name, naming] : loader.accounted) {
    if (loader.present.contains(name) || loader.removed.contains(name)) continue;
    if (!naming.was_unreadable || !no_manifests.contains(name))
      catalog.missing.push_back({naming.stream, name, naming.named_by, naming.sequence, naming.was_unreadable});
  }
  return std::move(catalog);
}

}  // namespace drs
