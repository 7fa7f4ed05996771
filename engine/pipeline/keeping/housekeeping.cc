#include "engine/pipeline/keeping/housekeeping.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/format/retention.h"
#include "engine/format/verified.h"
#include "engine/repository/damage.h"
#include "engine/repository/evidence.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

// Deletes what it can: an object that the store locks stays, and is counted by nobody. Returns how many are gone.
Result<std::uint64_t> remove_unlocked(ObjectStore& store, const std::vector<ObjectKey>& keys) {
  if (keys.empty()) return 0;
  const auto removed = store.remove_all(keys);
  if (removed.ok()) return keys.size();
  if (removed.error().code != ErrorCode::kDenied) return removed.error();
  std::uint64_t count = 0;
  for (const ObjectKey& key : keys) {
    const auto one = store.remove(key);
    if (one.ok() || is_absent(one.error()))
      ++count;
    else if (one.error().code != ErrorCode::kDenied)
      return one.error();
  }
  return count;
}

// What a stream has to be taken up.
struct StreamMarks {
  std::string stream;  // empty if no mark or fence tells it
  std::vector<RetiredEntry> entries;
  std::vector<ObjectKey> taken;  // the objects of `entries`
  std::size_t fences = 0;
  std::map<Uuid, RetiredEntry> older;  // of its retired objects
  std::map<ObjectKey, std::vector<Uuid>> older_objects;
  bool unreadable = false;  // one of its retired objects: then nothing is rewritten
};

class Retirement {
 public:
  Retirement(Repository& repository, const HousekeepingOptions& options, HousekeepingReport& report)
      : repository_(repository), options_(options), report_(report) {}

