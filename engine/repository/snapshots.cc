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
#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"

namespace drs {
namespace {

// Returns the manifest's name, if `name` is that of a manifest or of its removal mark; nothing for a retired object.
std::optional<std::string> manifest_of(const std::string& name) {
  const auto parsed = parse_name(name);
  if (parsed->kind == ObjectKind::kRetired) return std::nullopt;
  return manifest_name(parsed->tag, parsed->uuid);
}

Digest digest_of(const Result<Bytes>& object) {
  return object.ok() ? sha256(*object) : Digest{};
}

// How live manifests name one that may be missing, by the manifest with the least sequence number.
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
         ", which is gone without an authentic mark of removal" +
         (fenced ? "; a prune has fenced its session. If this is a replica, a copy of it was killed: `drstream forget` "
                   "it in the source, `drstream unforget` it there, and copy again"
                 : "");
}

const Snapshot* SnapshotCatalog::latest(std::string_view stream) const {
  const Snapshot* found = nullptr;
  for (const Snapshot& snapshot : live)
    if (snapshot.manifest.stream == stream) found = &snapshot;
  return found;
}

const Snapshot* SnapshotCatalog::latest_without_anomaly(std::string_view stream, std::uint64_t before_sequence) const {
  const Snapshot* found = nullptr;
  for (const Snapshot& snapshot : live)
    if (snapshot.manifest.stream == stream && !snapshot.manifest.tags.contains(kAnomalyTag) &&
        snapshot.manifest.sequence < before_sequence)
      found = &snapshot;
  return found;
}

NextSnapshot SnapshotCatalog::next(std::string_view stream) const {
  NextSnapshot next;
  next.predecessor = latest(stream);
  std::uint64_t highest = next.predecessor == nullptr ? 0 : next.predecessor->manifest.sequence;
  for (const Removal& mark : removed)
    if (mark.stream == stream) highest = std::max(highest, mark.sequence);
  std::set<std::string> readable;
  for (const Snapshot& snapshot : live) readable.insert(snapshot.name);
  std::map<std::string, Digest> unreadable;
  std::set<std::string> unaccounted;
  std::uint64_t retired_entries = 0;  // at most, of retired objects that cannot be read
  for (const BrokenManifest& entry : broken) {
    if (entry.stream != stream) continue;
    const auto name = manifest_of(entry.name);
    if (!name) retired_entries += kRetiredEntriesMax;
    if (!name || readable.contains(*name)) continue;  // only its removal mark is broken
    unreadable.try_emplace(*name);
    if (*name == entry.name) unreadable[*name] = entry.digest;
    if (!entry.accounted) unaccounted.insert(*name);
  }
  next.sequence = highest + unaccounted.size() + retired_entries + 1;
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
      return Error(ErrorCode::kCorrupt, "it has changed since it was listed");
    return opened;
  });
  if (!manifest.ok()) return std::move(manifest).error().with_context(snapshot.name);
  return manifest;
}

namespace {

// Reads the listed objects into a catalog.
class CatalogLoader {
 public:
  CatalogLoader(Repository& repository, const std::optional<std::string>& stream, Listing& listing)
      : repository_(repository), listing_(listing) {
    if (stream) only_ = repository.keys().stream_tag(*stream);
  }

  Result<void> load() {
    for (int attempt = 0; attempt < kListAttempts; ++attempt) {
      DRS_RETURN_IF_ERROR(list());
      DRS_RETURN_IF_ERROR(read_marks());
      DRS_RETURN_IF_ERROR(read_retired());
      DRS_RETURN_IF_ERROR(read_manifests());
      if (!rounds_.next()) {
        std::erase_if(catalog.live, [&](const Snapshot& snapshot) { return never_live(snapshot.name); });
        return {};
      }
    }
    return Error(
        ErrorCode::kUnavailable,
        "objects under manifests/, removed/ or retired/ vanish each time they are listed: run the command again "
        "when the prunes of this repository have ended");
  }

  SnapshotCatalog catalog;
  std::unordered_set<std::string> present;  // existing manifests, broken ones included
  std::unordered_set<std::string> removed;  // manifests with an authentic removal mark or its retired entry
  // Manifests that live ones name as predecessor or as unreadable, by name.
  std::map<std::string, Naming> accounted;

