#include "engine/pipeline/keeping/deletion_record.h"

#include <algorithm>
#include <map>
#include <utility>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/pipeline/keeping/running_sessions.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

Result<CondemnedPacks> open_condemned(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kCondemned, name, object));
  return decode_condemned(body);
}

// Reads every object of one kind with `take`, which stores the content or the error. Lists again while listed objects
// are missing.
Result<void> read_all(Repository& repository, ObjectKind kind,
                      const std::function<void(const ObjectInfo&, const Result<Bytes>&)>& take) {
  ListingRounds rounds;
  std::unordered_set<std::string> known;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> listed, repository.list(kind));
    std::erase_if(listed, [&](const ObjectInfo& info) { return known.contains(info.key); });
    DRS_RETURN_IF_ERROR(get_documents(repository.store(), listed, kDocumentBytesMax,
                                      [&](std::size_t place, Result<Bytes> object) -> Result<void> {
                                        const ObjectInfo& info = listed[place];
                                        if (!object.ok() && is_absent(object.error())) {
                                          if (!rounds.is_absent_again(info.key)) return {};
                                          object = listed_but_absent();
                                        }
                                        if (!object.ok() && !is_object_fault(object.error())) return object.error();
                                        known.insert(info.key);
                                        take(info, object);
                                        return {};
                                      }));
    if (!rounds.next()) return {};
  }
  return Error(ErrorCode::kUnavailable, "objects under " + std::string(name_prefix(kind)) +
                                            " vanish each time they are listed: run the command again when the other "
                                            "prunes of this repository have ended");
}

}  // namespace

Result<std::vector<DeletionRecord>> load_deletion_records(Repository& repository) {
  const RepositoryKeys& keys = repository.keys();
  std::map<Uuid, DeletionRecord> records;
  DRS_RETURN_IF_ERROR(
      read_all(repository, ObjectKind::kCondemned, [&](const ObjectInfo& info, const Result<Bytes>& object) {
        DeletionRecord& record = records[parse_name(info.key)->uuid];
        record.id = parse_name(info.key)->uuid;
        record.stored_ns = info.modified_ns;
        auto opened = object.ok() ? open_condemned(keys, info.key, *object) : Result<CondemnedPacks>(object.error());
        if (opened.ok())
          record.condemned = std::move(opened->packs);
        else
          record.unreadable = std::move(opened).error().with_context(info.key);
      }));
  DRS_RETURN_IF_ERROR(
      read_all(repository, ObjectKind::kWaits, [&](const ObjectInfo& info, const Result<Bytes>& object) {
        const auto record = records.find(parse_name(info.key)->uuid);
        if (record == records.end()) return;  // of a record that is younger than the list of records
        auto opened = object.ok() ? open_waits(keys, info.key, *object) : Result<Waits>(object.error());
        if (opened.ok())
          record->second.waits = *std::move(opened);
        else
          record->second.waits_unreadable = std::move(opened).error().with_context(info.key);
      }));
  std::vector<DeletionRecord> all;
  for (auto& [id, record] : records) all.push_back(std::move(record));
  return all;
}

Result<Uuid> put_condemned(Repository& repository, std::vector<Digest> names) {
  Uuid id;
  random_bytes(id.mutable_view());
  const std::string name = condemned_name(id);
  const CondemnedPacks packs{.condemned_ns = repository.clock().wall_ns(), .packs = std::move(names)};
  const Bytes object = encode_document(repository.keys(), ObjectKind::kCondemned, name, encode_condemned(packs));
  DRS_RETURN_IF_ERROR(put_settled(repository.store(), name, object));
  return id;
}

Result<void> put_waits(Repository& repository, const Uuid& record) {
  DRS_ASSIGN_OR_RETURN(const std::vector<RunningSession> sessions, load_sessions(repository));
  if (sessions.size() > kWaitingSessionsMax)
    return Error(ErrorCode::kUsage, "there are " + std::to_string(sessions.size()) +
                                        " sessions under sessions/, and a prune can wait for " +
                                        std::to_string(kWaitingSessionsMax) +
                                        ": nothing is deleted; if they are not those of running pushes, remove them");
  Waits waits{.record = record, .listed_ns = repository.clock().wall_ns(), .sessions = {}};
  for (const RunningSession& session : sessions)
    waits.sessions.push_back({session.session, session.tag, session.number, session.digest});
  const std::string name = waits_name(record);
  const Bytes object = encode_document(repository.keys(), ObjectKind::kWaits, name, encode_waits(std::move(waits)));
  ObjectStore& store = repository.store();
  const PutOutcome put = settle_put(store, name, object, put_object(store, name, object));
  // Those of another prune, which it listed after the record was durable, too.
  if (put.stored() || put.state == PutOutcome::State::kOtherBytes) return {};
  return put.result();
}

}  // namespace drs
