// What the actors of a schedule do: the real commands.
#include <algorithm>
#include <utility>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/pipeline/copy/copy.h"
#include "engine/pipeline/keeping/removal_marks.h"
#include "engine/pipeline/keeping/unforget.h"
#include "engine/pipeline/pull/pull.h"
#include "engine/pipeline/push/push.h"
#include "engine/pipeline/repair/repair_packs.h"
#include "engine/repository/damage.h"
#include "engine/repository/put_hold.h"
#include "engine/repository/repair_index.h"
#include "engine/repository/snapshots.h"
#include "io/base/error_class.h"
#include "sinks/settled_put.h"
#include "tests/engine/pipeline/keeping/schedule_scene.h"
#include "tests/engine/pipeline/push/buffer_source.h"
#include "verify/verify.h"

namespace drs::test {
namespace {

Result<StoredStream> push_stream(Repository& repository, const std::string& stream, SharedBytes bytes) {
  BufferSource source(*bytes);
  PushOptions options;
  options.stream = stream;
  DRS_ASSIGN_OR_RETURN(const PushMemory memory,
                       plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, options.compression));
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
  ProgressCounters progress;
  CancelToken cancel;
  DRS_ASSIGN_OR_RETURN(const PushReport report, push(repository, source, options, {memory, arena}, {progress, cancel}));
  return StoredStream{report.manifest_name, report.manifest, std::move(bytes)};
}

// Collects nothing: pull itself compares the digests of the whole stream.
class NoSink final : public Sink {
 public:
  Result<void> write(ByteView) override { return {}; }
  Result<void> commit() override { return {}; }
  void abandon() override {}
  void cancel() override {}
  [[nodiscard]] std::string name() const override { return "nowhere"; }
};

Result<void> pull_whole(Repository& repository, const Snapshot& snapshot) {
  DRS_ASSIGN_OR_RETURN(const PullMemory memory, plan_pull({.memory_bytes = kMemoryBytesMin, .threads = 1}));
  DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
  NoSink sink;
  ProgressCounters progress;
  CancelToken cancel;
  DRS_ASSIGN_OR_RETURN(const PullReport report,
                       pull(repository, snapshot, sink, {}, {memory, arena}, {progress, cancel}));
  DRS_ASSERT(report.whole, "the digests of the whole stream were compared");
  return {};
}

Bytes removal_mark(const RepositoryKeys& keys, const StoredStream& snapshot, const Bytes& manifest, WallNs now_ns) {
  const RemovedMark mark{.manifest_name = snapshot.name,
                         .manifest_digest = document_identity(manifest),
                         .stream = snapshot.manifest.stream,
                         .sequence = snapshot.manifest.sequence,
                         .removed_ns = now_ns,
                         .reason = "test"};
  return encode_document(keys, ObjectKind::kRemoved, removed_name(snapshot.name), encode_removed(mark));
}

}  // namespace

PruneOptions prune_at_once() {
  PruneOptions options;
  options.age_min = options.grace = options.undo = {};
  return options;
}

StoredStream Start::push(const std::string& stream, SharedBytes bytes) {
  auto stored = push_stream(*repository_, stream, std::move(bytes));
  DRS_ASSERT(stored.ok(), "a push without others succeeds");
  live_.push_back(*stored);
  return *std::move(stored);
}

SpooledStream Start::spool(const std::string& stream, SharedBytes bytes) {
  const auto before = copy_of(*objects_);
  SpooledStream spooled{.snapshot = push(stream, std::move(bytes)), .record = {}, .held_back = {}};
  live_.pop_back();
  for (const ObjectInfo& info : objects_->list("")) {
    if (before->find(info.key)) continue;
    const auto object = objects_->find(info.key);
    if (info.key == spooled.snapshot.name)
      spooled.record = *object->bytes;
    else
      spooled.held_back.emplace_back(info.key, object->bytes);
    objects_->erase(info.key);
  }
  // As a spool uploads them: packs before the index objects that name them.
  std::ranges::stable_partition(spooled.held_back, [](const auto& entry) { return entry.first.starts_with("packs/"); });
  SessionRecord session;
  session.session = spooled.snapshot.manifest.session;
  session.stream = stream;
  const std::string name = session_name(repository_->keys().stream_tag(stream), session.session, 0);
  objects_->insert(name, encode_document(repository_->keys(), ObjectKind::kSession, name, encode_session(session)),
                   clock_.wall_ns());
  return spooled;
}

