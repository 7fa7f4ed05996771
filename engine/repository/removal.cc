#include "engine/repository/removal.h"

#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "io/error_class.h"

namespace drs {

Result<RemovedMark> open_removed(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kRemoved, name, object));
  DRS_ASSIGN_OR_RETURN(RemovedMark mark, decode_removed(body));
  if (removed_name(mark.manifest_name) != name)
    return Error(ErrorCode::kCorrupt, "the mark's name does not agree with what it holds");
  return mark;
}

Result<std::optional<RemovedMark>> removal_of(const RepositoryKeys& keys, ObjectStore& store,
                                              const std::string& manifest_name) {
  const std::string name = removed_name(manifest_name);
  // Without bucket-wide list permission, S3 answers 403 for a missing object; `stat` looks in a list then.
  const auto there = store.stat(name);
  if (!there.ok() && there.error().code == ErrorCode::kNotFound) return std::optional<RemovedMark>();
  if (!there.ok()) return there.error();
  const auto object = get_document(store, name, kDocumentBytesMax);
  auto mark = object.ok() ? open_removed(keys, name, *object) : Result<RemovedMark>(object.error());
  if (mark.ok()) return std::optional(*std::move(mark));
  if (mark.error().code == ErrorCode::kNotFound || is_damage(mark.error())) return std::optional<RemovedMark>();
  return std::move(mark).error();
}

}  // namespace drs
