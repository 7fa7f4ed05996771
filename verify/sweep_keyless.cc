#include <algorithm>
#include <array>
#include <utility>

#include "engine/format/names.h"
#include "engine/repository/lost_config.h"
#include "engine/repository/parallel.h"
#include "io/base/error_class.h"
#include "verify/check_memory.h"
#include "verify/damage_marks.h"
#include "verify/finding_list.h"
#include "verify/object_scan.h"
#include "verify/sweep_reader.h"
#include "verify/too_new.h"

namespace drs {
namespace {

class KeylessSweep {
 public:
  KeylessSweep(ObjectStore& store, const Clock& clock, const SweepOptions& options, SweepCursor& cursor,
               ProgressCounters& progress, CancelToken& cancel)
      : store_(store),
        clock_(clock),
        options_(options),
        cursor_(cursor),
        progress_(progress),
        cancel_(cancel),
        findings_(progress),
        marks_(findings_, clock, "scrub", options.read_only ? Marking::kReadOnly : Marking::kWritten),
        evidence_(clock.wall_ns()) {}

  Result<SweepReport> run();

 private:
  Result<void> list();
  Result<PackOutcome> read(const PackInfo& pack, ObjectStore& store, const ScanBuffers& buffers);
  Result<Digest> digest_of(const PackInfo& pack, ObjectStore& store, const ScanBuffers& buffers);
  Result<PackOutcome> judge(const PackInfo& pack, ObjectStore& store, const Result<Digest>& first,
                            const ScanBuffers& buffers);

