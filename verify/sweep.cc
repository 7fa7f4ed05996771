#include "verify/sweep.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/live_index.h"
#include "engine/repository/parallel.h"
#include "io/base/error_class.h"
#include "verify/check_context.h"
#include "verify/check_memory.h"
#include "verify/index_object.h"
#include "verify/pack_check.h"
#include "verify/rebuild.h"
#include "verify/snapshot_check.h"
#include "verify/sweep_reader.h"
#include "verify/topic_check.h"

namespace drs {
namespace {

using DigestSet = std::unordered_set<Digest, FixedBytesHash>;
constexpr auto kPassOver = PackCatalog::UnreadableCondemned::kPassOver;

constexpr std::size_t kIndexReadersMax = 16;

// What it means that a record could not be stored.
Error unsaved(const Error& error) {
  std::string why = "what this sweep has proven cannot be recorded under verified/";
  if (error.code == ErrorCode::kDenied)
    why += ", which takes the rights of a sweeper or a pruner (drstream policy); --read-only sweeps without a record";
  if (!is_damage(error)) return Error(error).with_context(why);
  return {ErrorCode::kIo, why + ": something else has that name, which has to be moved away: " + error.message};
}

class Sweep {
 public:
  Sweep(Repository& repository, const SnapshotCatalog& catalog, const SweepOptions& options, ProgressCounters& progress,
        CancelToken& cancel)
      : repository_(repository),
        catalog_(catalog),
        options_(options),
        progress_(progress),
        cancel_(cancel),
        findings_(progress),
        marks_(findings_, repository.clock(), "sweep", options.read_only ? Marking::kReadOnly : Marking::kWritten),
        evidence_(repository.clock().wall_ns()) {
    structure_.read_only = rebuild_.read_only = options.read_only;
    rebuild_.read_data = true;  // the records of topics
  }

  Result<SweepReport> run();

 private:
  Result<void> load();
  Result<void> read_packs(const CheckMemory& memory, SweepReader& reader);
  Result<void> rebuild_snapshots(const CheckMemory& memory, SweepReader& reader);
  Result<bool> is_live(const Snapshot& snapshot);
  Result<void> check_structure(const CheckMemory& memory);
  Result<void> check_index_objects(const CheckMemory& memory);
  Result<bool> names_a_missing_pack();
  void report_known_damage(std::span<const std::size_t> due, const std::vector<PackProof>& proofs);
  Result<void> save(const std::vector<Verified>& records, ObjectStore& store);
  Result<void> save_end(WallNs begun_ns);
  Result<bool> structure_is_due();
  [[nodiscard]] WallNs ago(std::chrono::nanoseconds time) const { return repository_.clock().wall_ns() - time.count(); }
  [[nodiscard]] SweepScope scope() const {
    return {.level = options_.level == SweepLevel::kDigest ? ProofLevel::kDigest : ProofLevel::kDecoded,
            .proven_since_ns = ago(options_.verified_within),
            .shard = options_.shard};
  }
  Result<CheckMemory> plan() const;