 private:
  using Infos = std::vector<ObjectInfo>;

  [[nodiscard]] bool never_live(const std::string& manifest) const {
    return removed.contains(manifest) || retired_fences_.contains(manifest);
  }

  // Lists what is not read yet. A later list is made because an object was listed but not found: its manifests, marks
  // and retired objects that are still listed are broken, and the others were removed in the meantime.
  // Marks are taken after manifests: a manifest with a mark never counts as live, whichever appeared first. Retired
  // objects are taken after marks, since marks are deleted after the retired object that stands for them is durable.
  Result<void> list() {
    const bool again = !done_.empty() || !absent_.empty();
    DRS_ASSIGN_OR_RETURN(manifests_, listing_.take(repository_.store(), ObjectKind::kManifest));
    DRS_ASSIGN_OR_RETURN(marks_, listing_.take(repository_.store(), ObjectKind::kRemoved));
    DRS_ASSIGN_OR_RETURN(retired_, listing_.take(repository_.store(), ObjectKind::kRetired));
    const auto skipped = [&](const ObjectInfo& info) {
      return (only_ && *only_ != parse_name(info.key)->tag) || done_.contains(info.key);
    };
    for (Infos* const infos : {&manifests_, &marks_, &retired_}) std::erase_if(*infos, skipped);
    // A manifest that is new was not there when this began.
    if (again) std::erase_if(manifests_, [&](const ObjectInfo& info) { return !absent_.contains(info.key); });
    absent_.clear();
    return {};
  }

  // Whether an object that could not be read was removed in the meantime. If two lists name it, sets `error` to damage.
  bool is_gone(const std::string& name, Error& error) {
    if (!is_absent(error)) return false;
    if (!rounds_.is_absent_again(name)) {
      absent_.insert(name);
      return true;
    }
    error = listed_but_absent();
    return false;
  }

  // Reads these objects with `take`; what `take` cannot read is broken. `superseded_by`: of the broken ones.
  template <typename Take>
  Result<void> read_all(const Infos& infos, std::optional<std::uint64_t> superseded_by, const Take& take) {
    return get_documents(
        repository_.store(), infos, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
          const std::string& name = infos[place].key;
          auto taken = object.ok() ? take(infos[place], *object) : Result<void>(object.error());
          if (!taken.ok()) {
            Error error = std::move(taken).error();
            if (is_gone(name, error)) return {};
            if (!is_damage(error)) return error;
            if (parse_name(name)->kind == ObjectKind::kManifest) present.insert(name);
            catalog.broken.push_back({name, std::move(error), digest_of(object), "", false, superseded_by});
          }
          done_.insert(name);
          return {};
        });
  }

  Result<void> read_marks() {
    return read_all(marks_, 0, [&](const ObjectInfo& info, const Bytes& object) -> Result<void> {
      DRS_ASSIGN_OR_RETURN(RemovedMark mark, open_removed(repository_.keys(), info.key, object));
      if (removed.insert(mark.manifest_name).second)
        catalog.removed.push_back({std::move(mark), info.modified_ns, false});
      return {};
    });
  }

  Result<void> read_retired() {
    return read_all(retired_, 0, [&](const ObjectInfo& info, const Bytes& object) -> Result<void> {
      DRS_ASSIGN_OR_RETURN(const Retired retired, open_retired(repository_.keys(), info.key, object));
      for (const RetiredEntry& entry : retired.entries) {
        Removal removal = removal_from(retired, entry);
        if (removal.is_fence()) {
          if (retired_fences_.insert(removal.manifest_name).second) catalog.fences.push_back(removal.manifest_name);
        } else if (removed.insert(removal.manifest_name).second) {
          catalog.removed.push_back(std::move(removal));
        }
      }
      return {};
    });
  }

  Result<void> read_manifests() {
    std::erase_if(manifests_, [&](const ObjectInfo& info) { return never_live(info.key); });
    return read_all(manifests_, std::nullopt, [&](const ObjectInfo& info, const Bytes& object) -> Result<void> {
      DRS_ASSIGN_OR_RETURN(ManifestObject opened, open_manifest_object(repository_.keys(), info.key, object));
      take_manifest(info, document_identity(object), std::move(opened));
      return {};
    });
  }