  ObjectStore& store_;
  const Clock& clock_;
  const SweepOptions& options_;
  SweepCursor& cursor_;
  ProgressCounters& progress_;
  CancelToken& cancel_;
  FindingList findings_;
  DamageMarks marks_;
  Evidence evidence_;
  std::vector<PackInfo> packs_;
  SweepReport report_;
  std::mutex mutex_;  // guards the counts of `report_` while packs are read
};

Result<SweepReport> KeylessSweep::run() {
  DRS_ASSIGN_OR_RETURN(const bool is_repository, holds_config(store_));
  if (!is_repository) return no_repository_error(store_);
  DRS_ASSIGN_OR_RETURN(const std::vector<Verified> before, cursor_.load());
  for (const Verified& record : before) evidence_.add(record, 0);
  const WallNs listed_ns = clock_.wall_ns();
  DRS_RETURN_IF_ERROR(list());
  const WallNs since_ns = clock_.wall_ns() - options_.verified_within.count();
  const std::vector<std::size_t> due =
      due_packs(packs_, evidence_.of(packs_),
                {.level = ProofLevel::kDigest, .proven_since_ns = since_ns, .shard = options_.shard});
  std::uint64_t largest_bytes = 0, due_bytes = 0;
  for (const PackInfo& pack : packs_) largest_bytes = std::max(largest_bytes, pack.bytes);
  for (const std::size_t at : due) due_bytes += packs_[at].bytes;
  progress_.total_bytes.store(std::min(due_bytes, options_.budget_bytes.value_or(due_bytes)),
                              std::memory_order_relaxed);
  DRS_ASSIGN_OR_RETURN(const CheckMemory memory,
                       plan_check(CheckKind::kScrub, {.memory_bytes = options_.memory_bytes,
                                                      .threads = options_.threads,
                                                      .listed_objects = packs_.size(),
                                                      .largest_bytes = largest_bytes,
                                                      .operation_bytes = store_.operation_bytes()}));
  DRS_ASSIGN_OR_RETURN(const CheckBuffers buffers, CheckBuffers::map(memory));
  DRS_ASSIGN_OR_RETURN(const WorkerStores stores, worker_stores(store_, memory.workers));
  for (const auto& store : stores) store->register_memory(buffers.whole());

  SweepBudget budget(clock_, options_.budget_bytes, options_.budget_time);
  SweepRecord record(packs_, {.bounds = evidence_.bounds(),
                              .now_ns = listed_ns,
                              .level = ProofLevel::kDigest,
                              .workers = stores.size(),
                              .host = options_.host,
                              .tool = options_.tool});
  SweepReader reader(clock_, options_, budget, record, [this](const std::vector<Verified>& records, ObjectStore&) {
    evidence_.advance(clock_.wall_ns());
    for (const Verified& one : records) evidence_.add(one, 0);
    return options_.read_only ? Result<void>() : cursor_.save(evidence_.folded(packs_, {}));
  });
  const auto swept = reader.run(
      packs_, due, stores,
      [&](std::size_t worker, const PackInfo& pack) {
        return read(pack, *stores[worker], buffers.worker(worker).sweep);
      },
      report_);
  if (!swept.ok()) report_.ended = swept.error();
  report_.damaged_packs = record.damaged();
  report_.checked.findings = findings_.take();
  report_.checked.marked = marks_.set_count();
  report_.checked.unmarked = marks_.cleared_count();
  report_.coverage = coverage_of(packs_, evidence_.of(packs_), {since_ns, clock_.wall_ns()});
  return std::move(report_);
}

Result<void> KeylessSweep::list() {
  std::vector<ObjectInfo> marks;
  constexpr std::array<std::string_view, 2> kPrefixes = {"packs/", "damaged/"};
  DRS_RETURN_IF_ERROR(store_.list_together(kPrefixes, [&](const ObjectInfo& info) -> Result<void> {
    const auto parsed = parse_name(info.key);
    if (parsed && parsed->kind == ObjectKind::kPack)
      packs_.push_back({.name = parsed->digest,
                        .bytes = info.size_bytes,
                        .stored_ns = info.modified_ns,
                        .changed_ns = info.changed_ns});
    if (parsed && parsed->kind == ObjectKind::kDamaged) marks.push_back(info);
    return {};
  }));
  std::ranges::sort(packs_, {}, &PackInfo::name);
  DRS_ASSIGN_OR_RETURN(MarkedPacks marked, load_marks(store_, marks));
  marks_.know(std::move(marked));
  report_.checked.packs = packs_.size();
  for (const PackInfo& pack : packs_) report_.checked.packs_bytes += pack.bytes;
  return {};
}

Result<Digest> KeylessSweep::digest_of(const PackInfo& pack, ObjectStore& store, const ScanBuffers& buffers) {
  if (pack.bytes > kPackBytesMax)
    return Error(ErrorCode::kCorrupt, "it has " + std::to_string(pack.bytes) + " bytes; at most " +
                                          std::to_string(kPackBytesMax) + " are allowed");
  return ObjectScan(store, buffers, progress_, cancel_).run(pack_name(pack.name), pack.bytes);
}

Result<PackOutcome> KeylessSweep::read(const PackInfo& pack, ObjectStore& store, const ScanBuffers& buffers) {
  if (cancel_.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
  const auto digest = digest_of(pack, store, buffers);
  if (!digest.ok() && !is_object_fault(digest.error())) return digest.error();
  if (!digest.ok() && is_absent(digest.error())) return PackOutcome::kGone;
  DRS_ASSIGN_OR_RETURN(const PackOutcome outcome, digest.ok() && *digest == pack.name
                                                      ? Result<PackOutcome>(PackOutcome::kIntact)
                                                      : judge(pack, store, digest, buffers));
  // Only the marks of a scrub: verify can find damage in a pack whose digest is right.
  if (outcome == PackOutcome::kIntact) marks_.clear(store, pack.name, "scrub");
  const std::scoped_lock lock(mutex_);
  if (outcome != PackOutcome::kUnread) ++report_.checked.packs_read;
  if (outcome != PackOutcome::kUnread) report_.checked.bytes_read += pack.bytes;
  return outcome;
}

// After a read that was wrong: reads it over another connection.
Result<PackOutcome> KeylessSweep::judge(const PackInfo& pack, ObjectStore& store, const Result<Digest>& first,
                                        const ScanBuffers& buffers) {
  const std::string name = pack_name(pack.name);
  DRS_ASSIGN_OR_RETURN(const auto other, store.clone());
  const auto second = digest_of(pack, *other, buffers);
  if (!second.ok() && !is_object_fault(second.error())) return second.error();
  if (!second.ok() && is_absent(second.error())) return PackOutcome::kGone;
  if (second.ok() && *second == pack.name) {
    findings_.report(Finding::Severity::kWarning, name,
                     unsteady_text(first.ok() ? "its SHA-256 was " + first->hex() : first.error().message));
    const std::scoped_lock lock(mutex_);
    ++report_.unsteady_packs;
    return PackOutcome::kIntact;
  }
  const Error error = !second.ok()
                          ? second.error()
                          : Error(ErrorCode::kCorrupt, "the SHA-256 of its " + std::to_string(pack.bytes) +
                                                           " bytes is " + second->hex() + ", expected its name");
  findings_.report(severity_of(error), name, error.message);
  if (!is_lasting_damage(error)) return PackOutcome::kUnread;
  marks_.set(store, pack.name, error.message);
  return PackOutcome::kDamaged;
}

}  // namespace

Result<SweepReport> sweep_keyless(ObjectStore& store, const Clock& clock, const SweepOptions& options,
                                  SweepCursor& cursor, ProgressCounters& progress, CancelToken& cancel) {
  if (options.level != SweepLevel::kDigest)
    return Error(ErrorCode::kUsage, "without a key a sweep can only compare digests: --level digest");
  const auto started = clock.steady();
  DRS_ASSIGN_OR_RETURN(SweepReport report, KeylessSweep(store, clock, options, cursor, progress, cancel).run());
  report.checked.elapsed = clock.steady() - started;
  return report;
}

}  // namespace drs