  Repository& repository_;
  const SnapshotCatalog& catalog_;
  const SweepOptions& options_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  FindingList findings_;
  DamageMap damage_;
  DamageMarks marks_;
  VerifyOptions structure_, rebuild_;  // of the two parts
  CheckContext context_{repository_, structure_, findings_, damage_, marks_, progress_, cancel_};
  std::optional<PackCatalog> packs_;
  WallNs listed_ns_ = 0;  // this machine's time before they were listed
  Evidence evidence_;
  std::vector<ObjectInfo> index_objects_;
  IndexClaims claims_{repository_, findings_};  // of the index objects, once they were checked
  bool index_checked_ = false;
  std::unordered_set<std::string> rebuilt_ids_;
  SweepReport report_;
};

Result<SweepReport> Sweep::run() {
  DRS_RETURN_IF_ERROR(load());
  report_catalog(context_, catalog_);
  DRS_ASSIGN_OR_RETURN(const CheckMemory memory, plan());
  const WallNs begun_ns = repository_.clock().wall_ns();
  const WallNs proven_since_ns = ago(options_.verified_within);

  SweepBudget budget(repository_.clock(), options_.budget_bytes, options_.budget_time);
  SweepRecord record(packs_->packs(), {.bounds = evidence_.bounds(),
                                       .now_ns = listed_ns_,
                                       .level = scope().level,
                                       .workers = memory.workers,
                                       .host = options_.host,
                                       .tool = options_.tool});
  SweepReader reader(repository_.clock(), options_, budget, record,
                     [this](const std::vector<Verified>& records, ObjectStore& store) { return save(records, store); });
  const auto read =
      options_.level == SweepLevel::kRebuild ? rebuild_snapshots(memory, reader) : read_packs(memory, reader);
  report_.damaged_packs = record.damaged();
  if (read.ok()) {
    DRS_ASSIGN_OR_RETURN(const bool due, structure_is_due());
    if (due) DRS_RETURN_IF_ERROR(check_structure(memory));
  } else {
    report_.ended = read.error();
  }

  report_.checked.findings = findings_.take();
  report_.checked.marked = marks_.set_count();
  report_.checked.unmarked = marks_.cleared_count();
  report_.coverage =
      coverage_of(packs_->packs(), evidence_.of(packs_->packs()), {proven_since_ns, repository_.clock().wall_ns()});
  const bool anything = report_.structure_checked || report_.checked.packs_read > 0 || !rebuilt_ids_.empty();
  if (anything && !report_.ended)
    if (const auto saved = save_end(begun_ns); !saved.ok()) report_.ended = saved.error();
  report_.structure_ns = evidence_.structure_ns();
  return std::move(report_);
}

Result<void> Sweep::load() {
  DRS_ASSIGN_OR_RETURN(evidence_, Evidence::load(repository_));
  for (const Evidence::Unreadable& unreadable : evidence_.unreadable())
    report_bad_record(findings_, unreadable.name, unreadable.problem);
  listed_ns_ = repository_.clock().wall_ns();
  DRS_ASSIGN_OR_RETURN(packs_, PackCatalog::load(repository_, kPassOver));
  for (const std::string& name : packs_->occupied_folders())
    DRS_RETURN_IF_ERROR(check_occupied_folder(findings_, repository_.store(), name));
  marks_.know(packs_->marks());
  DRS_ASSIGN_OR_RETURN(index_objects_, list_index_objects(context_));
  report_.checked.packs = packs_->packs().size();
  report_.checked.packs_bytes = packs_->total_bytes();
  return {};
}

Result<CheckMemory> Sweep::plan() const {
  std::uint64_t largest_bytes = 0;
  for (const PackInfo& pack : packs_->packs()) largest_bytes = std::max(largest_bytes, pack.bytes);
  for (const ObjectInfo& info : index_objects_) largest_bytes = std::max(largest_bytes, info.size_bytes);
  return plan_check(CheckKind::kVerify, {.memory_bytes = options_.memory_bytes,
                                         .threads = options_.threads,
                                         .listed_objects = packs_->packs().size() + index_objects_.size(),
                                         .largest_bytes = largest_bytes,
                                         .operation_bytes = repository_.store().operation_bytes()});
}

Result<void> Sweep::read_packs(const CheckMemory& memory, SweepReader& reader) {
  const std::vector<PackInfo>& packs = packs_->packs();
  const std::vector<PackProof> proofs = evidence_.of(packs);
  const std::vector<std::size_t> due = due_packs(packs, proofs, scope());
  std::uint64_t due_bytes = 0;
  for (const std::size_t at : due) due_bytes += packs[at].bytes;
  progress_.total_bytes.store(std::min(due_bytes, options_.budget_bytes.value_or(due_bytes)),
                              std::memory_order_relaxed);
  DRS_ASSIGN_OR_RETURN(const WorkerStores stores, worker_stores(repository_.store(), memory.workers));
  DRS_ASSIGN_OR_RETURN(const CheckBuffers buffers, CheckBuffers::map(memory));
  for (const auto& store : stores) store->register_memory(buffers.whole());
  std::vector<PackCheck> checks;
  checks.reserve(stores.size());
  for (std::size_t worker = 0; worker < stores.size(); ++worker) {
    DRS_ASSIGN_OR_RETURN(PackCheck check, PackCheck::make(context_, *stores[worker], buffers.worker(worker)));
    checks.push_back(std::move(check));
  }
  const auto read = reader.run(
      packs, due, stores,
      [&](std::size_t worker, const PackInfo& pack) {
        if (cancel_.cancelled()) return Result<PackOutcome>(Error(ErrorCode::kCancelled, "asked to stop"));
        return options_.level == SweepLevel::kDigest ? checks[worker].check_digest(pack) : checks[worker].check(pack);
      },
      report_);
  std::vector<Digest> gone;
  for (const PackCheck& check : checks) {
    gone.insert(gone.end(), check.gone().begin(), check.gone().end());
    context_.tableless.insert(context_.tableless.end(), check.tableless().begin(), check.tableless().end());
    const PackCheck::Counts& counts = check.counts();
    report_.checked.packs_read += counts.packs;
    report_.checked.bytes_read += counts.bytes;
    report_.checked.blocks_decoded += counts.blocks;
    report_.checked.chunks_checked += counts.chunks;
    report_.checked.decoded_bytes += counts.decoded_bytes;
    report_.unsteady_packs += counts.unsteady;
  }
  DRS_RETURN_IF_ERROR(read);
  report_known_damage(due, proofs);
  if (gone.empty()) return {};
  DRS_ASSIGN_OR_RETURN(const PackCatalog again, PackCatalog::load(repository_, kPassOver));
  for (const Digest& pack : gone)
    if (again.find(pack) != nullptr) report_absent(context_, pack);
  return {};
}

// Rebuilds snapshots, and reports what it finds in a context of its own or in that of the run.
class Rebuilder {
 public:
  Rebuilder(CheckContext& context, LiveIndex& index, BlockReader& blocks, IndexClaims& claims, std::size_t blocks_max)
      : context_(context), rebuild_(context, index, blocks, claims, blocks_max), topics_(context, index) {}

