#include "engine/repository/removal.h"

#include <algorithm>

#include "engine/format/document.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"

namespace drs {

Result<RemovedMark> open_removed(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kRemoved, name, object));
  DRS_ASSIGN_OR_RETURN(RemovedMark mark, decode_removed(body));
  if (removed_name(mark.manifest_name) != name)
    return Error(ErrorCode::kCorrupt, "the mark's name differs from the manifest that it names");
  return mark;
}

namespace {

// Returns nothing if there is no mark, or only a damaged one.
Result<std::optional<Removal>> marked_removal_of(const RepositoryKeys& keys, ObjectStore& store,
                                                 const std::string& manifest_name) {
  const std::string name = removed_name(manifest_name);
  // Without bucket-wide list permission, S3 answers 403 for a missing object; `stat` then checks a list.
  const auto there = store.stat(name);
  if (!there.ok() && is_absent(there.error())) return std::optional<Removal>();
  if (!there.ok()) return there.error();
  const auto object = get_document(store, name, kDocumentBytesMax);
  auto mark = object.ok() ? open_removed(keys, name, *object) : Result<RemovedMark>(object.error());
  if (mark.ok()) return std::optional(Removal{*std::move(mark), there->modified_ns, false});
  if (is_object_fault(mark.error())) return std::optional<Removal>();
  return std::move(mark).error();
}

// Reads the retired objects that one list names, until one has an entry of the manifest.
Result<std::optional<Removal>> retired_removal_of(const RepositoryKeys& keys, ObjectStore& store,
                                                  const ParsedName& manifest, const RemovalLook& look,
                                                  ListingRounds& rounds) {
  DRS_ASSIGN_OR_RETURN(const std::unordered_set<std::string> names, list_retired(store, manifest.tag));
  for (const std::string& name : names) {
    if (look.older.contains(name)) continue;
    const auto object = get_document(store, name, kDocumentBytesMax);
    auto retired = object.ok() ? open_retired(keys, name, *object) : Result<Retired>(object.error());
    if (retired.ok()) {
      const auto entry = std::ranges::find(retired->entries, manifest.uuid, &RetiredEntry::session);
      if (entry != retired->entries.end()) return std::optional(removal_from(*retired, *entry));
      continue;
    }
    Error error = std::move(retired).error();
    if (is_absent(error)) {
      if (!rounds.is_absent_again(name)) continue;  // another one took its place
      error = listed_but_absent();
    }
    if (look.damaged == RemovalLook::Damaged::kProvesNothing && is_object_fault(error)) continue;
    return std::move(error).with_context(name);
  }
  return std::optional<Removal>();
}

}  // namespace

Removal removal_from(const Retired& retired, const RetiredEntry& entry) {
  Removal removal;
  removal.manifest_name = manifest_name(retired.tag, entry.session);
  removal.manifest_digest = entry.digest;
  removal.stream = retired.stream;
  removal.sequence = entry.sequence;
  removal.removed_ns = removal.stored_ns = entry.removed_ns;
  removal.retired = true;
  return removal;
}

Result<std::unordered_set<std::string>> list_retired(ObjectStore& store, const StreamTag& tag) {
  std::unordered_set<std::string> names;
  DRS_RETURN_IF_ERROR(store.list(name_prefix(ObjectKind::kRetired), [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (parsed && parsed->kind == ObjectKind::kRetired && parsed->tag == tag) names.insert(info.key);
    return {};
  }));
  return names;
}

Result<std::optional<Removal>> removal_of(const RepositoryKeys& keys, ObjectStore& store,
                                          const std::string& manifest_name, const RemovalLook& look) {
  // The mark first: a retired object is durable before the marks that it stands for are deleted.
  DRS_ASSIGN_OR_RETURN(auto marked, marked_removal_of(keys, store, manifest_name));
  if (marked) return marked;
  const auto parsed = parse_name(manifest_name);
  if (!parsed || parsed->kind != ObjectKind::kManifest) return std::optional<Removal>();
  ListingRounds rounds;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    DRS_ASSIGN_OR_RETURN(auto retired, retired_removal_of(keys, store, *parsed, look, rounds));
    if (retired || !rounds.next()) return retired;
  }
  return Error(ErrorCode::kUnavailable,
               "objects under retired/ vanish each time they are listed: run the command again when the prunes of this "
               "repository have ended");
}

}  // namespace drs
