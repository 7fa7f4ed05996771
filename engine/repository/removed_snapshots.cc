#include "engine/repository/removed_snapshots.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "io/base/ascii.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

constexpr std::size_t kIdDigitsMin = 8;  // as of a selector

bool is_id_text(std::string_view text) {
  return text.size() >= kIdDigitsMin && text.size() <= 32 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string id_of(const Removal& removal) {
  const auto parsed = parse_name(removal.manifest_name);
  return parsed ? parsed->uuid.hex() : std::string();
}

void take(RemovedSnapshot& removed, const std::string& name, const Result<Bytes>& object, const RepositoryKeys& keys) {
  auto manifest = object.ok() ? open_manifest(keys, name, *object) : Result<Manifest>(object.error());
  if (object.ok() && is_fence(keys, name, *object))
    removed.manifest_exists = false;  // in a replica: it was never there
  else if (manifest.ok())
    removed.snapshot = Snapshot{name, document_identity(*object), static_cast<ManifestHeader&&>(*manifest)};
  else if (is_absent(manifest.error()))
    removed.manifest_exists = false;  // a prune has deleted it since it was listed
  else
    removed.problem = std::move(manifest).error();
}

}  // namespace

Result<std::vector<RemovedSnapshot>> load_removed_snapshots(Repository& repository, const SnapshotCatalog& catalog) {
  std::vector<RemovedSnapshot> removed;
  for (const Removal& removal : catalog.removed)
    if (!removal.is_fence())
      removed.push_back({.removal = removal, .manifest_exists = false, .snapshot = {}, .problem = {}});
  std::ranges::sort(removed, {}, [](const RemovedSnapshot& entry) {
    return std::tie(entry.removal.removed_ns, entry.removal.manifest_name);
  });
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < removed.size(); ++i) places.emplace(removed[i].removal.manifest_name, i);
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> manifests, repository.list(ObjectKind::kManifest));
  std::erase_if(manifests, [&](const ObjectInfo& info) { return !places.contains(info.key); });
  DRS_RETURN_IF_ERROR(get_documents(repository.store(), manifests, kDocumentBytesMax,
                                    [&](std::size_t place, Result<Bytes> object) -> Result<void> {
                                      const ObjectInfo& info = manifests[place];
                                      if (!object.ok() && !is_object_fault(object.error())) return object.error();
                                      RemovedSnapshot& entry = removed[places.at(info.key)];
                                      entry.manifest_exists = true;
                                      take(entry, info.key, object, repository.keys());
                                      if (entry.snapshot) entry.snapshot->stored_ns = info.modified_ns;
                                      return {};
                                    }));
  return removed;
}

Result<const Removal*> find_removed(const SnapshotCatalog& catalog, std::string_view text) {
  const std::string id = ascii_lower(text);
  if (!is_id_text(id))
    return Error(ErrorCode::kUsage,
                 "'" + std::string(id) +
                     "' is no id of a snapshot: accepted are its 32 hexadecimal digits, or the first "
                     "8 or more of them; `drstream list --removed` shows them");
  std::map<std::string, const Removal*> found;
  for (const Removal& removal : catalog.removed)
    if (!removal.is_fence() && id_of(removal).starts_with(id)) found.emplace(id_of(removal), &removal);
  if (found.size() == 1) return found.begin()->second;
  if (found.size() > 1)
    return Error(ErrorCode::kUsage, "'" + id + "' begins the ids of " + std::to_string(found.size()) +
                                        " removed snapshots, " + found.begin()->first + " is one of them");
  for (const Snapshot& snapshot : catalog.live)
    if (snapshot.id().starts_with(id))
      return Error(ErrorCode::kNoSnapshot, "snapshot " + snapshot.id() + " of " + snapshot.manifest.stream +
                                               " is not removed: there is nothing to bring back");
  return Error(ErrorCode::kNoSnapshot, "no snapshot whose id begins with '" + id +
                                           "' was removed; `drstream list --removed` shows those that were");
}

const Snapshot* brought_back_as(const SnapshotCatalog& catalog, const ManifestHeader& removed) {
  ManifestHeader wanted = removed;
  for (const Snapshot& snapshot : catalog.live) {
    if (snapshot.manifest.sequence != removed.sequence || snapshot.manifest.stream != removed.stream) continue;
    wanted.session = snapshot.manifest.session;
    if (wanted == snapshot.manifest) return &snapshot;
  }
  return nullptr;
}

}  // namespace drs
