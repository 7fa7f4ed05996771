#include "engine/pipeline/copy/same_place.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/format/names.h"

namespace drs {

Result<bool> is_same_place(Repository& a, Repository& b, const WriteSession::Identity& identity) {
  if (a.config().repository != b.config().repository) return false;
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<WriteSession> session, WriteSession::begin(a, a.store(), identity, {}));
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> sessions, b.list(ObjectKind::kSession));
  return std::any_of(sessions.begin(), sessions.end(),
                     [&](const ObjectInfo& info) { return parse_name(info.key)->uuid == session->id(); });
}

}  // namespace drs