  // The order of the model: retired objects are read first, then manifests and marks are listed.
  Result<void> run(const std::vector<std::string>& fences) {
    DRS_RETURN_IF_ERROR(read_retired());
    DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> old_fences, repository_.list(ObjectKind::kManifest));
    std::unordered_set<std::string> manifests;
    for (const ObjectInfo& info : old_fences) manifests.insert(info.key);
    // Only marks whose manifest object is gone.
    DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> old_marks, repository_.list(ObjectKind::kRemoved));
    std::erase_if(old_marks, [&](const ObjectInfo& info) {
      const auto parsed = parse_name(info.key);
      return manifests.contains(manifest_name(parsed->tag, parsed->uuid)) || !is_old(info.modified_ns);
    });
    std::erase_if(old_fences, [&](const ObjectInfo& info) {
      return !std::ranges::binary_search(fences, info.key) || !is_old(info.modified_ns);
    });
    keep_streams_with_enough(old_marks, old_fences);
    DRS_RETURN_IF_ERROR(read_marks(old_marks));
    DRS_RETURN_IF_ERROR(read_fences(old_fences));
    for (auto& [tag, marks] : streams_) DRS_RETURN_IF_ERROR(rewrite(tag, marks));
    return {};
  }

 private:
  [[nodiscard]] bool is_old(WallNs stored_ns) const {
    return stored_ns != 0 && options_.now_ns - stored_ns > options_.undo.count();
  }

  Result<void> read_retired() {
    DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository_.list(ObjectKind::kRetired));
    return get_documents(
        repository_.store(), listed, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
          const std::string& name = listed[place].key;
          StreamMarks& marks = streams_[parse_name(name)->tag];
          if (!object.ok() && !is_object_fault(object.error())) return object.error();
          auto retired =
              object.ok() ? open_retired(repository_.keys(), name, *object) : Result<Retired>(object.error());
          // One that another prune has rewritten meanwhile, too: this run leaves the stream alone.
          if (!retired.ok()) marks.unreadable = true;
          if (!retired.ok()) return {};
          if (!retired->stream.empty()) marks.stream = retired->stream;
          for (const RetiredEntry& entry : retired->entries) {
            marks.older.emplace(entry.session, entry);
            marks.older_objects[name].push_back(entry.session);
          }
          return {};
        });
  }

  // Leaves out the streams that have too few of both, but not what a retired object stands for already.
  void keep_streams_with_enough(std::vector<ObjectInfo>& marks, std::vector<ObjectInfo>& fences) const {
    std::map<StreamTag, std::size_t> counts;
    for (const auto* const objects : {&marks, &fences})
      for (const ObjectInfo& info : *objects) ++counts[parse_name(info.key)->tag];
    const auto has_few = [&](const ObjectInfo& info) {
      const auto parsed = parse_name(info.key);
      const auto stream = streams_.find(parsed->tag);
      if (stream != streams_.end() && stream->second.older.contains(parsed->uuid)) return false;
      return counts[parsed->tag] < options_.retired_together_min;
    };
    std::erase_if(marks, has_few);
    std::erase_if(fences, has_few);
  }

  Result<void> read_marks(const std::vector<ObjectInfo>& listed) {
    return get_documents(
        repository_.store(), listed, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
          if (!object.ok() && !is_object_fault(object.error())) return object.error();
          const ObjectInfo& info = listed[place];
          const auto mark =
              object.ok() ? open_removed(repository_.keys(), info.key, *object) : Result<RemovedMark>(object.error());
          // One that cannot be read stays; so does one of a manifest that could not, which has no digest to be told by.
          if (!mark.ok() || mark->manifest_digest == Digest{}) return {};
          const auto parsed = parse_name(info.key);
          take(info, mark->stream, {parsed->uuid, mark->manifest_digest, mark->sequence, info.modified_ns});
          return {};
        });
  }

  Result<void> read_fences(const std::vector<ObjectInfo>& listed) {
    return get_documents(repository_.store(), listed, kDocumentBytesMax,
                         [&](std::size_t place, Result<Bytes> object) -> Result<void> {
                           if (!object.ok() && !is_object_fault(object.error())) return object.error();
                           if (!object.ok()) return {};
                           const ObjectInfo& info = listed[place];
                           const auto opened = open_manifest_object(repository_.keys(), info.key, *object);
                           const Fence* const fence = opened.ok() ? std::get_if<Fence>(&*opened) : nullptr;
                           if (fence == nullptr) return {};
                           take(info, fence->stream, {fence->session, {}, 0, info.modified_ns});
                           return {};
                         });
  }

  void take(const ObjectInfo& info, const std::string& stream, const RetiredEntry& entry) {
    const StreamTag tag = parse_name(info.key)->tag;
    StreamMarks& marks = streams_[tag];
    // The mark of a damaged manifest may not know its stream.
    if (repository_.keys().stream_tag(stream) == tag) marks.stream = stream;
    marks.entries.push_back(entry);
    marks.taken.push_back(info.key);
    if (entry.is_fence()) ++marks.fences;
  }

  Result<void> rewrite(const StreamTag& tag, StreamMarks& marks) {
    if (marks.unreadable) return {};
    const auto fresh =
        std::ranges::count_if(marks.entries, [&](const auto& entry) { return !stands_for(marks, entry); });
    const std::size_t fewest = (marks.older.size() + kRetiredEntriesMax - 1) / kRetiredEntriesMax;
    if (static_cast<std::size_t>(fresh) < options_.retired_together_min && needed_objects(marks) <= fewest)
      return remove_stood_for(marks);
    std::map<Uuid, RetiredEntry> entries = marks.older;
    for (const RetiredEntry& entry : marks.entries) entries.insert_or_assign(entry.session, entry);
    if (entries.empty()) return {};
    // The new objects are durable before anything that they stand for goes.
    Retired retired{.tag = tag, .stream = marks.stream, .entries = {}};
    for (const auto& [session, entry] : entries) {
      retired.entries.push_back(entry);
      if (retired.entries.size() < kRetiredEntriesMax) continue;
      DRS_RETURN_IF_ERROR(put(retired));
      retired.entries.clear();
    }
    if (!retired.entries.empty()) DRS_RETURN_IF_ERROR(put(retired));
    report_.marks_retired += marks.entries.size() - marks.fences;
    report_.fences_retired += marks.fences;
    DRS_RETURN_IF_ERROR(remove_unlocked(repository_.store(), marks.taken));
    // Only what was read, and whose entries are in the new objects.
    std::vector<ObjectKey> older;
    for (const auto& [name, sessions] : marks.older_objects) older.push_back(name);
    DRS_RETURN_IF_ERROR(remove_unlocked(repository_.store(), older));
    return {};
  }

  static bool stands_for(const StreamMarks& marks, const RetiredEntry& entry) {
    const auto older = marks.older.find(entry.session);
    return older != marks.older.end() && older->second.digest == entry.digest;
  }

  // How many retired objects have all entries together: others are left over from a merge, since the store locks them
  // or a run was ended early, and go with the next one.
  static std::size_t needed_objects(const StreamMarks& marks) {
    std::vector<const std::vector<Uuid>*> objects;
    for (const auto& [name, sessions] : marks.older_objects) objects.push_back(&sessions);
    std::ranges::sort(objects, std::ranges::greater(), [](const auto* sessions) { return sessions->size(); });
    std::size_t needed = 0;
    std::set<Uuid> seen;
    for (const auto* const sessions : objects) {
      const std::size_t before = seen.size();
      seen.insert(sessions->begin(), sessions->end());
      if (seen.size() > before) ++needed;
    }
    return needed;
  }

  // Removes the marks and fences that retired objects stand for already. A store that locks objects keeps them for a
  // while, and a run that was ended early leaves them.
  Result<void> remove_stood_for(const StreamMarks& marks) {
    std::vector<ObjectKey> gone;
    for (std::size_t i = 0; i < marks.entries.size(); ++i)
      if (stands_for(marks, marks.entries[i])) gone.push_back(marks.taken[i]);
    if (gone.empty()) return {};
    // Whoever put the retired objects may have died before their names were durable.
    ObjectStore& store = repository_.store();
    if (store.secures() && !store.locks()) {
      std::vector<ObjectKey> older;
      for (const auto& [name, sessions] : marks.older_objects) older.push_back(name);
      DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(store, older));
      if (listed.size() < older.size()) return {};  // another prune merges them, and removes the marks
      DRS_RETURN_IF_ERROR(store.secure(older));
    }
    DRS_RETURN_IF_ERROR(remove_unlocked(store, gone));
    return {};
  }

  Result<void> put(const Retired& retired) {
    Uuid id;
    random_bytes(id.mutable_view());  // never used before (decision 0006, 2)
    const std::string name = retired_name(retired.tag, id);
    return put_settled(repository_.store(), name,
                       encode_document(repository_.keys(), ObjectKind::kRetired, name, encode_retired(retired)));
  }

  Repository& repository_;
  const HousekeepingOptions& options_;
  HousekeepingReport& report_;
  std::map<StreamTag, StreamMarks> streams_;
};

}  // namespace

