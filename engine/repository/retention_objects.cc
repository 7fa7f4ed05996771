#include "engine/repository/retention_objects.h"

#include "engine/format/corrupt.h"
#include "engine/format/document.h"

namespace drs {

Result<Waits> open_waits(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kWaits, name, object));
  DRS_ASSIGN_OR_RETURN(Waits waits, decode_waits(body));
  if (waits_name(waits.record) != name) return corrupt("waits: they name another record than their object name");
  return waits;
}

Result<Retired> open_retired(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kRetired, name, object));
  DRS_ASSIGN_OR_RETURN(Retired retired, decode_retired(body));
  const auto parsed = parse_name(name);
  if (!parsed || parsed->tag != retired.tag) return corrupt("retired: it names another stream than its object name");
  if (!retired.stream.empty() && keys.stream_tag(retired.stream) != retired.tag)
    return corrupt("retired: its stream differs from its tag");
  return retired;
}

Result<Hold> open_hold(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  const auto parsed = parse_name(name);
  if (!parsed || (parsed->kind != ObjectKind::kKept && parsed->kind != ObjectKind::kHold))
    return corrupt("hold: its object has the name of another kind");
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, parsed->kind, name, object));
  DRS_ASSIGN_OR_RETURN(Hold hold, decode_hold(body));
  if (manifest_name(parsed->tag, parsed->uuid) != hold.manifest_name)
    return corrupt("hold: it names another manifest than its object name");
  if (parsed->kind == ObjectKind::kHold && !hold.overrides.empty())
    return corrupt("hold: only an object under kept/ may override others");
  return hold;
}

}  // namespace drs