  // Whether it is equal to its manifest.
  Result<bool> run(const Snapshot& snapshot) {
    DRS_RETURN_IF_ERROR(rebuild_.run(snapshot));
    if (!is_well(snapshot)) return false;
    if (snapshot.manifest.content == ManifestContent::kTopics) DRS_RETURN_IF_ERROR(topics_.check(snapshot));
    return is_well(snapshot);
  }
  [[nodiscard]] std::uint64_t records() const { return topics_.records(); }

 private:
  [[nodiscard]] bool is_well(const Snapshot& snapshot) const {
    return rebuild_.whole_ids().contains(snapshot.id()) &&
           !context_.findings.damaged_snapshots().contains(snapshot.id());
  }
  CheckContext& context_;
  Rebuild rebuild_;
  TopicCheck topics_;
};

// Whether no forget has removed it since the run began: then its blocks may go.
Result<bool> Sweep::is_live(const Snapshot& snapshot) {
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog now, load_snapshots(repository_, snapshot.manifest.stream));
  return std::ranges::any_of(now.live, [&](const Snapshot& one) { return one.digest == snapshot.digest; });
}

Result<void> Sweep::rebuild_snapshots(const CheckMemory& memory, SweepReader& reader) {
  const std::vector<const Snapshot*> due = due_snapshots(catalog_, evidence_, scope());
  report_.due_snapshots = report_.left_snapshots = due.size();
  std::uint64_t due_bytes = 0;
  for (const Snapshot* snapshot : due) due_bytes += snapshot->manifest.bytes;
  progress_.total_bytes.store(std::min(due_bytes, options_.budget_bytes.value_or(due_bytes)),
                              std::memory_order_relaxed);
  DRS_ASSIGN_OR_RETURN(const auto index, LiveIndex::open(repository_, repository_.store(), {memory.index_cache_bytes}));
  DRS_ASSIGN_OR_RETURN(BlockReader blocks, BlockReader::make(repository_, repository_.store()));
  // What the first attempt finds is not reported: the snapshot may be removed meanwhile. The second reads everything
  // another time.
  FindingList unconfirmed(progress_);
  DamageMap unconfirmed_damage;
  DamageMarks no_marks(unconfirmed, repository_.clock(), "sweep", Marking::kReadOnly);
  CheckContext first_context{repository_, rebuild_, unconfirmed, unconfirmed_damage, no_marks, progress_, cancel_};
  CheckContext second_context{repository_, rebuild_, findings_, damage_, marks_, progress_, cancel_};
  IndexClaims no_claims(repository_, unconfirmed);
  Rebuilder first(first_context, *index, blocks, no_claims, memory.rebuild_blocks);
  Rebuilder second(second_context, *index, blocks, claims_, memory.rebuild_blocks);

  const auto rebuild = [&](const Snapshot& snapshot) -> Result<void> {
    const WallNs begun_ns = repository_.clock().wall_ns();
    DRS_ASSIGN_OR_RETURN(bool well, first.run(snapshot));
    if (!well) {
      DRS_ASSIGN_OR_RETURN(const bool live, is_live(snapshot));
      if (!live) return {};
      DRS_RETURN_IF_ERROR(check_index_objects(memory));
      DRS_ASSIGN_OR_RETURN(well, second.run(snapshot));
    }
    if (well) {
      rebuilt_ids_.insert(snapshot.id());
      report_.checked.rebuilt_bytes += snapshot.manifest.bytes;
    }
    return reader.rebuilt({snapshot.digest, well, begun_ns}, repository_.store());
  };
  Result<void> outcome;
  for (const Snapshot* snapshot : due) {
    if (!reader.may_read(snapshot->manifest.bytes)) break;
    outcome = rebuild(*snapshot);
    if (!outcome.ok()) break;
    --report_.left_snapshots;
  }
  report_.checked.snapshots_rebuilt = rebuilt_ids_.size();
  report_.checked.records_checked = first.records() + second.records();
  report_.budget_used = outcome.ok() && report_.left_snapshots > 0;
  const auto saved = reader.save(repository_.store());
  return outcome.ok() ? saved : outcome;
}

// Of packs that this run has left, because of its budget: what an earlier one found is still so.
void Sweep::report_known_damage(std::span<const std::size_t> due, const std::vector<PackProof>& proofs) {
  if (report_.left_packs == 0) return;
  const std::vector<PackProof> now = evidence_.of(packs_->packs());
  for (const std::size_t at : due) {
    const std::string name = pack_name(packs_->packs()[at].name);
    if (proofs[at].damaged && now[at].damaged && !findings_.has_about(name))
      findings_.report(Finding::Severity::kDamage, name,
                       "an earlier sweep found it damaged; this one left it, because of its budget");
  }
}

// Condemned packs of now, which a prune may have deleted.
Result<DigestSet> load_spare(Repository& repository) {
  DRS_ASSIGN_OR_RETURN(const CondemnedList condemned, PackCatalog::load_condemned(repository, kPassOver));
  return DigestSet(condemned.packs.begin(), condemned.packs.end());
}

// Reads the beginning of each index object.
Result<bool> Sweep::names_a_missing_pack() {
  DRS_ASSIGN_OR_RETURN(const DigestSet spare, load_spare(repository_));
  DRS_ASSIGN_OR_RETURN(const WorkerStores stores, parallel_stores(repository_.store(), kIndexReadersMax));
  std::atomic<bool> missing = false;
  DRS_RETURN_IF_ERROR(
      for_each_parallel(stores.size(), index_objects_.size(), [&](std::size_t worker, std::size_t i) -> Result<void> {
        if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
        const auto object = IndexObject::open(repository_, *stores[worker], index_objects_[i]);
        if (!object.ok()) {
          if (!is_object_fault(object.error())) return object.error();
          missing = true;  // the check tells why
          return {};
        }
        for (const IndexedPack& pack : object->summary().packs)
          if (packs_->find(pack.name) == nullptr && !spare.contains(pack.name)) missing = true;
        return {};
      }));
  return missing.load();
}

Result<bool> Sweep::structure_is_due() {
  if (findings_.has_about("packs/") || !findings_.damaged_snapshots().empty()) return true;
  if (options_.level == SweepLevel::kDigest || !options_.structure_every) return false;
  const WallNs checked_ns = evidence_.structure_ns();
  if (options_.shard.number != 1) return checked_ns != 0 && checked_ns < ago(kStructureOverdue);
  if (checked_ns < ago(*options_.structure_every)) return true;
  const auto is_newer = [&](const Snapshot& snapshot) { return snapshot.stored_ns > checked_ns; };
  return std::ranges::any_of(catalog_.live, is_newer) ? Result<bool>(true) : names_a_missing_pack();
}

// Fills `claims_`, by which a missing block is explained.
Result<void> Sweep::check_index_objects(const CheckMemory& memory) {
  if (std::exchange(index_checked_, true)) return {};
  DRS_ASSIGN_OR_RETURN(const PackCatalog packs, PackCatalog::load(repository_, kPassOver));
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> objects, list_index_objects(context_));
  DRS_ASSIGN_OR_RETURN(const DigestSet spare, load_spare(repository_));
  IndexCheck check(context_, packs, spare, claims_);
  DRS_ASSIGN_OR_RETURN(const WorkerStores stores, worker_stores(repository_.store(), memory.workers));
  DRS_ASSIGN_OR_RETURN(const CheckBuffers buffers, CheckBuffers::map(memory));
  return check_index(context_, check, std::move(objects), stores, buffers);
}