void Start::remove(const StoredStream& snapshot) {
  const auto object = objects_->find(snapshot.name);
  objects_->insert(removed_name(snapshot.name),
                   removal_mark(repository_->keys(), snapshot, *object->bytes, clock_.wall_ns()), clock_.wall_ns());
  std::erase_if(live_, [&](const StoredStream& one) { return one.name == snapshot.name; });
  clock_.advance(std::chrono::seconds(1));
}

void Start::rot_table() {
  const auto packs = objects_->list("packs/");
  const auto largest = std::ranges::max_element(packs, {}, &ObjectInfo::size_bytes);
  Bytes bytes = *objects_->find(largest->key)->bytes;
  bytes[bytes.size() - 40] ^= Byte{1};
  objects_->damage(largest->key, std::move(bytes));
  const auto marked =
      mark_damaged(repository_->store(), clock_, parse_name(largest->key)->digest, {.found_by = "test"});
  DRS_ASSERT(marked.ok(), "a mark can be stored");
}

void Start::forget_sessions() {
  for (const ObjectInfo& info : objects_->list("sessions/")) objects_->erase(info.key);
}

void Start::prune(const PruneOptions& options) {
  ProgressCounters progress;
  CancelToken cancel;
  clock_.advance(std::chrono::seconds(1));
  DRS_ASSERT(drs::prune(*repository_, options, {progress, cancel}).ok(), "a prune without others succeeds");
}

void Part::expect(const Error& error, std::initializer_list<ErrorCode> allowed) const {
  if (is_disturbed() || std::ranges::count(allowed, error.code) != 0) return;
  scene.complain(name + " ended with: " + error.message);
}

Actor pushes(std::string stream, SharedBytes bytes) {
  return {"push", [stream = std::move(stream), bytes = std::move(bytes)](Part& part) {
            auto stored = push_stream(part.repository, stream, bytes);
            if (stored.ok())
              part.scene.committed(*std::move(stored));
            else
              part.expect(stored.error(), {ErrorCode::kConflict});
          }};
}

Actor resumes(const SpooledStream& spooled) {
  return {"resume", [&spooled](Part& part) {
            auto push = open_recorded_push(part.repository, spooled.snapshot.name, spooled.record);
            DRS_ASSERT(push.ok(), "the record of a spool opens");
            const auto upload = [&]() -> Result<void> {
              for (const auto& [name, bytes] : spooled.held_back)
                DRS_RETURN_IF_ERROR(put_settled(part.repository.store(), name, *bytes));
              return {};
            };
            const auto finished = finish_recorded_push(part.repository, *push, upload, kMiB);
            if (finished.ok())
              part.scene.committed(spooled.snapshot);
            else
              part.expect(finished.error(), {ErrorCode::kConflict});
          }};
}

Actor copies(std::shared_ptr<const MemoryObjects> source) {
  return {"copy", [source = std::move(source)](Part& part) {
            const auto from = open_repository_of(copy_of(*source), part.scene.clock());
            auto catalog = load_snapshots(*from);
            DRS_ASSERT(catalog.ok(), "the source of a copy can be listed");
            std::vector<const Snapshot*> chosen;
            for (const Snapshot& snapshot : catalog->live) chosen.push_back(&snapshot);
            CopyOptions options;
            options.memory_bytes = kMemoryBytesMin;
            ProgressCounters progress;
            CancelToken cancel;
            const auto report = copy_snapshots({*from, *catalog}, chosen, part.repository, options, {progress, cancel});
            if (!report.ok()) return part.expect(report.error(), {ErrorCode::kConflict});
            for (const SnapshotCopy& copy : report->snapshots) {
              using Outcome = SnapshotCopy::Outcome;
              if (copy.outcome == Outcome::kCopied || copy.outcome == Outcome::kHealed)
                part.scene.committed({copy.target_name, {}, {}});
              else if (copy.outcome == Outcome::kDamaged || copy.outcome == Outcome::kDamagedThere)
                part.expect(Error(ErrorCode::kCorrupt, copy.problem), {});
            }
          }};
}

Actor forgets(StoredStream snapshot) {
  return {"forget", [snapshot = std::move(snapshot)](Part& part) {
            part.scene.will_be_removed(snapshot.name);
            const auto catalog = load_snapshots(part.repository);
            if (!catalog.ok()) return part.expect(catalog.error(), {});
            const auto holds = load_holds(part.repository, part.scene.clock().wall_ns());
            if (!holds.ok()) return part.expect(holds.error(), {ErrorCode::kUnavailable});
            std::vector<const Snapshot*> named;
            for (const Snapshot& one : catalog->live)
              if (one.name == snapshot.name) named.push_back(&one);
            const auto plan = plan_by_name({*catalog, *holds, part.scene.clock().wall_ns()}, named, {});
            const auto written = write_removal_marks(
                part.repository, removal_marks(plan, part.repository.clock().wall_ns(), "test"), {});
            if (!written.ok()) part.expect(written.error(), {});
          }};
}

