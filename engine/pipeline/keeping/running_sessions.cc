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

// A session and its objects that were not read yet, by number, the highest first.
struct ListedSession {
  RunningSession session;
  std::vector<ObjectInfo> unread;
  bool known = false;  // its last object was there
};

std::vector<ListedSession> by_session(const std::vector<ObjectInfo>& listed) {
  std::map<std::pair<Uuid, StreamTag>, ListedSession> found;
  for (const ObjectInfo& info : listed) {
    const auto parsed = parse_name(info.key);
    auto& [session, unread, known] = found[{parsed->uuid, parsed->tag}];
    session.session = parsed->uuid;
    session.tag = parsed->tag;
    session.first_ns = unread.empty() ? info.modified_ns : std::min(session.first_ns, info.modified_ns);
    unread.push_back(info);
  }
  std::vector<ListedSession> sessions;
  for (auto& [key, entry] : found) {
    // Numbers have leading zeros.
    std::ranges::sort(entry.unread, std::ranges::greater(), &ObjectInfo::key);
    sessions.push_back(std::move(entry));
  }
  return sessions;
}

}  // namespace

Result<std::vector<RunningSession>> load_sessions(Repository& repository) {
  ObjectStore& store = repository.store();
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository.list(ObjectKind::kSession));
  std::vector<ListedSession> sessions = by_session(listed);
  for (;;) {
    // Of each session whose stream is not known yet, its next object: the last is enough, unless it is gone or damaged.
    std::vector<ObjectInfo> next;
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < sessions.size(); ++place) {
      if (sessions[place].session.record || sessions[place].unread.empty()) continue;
      next.push_back(sessions[place].unread.front());
      places.push_back(place);
    }
    if (next.empty()) break;
    DRS_RETURN_IF_ERROR(
        get_documents(store, next, kDocumentBytesMax, [&](std::size_t number, Result<Bytes> object) -> Result<void> {
          ListedSession& entry = sessions[places[number]];
          entry.unread.erase(entry.unread.begin());
          // A process removes its objects only when the outcome of its commit is known, and a prune behind a manifest
          // or a fence. Others of the same session may run: each copy of a snapshot has objects of its own.
          if (!object.ok() && is_absent(object.error())) return {};
          if (!object.ok() && !is_object_fault(object.error()) && object.error().code != ErrorCode::kDenied)
            return object.error();
          RunningSession& session = entry.session;
          const ObjectInfo& info = next[number];
          session.objects.push_back(info.key);
          if (!entry.known) {
            entry.known = true;
            session.number = parse_name(info.key)->number;
            session.stored_ns = info.modified_ns;
            if (object.ok()) session.digest = sha256(*object);
          }
          if (!object.ok()) return {};
          auto record = open_session(repository.keys(), info.key, *object);
          if (record.ok()) session.record = *std::move(record);
          return {};
        }));
  }
  std::vector<RunningSession> running;
  for (ListedSession& entry : sessions) {
    if (!entry.known) continue;
    for (const ObjectInfo& info : entry.unread) entry.session.objects.push_back(info.key);
    running.push_back(std::move(entry.session));
  }
  return running;
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
