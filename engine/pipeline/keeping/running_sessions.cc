#include "engine/pipeline/keeping/running_sessions.h"

#include <algorithm>
#include <map>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

Result<SessionRecord> open_session(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kSession, name, object));
  DRS_ASSIGN_OR_RETURN(SessionRecord record, decode_session(body));
  const auto parsed = parse_name(name);
  if (record.session != parsed->uuid || keys.stream_tag(record.stream) != parsed->tag)
    return Error(ErrorCode::kCorrupt, "the session's name differs from its content");
  return record;
}

}  // namespace

Result<std::vector<RunningSession>> load_sessions(Repository& repository) {
  ObjectStore& store = repository.store();
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository.list(ObjectKind::kSession));
  std::map<std::pair<Uuid, StreamTag>, std::pair<RunningSession, ObjectInfo>> by_session;
  for (const ObjectInfo& info : listed) {
    const auto parsed = parse_name(info.key);
    auto& [session, last] = by_session[{parsed->uuid, parsed->tag}];
    session.session = parsed->uuid;
    session.tag = parsed->tag;
    session.first_ns = session.objects.empty() ? info.modified_ns : std::min(session.first_ns, info.modified_ns);
    session.objects.push_back(info.key);
    if (!last.key.empty() && parsed->number < session.number) continue;
    session.number = parsed->number;
    session.stored_ns = info.modified_ns;
    last = info;
  }
  std::vector<RunningSession> sessions;
  std::vector<ObjectInfo> last_objects;
  for (auto& [key, entry] : by_session) {
    sessions.push_back(std::move(entry.first));
    last_objects.push_back(std::move(entry.second));
  }
  std::vector<bool> ended(sessions.size());
  DRS_RETURN_IF_ERROR(get_documents(
      store, last_objects, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
        if (!object.ok() && is_absent(object.error())) {
          // A process removes its objects only when the outcome of its commit is known. Others of the same session may
          // run: each copy of a snapshot has objects of its own.
          ended[place] = sessions[place].objects.size() == 1;
          return {};
        }
        if (!object.ok() && !is_object_fault(object.error()) && object.error().code != ErrorCode::kDenied)
          return object.error();
        if (!object.ok()) return {};
        RunningSession& session = sessions[place];
        session.digest = sha256(*object);
        auto record = open_session(repository.keys(), last_objects[place].key, *object);
        if (record.ok()) session.record = *std::move(record);
        return {};
      }));
  std::size_t place = 0;
  std::erase_if(sessions, [&](const RunningSession&) { return ended[place++]; });
  return sessions;
}

Result<void> put_fence(Repository& repository, const FencedSession& session, std::string_view fenced_by) {
  const std::string name = manifest_name(repository.keys().stream_tag(session.stream), session.session);
  const Fence fence{.session = session.session,
                    .stream = session.stream,
                    .fenced_ns = repository.clock().wall_ns(),
                    .fenced_by = std::string(fenced_by)};
  const Bytes object = encode_document(repository.keys(), ObjectKind::kFence, name, encode_fence(fence));
  ObjectStore& store = repository.store();
  const PutOutcome put = settle_put(store, name, object, put_object(store, name, object));
  // Whatever has the name decides: a manifest that was faster, or the fence of another prune.
  if (put.stored() || put.state == PutOutcome::State::kOtherBytes) return {};
  return put.result();
}

}  // namespace drs