  void take_manifest(const ObjectInfo& info, const Digest& identity, ManifestObject opened) {
    const std::string& name = info.key;
    auto* const manifest = std::get_if<Manifest>(&opened);
    if (manifest == nullptr) {
      catalog.fences.push_back(name);
      return;
    }
    present.insert(name);
    const auto account = [&](const std::string& other, const Naming& naming) {
      const auto rank = [](const Naming& n) { return std::tie(n.sequence, n.named_by); };
      const auto [entry, first] = accounted.try_emplace(other, naming);
      if (!first && rank(naming) < rank(entry->second)) entry->second = naming;
    };
    Naming naming{manifest->stream, name, manifest->sequence, true};
    for (const UnreadableManifest& unreadable : manifest->unreadable) account(unreadable.name, naming);
    naming.was_unreadable = false;
    if (!manifest->predecessor_name.empty()) account(manifest->predecessor_name, naming);
    catalog.live.push_back({name, identity, static_cast<ManifestHeader&&>(*manifest), info.modified_ns});
  }

  Repository& repository_;
  Listing& listing_;
  std::optional<StreamTag> only_;
  Infos manifests_, marks_, retired_;               // to be read
  std::unordered_set<std::string> retired_fences_;  // manifests whose fence a retired object stands for
  std::unordered_set<std::string> done_;            // objects that were read, or are broken
  std::unordered_set<std::string> absent_;          // listed but not found, in this round of reads
  ListingRounds rounds_;
};

}  // namespace

Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream) {
  Listing now;
  return load_snapshots(repository, stream, now);
}

Result<SnapshotCatalog> load_snapshots(Repository& repository, const std::optional<std::string>& stream,
                                       Listing& listing) {
  CatalogLoader loader(repository, stream, listing);
  DRS_RETURN_IF_ERROR(loader.load());
  SnapshotCatalog& catalog = loader.catalog;
  // Lists have no order.
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(catalog.broken.begin(), catalog.broken.end(), by_name);
  std::sort(catalog.fences.begin(), catalog.fences.end());
  const auto repeated = std::ranges::unique(catalog.fences);  // a fence that is retired and not yet deleted
  catalog.fences.erase(repeated.begin(), repeated.end());
  std::sort(catalog.removed.begin(), catalog.removed.end(),
            [](const Removal& a, const Removal& b) { return a.manifest_name < b.manifest_name; });
  std::sort(catalog.live.begin(), catalog.live.end(), older);

  std::map<StreamTag, std::string> streams;
  if (stream) streams.emplace(repository.keys().stream_tag(*stream), *stream);
  for (const Snapshot& snapshot : catalog.live)
    streams.try_emplace(repository.keys().stream_tag(snapshot.manifest.stream), snapshot.manifest.stream);
  for (const Removal& mark : catalog.removed)
    streams.try_emplace(repository.keys().stream_tag(mark.stream), mark.stream);
  for (BrokenManifest& broken : catalog.broken) {
    const auto parsed = parse_name(broken.name);
    if (const auto known = streams.find(parsed->tag); known != streams.end()) broken.stream = known->second;
    const auto name = manifest_of(broken.name);
    if (!name) continue;
    const auto successor = loader.accounted.find(*name);
    broken.accounted = successor != loader.accounted.end();
    if (broken.accounted && !broken.superseded_by) broken.superseded_by = successor->second.sequence;
  }

  // An unreadable object may have been a fence or a mark, or stand for some.
  std::unordered_set<std::string> no_manifests(catalog.fences.begin(), catalog.fences.end());
  std::set<StreamTag> broken_retired;
  for (const BrokenManifest& broken : catalog.broken) {
    if (const auto name = manifest_of(broken.name))
      no_manifests.insert(*name);
    else
      broken_retired.insert(parse_name(broken.name)->tag);
  }
  for (const auto& [name, naming] : loader.accounted) {
    if (loader.present.contains(name) || loader.removed.contains(name)) continue;
    const bool may_be_none = no_manifests.contains(name) || broken_retired.contains(parse_name(name)->tag);
    if (naming.was_unreadable && may_be_none) continue;
    const bool fenced = std::ranges::binary_search(catalog.fences, name);
    catalog.missing.push_back({naming.stream, name, naming.named_by, naming.sequence, naming.was_unreadable, fenced});
  }
  return std::move(catalog);
}

}  // namespace drs