Result<void> Housekeeping::drop_manifests(const LiveData& live) {
  std::vector<ObjectKey> gone;
  const std::unordered_set<std::string> kept(live.protected_removed.begin(), live.protected_removed.end());
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository_.list(ObjectKind::kManifest));
  std::unordered_set<std::string> there;
  for (const ObjectInfo& info : listed) there.insert(info.key);
  for (const Removal& removal : live.snapshots.removed)
    if (!kept.contains(removal.manifest_name) && there.contains(removal.manifest_name))
      gone.push_back(removal.manifest_name);
  DRS_ASSIGN_OR_RETURN(report_.manifests, remove_unlocked(repository_.store(), gone));
  return {};
}

Result<void> Housekeeping::clear_marks(const LiveData& live, const std::vector<DeletionRecord>& records,
                                       const std::function<bool(const Digest&)>& is_there) {
  std::vector<ObjectKey> gone;
  // Anyone can write marks, as many as they like.
  std::unordered_set<Digest, FixedBytesHash> condemned;
  if (!live.packs->marks().empty())
    for (const DeletionRecord& record : records) condemned.insert(record.condemned.begin(), record.condemned.end());
  for (const auto& [pack, marks] : live.packs->marks()) {
    if (!condemned.contains(pack) || is_there(pack)) continue;
    for (const PackMarks::Mark& mark : marks.marks) gone.push_back(damaged_name(pack, mark.id));
  }
  DRS_ASSIGN_OR_RETURN(report_.damage_marks, remove_unlocked(repository_.store(), gone));
  gone.clear();
  for (const DeletionRecord& record : records) {
    if (record.unreadable) continue;  // what it names is unknown
    if ((record.waits || record.waits_unreadable) && std::ranges::none_of(record.condemned, is_there))
      gone.push_back(waits_name(record.id));
  }
  DRS_ASSIGN_OR_RETURN(report_.waits, remove_unlocked(repository_.store(), gone));
  return {};
}

Result<void> Housekeeping::join_sweep_records(const LiveData& live) {
  DRS_ASSIGN_OR_RETURN(const Evidence evidence, Evidence::load(repository_, options_.now_ns));
  std::vector<ObjectKey> gone;
  for (const Evidence::Unreadable& record : evidence.unreadable())
    if (record.damaged) gone.push_back(record.name);
  const bool enough = evidence.names().size() >= options_.sweep_records_together_min;
  // Where the store keeps what was joined before, joining it again would only add a record.
  if (enough && !evidence.is_joined()) {
    std::vector<Digest> snapshots;
    for (const Snapshot& snapshot : live.snapshots.live) snapshots.push_back(snapshot.digest);
    // The new records are durable before those go that they stand for.
    for (const Verified& record : evidence.folded(live.packs->packs(), snapshots)) {
      const auto stored = put_record(repository_, repository_.store(), record);
      if (!stored.ok()) return unjoined(stored.error());
    }
    gone.insert(gone.end(), evidence.names().begin(), evidence.names().end());
  }
  const auto removed = remove_unlocked(repository_.store(), gone);
  if (!removed.ok()) return unjoined(removed.error());
  report_.sweep_records = *removed;
  return {};
}

// The prune has done its work: what is hindered here costs only the readers of many records.
Result<void> Housekeeping::unjoined(const Error& error) {
  if (error.code == ErrorCode::kCancelled || error.code == ErrorCode::kUnavailable) return error;
  report_.unjoined = error.message;
  return {};
}

Result<void> Housekeeping::retire(const LiveData& live) {
  return Retirement(repository_, options_, report_).run(live.snapshots.fences);
}

}  // namespace drs