Actor unforgets(StoredStream snapshot) {
  return {"unforget", [snapshot = std::move(snapshot)](Part& part) {
            ProgressCounters progress;
            CancelToken cancel;
            const auto report = unforget(part.repository, snapshot.name, {}, {progress, cancel});
            if (report.ok())
              part.scene.committed({report->manifest_name, report->manifest, snapshot.stream});
            else
              part.expect(report.error(), {ErrorCode::kConflict, ErrorCode::kNotFound});
          }};
}

Actor holds(StoredStream snapshot) {
  return {"hold", [snapshot = std::move(snapshot)](Part& part) {
            const auto object = part.scene.objects().find(snapshot.name);
            if (!object) return;
            HoldRequest request;
            request.manifest_name = snapshot.name;
            request.manifest_digest = document_identity(*object->bytes);
            const auto report = put_hold(part.repository, request);
            if (report.ok())
              part.scene.held(snapshot.name);
            else
              part.expect(report.error(), {ErrorCode::kConflict, ErrorCode::kNoSnapshot});
          }};
}

Actor prunes(PruneOptions options, int times, std::string name) {
  return {std::move(name), [options, times](Part& part) {
            for (int run = 0; run < times; ++run) {
              ProgressCounters progress;
              CancelToken cancel;
              const auto report = prune(part.repository, options, {progress, cancel});
              if (!report.ok()) {
                part.expect(report.error(), {ErrorCode::kUnavailable});
                continue;
              }
              for (const std::string& problem : report->problems) part.scene.complain(part.name + ": " + problem);
              part.scene.check_snapshots("after a run of " + part.name);
            }
          }};
}

Actor repairs_index(RepairIndexOptions options) {
  return {"repair index", [options](Part& part) {
            ProgressCounters progress;
            CancelToken cancel;
            const auto report = repair_index(part.repository, options, progress, cancel);
            if (!report.ok()) return part.expect(report.error(), {ErrorCode::kUnavailable});
            // That it leaves an object for a session that runs is no damage.
            for (const std::string& problem : report->problems)
              if (problem.find("a running push") == std::string::npos) part.scene.complain(part.name + ": " + problem);
          }};
}

Actor repairs_packs(std::string name) {
  return {std::move(name), [](Part& part) {
            ProgressCounters progress;
            CancelToken cancel;
            const auto report = repair_packs(part.repository, nullptr, {.host = "test"}, {progress, cancel});
            if (!report.ok()) return part.expect(report.error(), {ErrorCode::kUnavailable, ErrorCode::kConflict});
            for (const UnhealedSnapshot& snapshot : report->snapshots)
              if (!part.is_disturbed()) part.scene.complain(part.name + ": " + snapshot.stream + " stays damaged");
            part.scene.check_snapshots("after " + part.name);
          }};
}

Actor reads() {
  return {"read", [](Part& part) {
            Repository& repository = part.repository;
            const auto catalog = load_snapshots(repository);
            if (!catalog.ok()) return part.expect(catalog.error(), {});
            const auto complain = [&](const Snapshot& snapshot, const std::string& what) {
              if (!part.is_disturbed() && !part.scene.is_removed(snapshot.name))
                part.scene.complain(part.name + ": " + snapshot.name + ": " + what);
            };
            for (const Snapshot& snapshot : catalog->live) {
              const auto pulled = pull_whole(repository, snapshot);
              if (!pulled.ok()) complain(snapshot, pulled.error().message);
            }
            ProgressCounters progress;
            CancelToken cancel;
            VerifyOptions options;
            options.read_only = true;
            options.memory_bytes = kMemoryBytesMin;
            options.threads = 1;
            const auto report = verify(repository, *catalog, options, progress, cancel);
            if (!report.ok()) return part.expect(report.error(), {ErrorCode::kUnavailable});
            for (const DamagedSnapshot& damaged : report->damaged_snapshots)
              for (const Snapshot& snapshot : catalog->live)
                if (snapshot.id() == damaged.snapshot_id) complain(snapshot, "verify calls it damaged");
          }};
}

}  // namespace drs::test