// With the marks of this run.
Result<void> Sweep::check_structure(const CheckMemory& memory) {
  DRS_RETURN_IF_ERROR(check_index_objects(memory));
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load(repository_, kPassOver));
  // A snapshot that was removed since the run began may have lost its blocks to a prune.
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog now, load_snapshots(repository_));
  DRS_RETURN_IF_ERROR(check_recipes(context_, now, std::move(packs), memory, claims_, report_.checked));
  report_.checked.snapshots_rebuilt = rebuilt_ids_.size();
  report_.structure_checked = true;
  const auto damaged = findings_.damaged_snapshots();
  report_damaged_snapshots(now, damaged, report_.checked);
  report_hit_streams(now, damaged, BlocksRead::kSome, rebuilt_ids_, report_.checked);
  return {};
}

// How much is proven now, and that nothing is missing if that was checked.
Result<void> Sweep::save_end(WallNs begun_ns) {
  Verified record;
  record.ended_ns = repository_.clock().wall_ns();
  record.host = options_.host;
  record.tool = options_.tool;
  record.moments = {
      {.ended_ns = record.ended_ns,
       .within_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(options_.verified_within.count(), 0)),
       .bytes = report_.coverage.bytes,
       .proven_bytes = report_.coverage.proven_bytes}};
  const bool faulty = std::ranges::any_of(
      report_.checked.findings, [](const Finding& finding) { return finding.severity != Finding::Severity::kWarning; });
  if (report_.structure_checked) record.structure_ns = begun_ns;
  record.structure_whole = report_.structure_checked && !faulty;
  return save({record}, repository_.store());
}

Result<void> Sweep::save(const std::vector<Verified>& records, ObjectStore& store) {
  for (const Verified& record : records) {
    if (!options_.read_only) {
      if (const auto put = put_record(repository_, store, record); !put.ok()) return unsaved(put.error());
      ++report_.records;
    }
    evidence_.advance(repository_.clock().wall_ns());
    evidence_.add(record, 0);
  }
  return {};
}

}  // namespace

Result<SweepReport> sweep(Repository& repository, const SnapshotCatalog& catalog, const SweepOptions& options,
                          ProgressCounters& progress, CancelToken& cancel) {
  const auto started = repository.clock().steady();
  DRS_ASSIGN_OR_RETURN(SweepReport report, Sweep(repository, catalog, options, progress, cancel).run());
  report.checked.elapsed = repository.clock().steady() - started;
  return report;
}

}  // namespace drs
