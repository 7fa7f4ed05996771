#include "engine/pipeline/keeping/prune.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/format/names.h"
#include "engine/pipeline/keeping/live_data.h"
#include "engine/repository/store_time.h"

namespace drs {
namespace {

// `exclusive` is refused while a session is younger.
constexpr std::chrono::hours kYoungSession{2};

class Prune {
 public:
  Prune(Repository& repository, const PruneOptions& options, const RunControl& control)
      : repository_(repository), options_(options), control_(control) {}

  Result<PruneReport> run() {
    if (options_.single_writer && !options_.exclusive)
      return Error(ErrorCode::kUsage,
                   "this place allows one writer at a time, so a prune cannot see whether another one runs: stop all "
                   "pushes and use --exclusive");
    DRS_RETURN_IF_ERROR(read_time());
    DRS_RETURN_IF_ERROR(make_mover());
    if (options_.exclusive) DRS_RETURN_IF_ERROR(check_exclusive());
    DRS_RETURN_IF_ERROR(load_records());
    if (options_.exclusive) DRS_RETURN_IF_ERROR(condemn_now());
    DRS_RETURN_IF_ERROR(settle_records());
    DRS_RETURN_IF_ERROR(load_live());
    DRS_RETURN_IF_ERROR(delete_ripe());
    if (!options_.exclusive) DRS_RETURN_IF_ERROR(condemn_new());
    DRS_RETURN_IF_ERROR(keep_house());
    report_.moved = mover_->totals();
    return std::move(report_);
  }

 private:
  Result<void> make_mover() {
    DRS_ASSIGN_OR_RETURN(BlockMover mover, BlockMover::make(repository_, repository_.store(),
                                                            {.pack_bytes_target = options_.pack_bytes_target}));
    mover_.emplace(std::move(mover));
    return {};
  }

  Result<void> read_time() {
    const auto now = store_time(repository_.store());
    // On a full disk, and for who may only read, this machine's clock must do: no rule of safety needs a time.
    const auto may_guess = [&](ErrorCode code) {
      return code == ErrorCode::kNoSpace ||
             (options_.dry_run && (code == ErrorCode::kDenied || code == ErrorCode::kIo));
    };
    if (!now.ok() && !may_guess(now.error().code)) return now.error();
    report_.now_ns = now.ok() ? *now : repository_.clock().wall_ns();
    return {};
  }

  [[nodiscard]] std::chrono::nanoseconds grace() const {
    return options_.exclusive ? std::chrono::nanoseconds{} : options_.grace;
  }
  [[nodiscard]] std::chrono::nanoseconds age_min() const {
    return options_.exclusive ? std::chrono::nanoseconds{} : options_.age_min;
  }

  // Whether its grace time has not ended. One that this run has stored is younger than the run.
  [[nodiscard]] bool is_young(const DeletionRecord& record) const {
    return grace().count() > 0 && record.stored_ns != 0 && report_.now_ns - record.stored_ns < grace().count();
  }

  Result<Settler> make_settler() const {
    return Settler::make(repository_, {.now_ns = report_.now_ns,
                                       .silence = options_.silence,
                                       .fence_all = options_.exclusive,
                                       .dry_run = options_.dry_run});
  }

  Result<void> check_exclusive() const {
    DRS_ASSIGN_OR_RETURN(const Settler settler, make_settler());
    for (const RunningSession* session : settler.unsettled()) {
      const bool young = session->stored_ns == 0 || std::chrono::nanoseconds(report_.now_ns - session->stored_ns) <
                                                        std::chrono::nanoseconds(kYoungSession);
      const std::string who =
          "session " + session->session.hex() +
          (session->record ? " of stream " + session->record->stream +
                                 (session->record->host.empty() ? "" : " on " + session->record->host)
                           : std::string());
      if (options_.single_writer)
        return Error(ErrorCode::kBusy, who +
                                           " has not ended, and this place allows one writer at a time: wait for it, "
                                           "or end it with `drstream resume`");
      if (young && !options_.force)
        return Error(ErrorCode::kBusy, who +
                                           " gave a sign of life less than two hours ago, and --exclusive would end "
                                           "it (its push exits with 7): wait for it, or use --force");
    }
    return {};
  }

  Result<void> load_records() {
    DRS_ASSIGN_OR_RETURN(records_, load_deletion_records(repository_));
    for (const DeletionRecord& record : records_)
      if (record.unreadable)
        report_.problems.push_back(record.unreadable->message +
                                   "; what it names is unknown, so nothing that is live is deleted with another copy");
    there_.clear();
    for (const ObjectKind kind : {ObjectKind::kPack, ObjectKind::kIndex}) {
      DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> listed, repository_.list(kind));
      for (const ObjectInfo& info : listed) there_.emplace(parse_name(info.key)->digest, info.size_bytes);
    }
    return {};
  }

  [[nodiscard]] bool is_there(const Digest& name) const { return there_.contains(name); }

  // The objects of a record that are still there.
  [[nodiscard]] WaitingDeletion rest_of(const DeletionRecord& record) const {
    WaitingDeletion rest{.record = record.id, .objects = 0, .bytes = 0, .until_ns = 0, .awaited = {}};
    for (const Digest& name : record.condemned) {
      const auto found = there_.find(name);
      if (found == there_.end()) continue;
      ++rest.objects;
      rest.bytes += found->second;
    }
    return rest;
  }

  // Finds the ripe records.
  Result<void> settle_records() {
    DRS_ASSIGN_OR_RETURN(Settler settler, make_settler());
    for (const DeletionRecord& record : records_) {
      WaitingDeletion rest = rest_of(record);
      if (rest.objects == 0) continue;
      if (is_young(record)) rest.until_ns = record.stored_ns + grace().count();
      DRS_ASSIGN_OR_RETURN(const bool settled, settle(record, settler, rest));
      if (!settled || rest.until_ns != 0) {
        report_.waiting.push_back(std::move(rest));
        continue;
      }
      report_.ripe_objects += rest.objects;
      report_.ripe_bytes += rest.bytes;
      for (const Digest& name : record.condemned)
        if (is_there(name)) ripe_.push_back(name);
    }
    // Two prunes at once may have condemned the same.
    std::ranges::sort(ripe_);
    ripe_.erase(std::ranges::unique(ripe_).begin(), ripe_.end());
    if (!options_.dry_run) {
      DRS_ASSIGN_OR_RETURN(const Settler::Cleaned cleaned, settler.clean());
      report_.session_objects = cleaned.objects;
      for (const std::string& problem : cleaned.problems) note(problem);
    }
    report_.fenced = settler.fenced();
    return {};
  }

  Result<bool> settle(const DeletionRecord& record, Settler& settler, WaitingDeletion& rest) {
    if (record.waits_unreadable) {
      report_.problems.push_back(record.waits_unreadable->message +
                                 "; for whom this deletion waits is unknown: its objects are condemned anew");
      // Its waits are for ever unknown. A new record of the same objects has waits of its own.
      if (!options_.dry_run) DRS_RETURN_IF_ERROR(condemn_again(record));
      return false;
    }
    if (!record.waits) {
      if (!options_.dry_run) DRS_RETURN_IF_ERROR(put_waits(repository_, record.id));
      return false;
    }
    DRS_ASSIGN_OR_RETURN(Settler::Outcome outcome, settler.settle(*record.waits, record.stored_ns));
    rest.awaited = std::move(outcome.awaited);
    for (const std::string& problem : outcome.problems) note(problem);
    return rest.awaited.empty() && outcome.problems.empty();
  }

  // Adds to the problems, once.
  void note(const std::string& problem) {
    if (std::ranges::find(report_.problems, problem) == report_.problems.end()) report_.problems.push_back(problem);
  }

  Result<void> condemn_again(const DeletionRecord& record) {
    std::vector<Digest> names;
    for (const Digest& name : record.condemned)
      if (is_there(name) && !named_elsewhere(name, record.id)) names.push_back(name);
    if (names.empty()) return {};
    DRS_ASSIGN_OR_RETURN(const Uuid id, put_condemned(repository_, std::move(names)));
    return put_waits(repository_, id);
  }

  [[nodiscard]] bool named_elsewhere(const Digest& name, const Uuid& but) const {
    return std::ranges::any_of(records_, [&](const DeletionRecord& record) {
      return record.id != but && !record.waits_unreadable && std::ranges::binary_search(record.condemned, name);
    });
  }

  Result<void> load_live() {
    live_.reset();
    DRS_ASSIGN_OR_RETURN(LiveData live, load_live_data(repository_,
                                                       {.now_ns = report_.now_ns,
                                                        .undo = options_.undo,
                                                        .index_cache_bytes = options_.index_cache_bytes},
                                                       control_));
    live_.emplace(std::move(live));
    if (options_.remembered)
      std::ranges::move(options_.remembered(live_->snapshots), std::back_inserter(live_->problems));
    for (const std::string& problem : live_->problems) note(problem);
    report_.undo_snapshots = live_->protected_removed.size();
    for (const std::string& manifest : live_->protected_removed) {
      const auto hold = live_->holds.find(manifest);
      if (hold == live_->holds.end() || !hold->second.unreadable) continue;
      note(manifest +
           " is removed, but a hold of it cannot be read and counts for ever: " + hold->second.unreadable->message);
    }
    return {};
  }

  // What could not be read may need anything.
  [[nodiscard]] bool is_blocked() const { return !live_->problems.empty(); }

  Result<void> measure() {
    DRS_ASSIGN_OR_RETURN(const DeadSpace space, measure_dead_space(*live_, control_));
    report_.space = space.totals;
    // While a record cannot be read, no copy justifies a deletion: what is moved would only take more space.
    const bool record_unreadable =
        std::ranges::any_of(records_, [](const DeletionRecord& record) { return record.unreadable.has_value(); });
    report_.chosen = choose_packs(*live_, space,
                                  {.now_ns = report_.now_ns,
                                   .age_min = age_min(),
                                   .leave_billed = !options_.exclusive,
                                   .move_bytes_max = record_unreadable ? 0 : options_.move_bytes_max,
                                   .pack_bytes_target = options_.pack_bytes_target});
    return {};
  }

  Result<void> condemn_chosen() {
    control_.progress.bytes = 0;
    control_.progress.total_bytes = report_.chosen.move_bytes;
    auto condemned = condemn(repository_, *live_, *mover_, report_.chosen, control_);
    if (!condemned.ok() && condemned.error().code == ErrorCode::kNoSpace && !report_.chosen.dead.empty() &&
        !report_.chosen.to_move.empty()) {
      // Nothing has to be moved out of a pack without live blocks: what it gives back makes room for a later run.
      report_.no_room_to_move = true;
      report_.chosen.to_move.clear();
      report_.chosen.move_bytes = 0;
      DRS_RETURN_IF_ERROR(make_mover());
      condemned = condemn(repository_, *live_, *mover_, report_.chosen, control_);
    }
    if (!condemned.ok()) return condemned.error();
    report_.condemned = *std::move(condemned);
    std::ranges::copy(report_.condemned.left, std::back_inserter(report_.problems));
    return {};
  }

  // With `exclusive`: condemns, to delete in the same run.
  Result<void> condemn_now() {
    DRS_RETURN_IF_ERROR(load_live());
    DRS_RETURN_IF_ERROR(measure());
    if (is_blocked() || options_.dry_run) return {};
    DRS_RETURN_IF_ERROR(condemn_chosen());
    return load_records();
  }

  Result<void> condemn_new() {
    DRS_RETURN_IF_ERROR(measure());
    // So that records and waits stay few, however often prune runs.
    report_.condemned_recently =
        std::ranges::any_of(records_, [&](const DeletionRecord& record) { return is_young(record); });
    if (is_blocked() || options_.dry_run || report_.condemned_recently) return {};
    return condemn_chosen();
  }

  Result<void> delete_ripe() {
    if (is_blocked() || options_.dry_run || ripe_.empty()) return {};
    Verdict verdict(repository_, *live_, *mover_, control_);
    const auto done = verdict.run(ripe_);
    report_.deleted = verdict.totals();
    for (const Digest& name : verdict.deleted()) there_.erase(name);
    std::ranges::copy(verdict.problems(), std::back_inserter(report_.problems));
    return done;
  }

  Result<void> keep_house() {
    if (options_.dry_run) return {};
    Housekeeping housekeeping(
        repository_,
        {.now_ns = report_.now_ns, .undo = options_.undo, .retired_together_min = options_.retired_together_min});
    if (!is_blocked()) DRS_RETURN_IF_ERROR(housekeeping.drop_manifests(*live_));
    DRS_RETURN_IF_ERROR(housekeeping.clear_marks(*live_, records_, [&](const Digest& name) { return is_there(name); }));
    DRS_RETURN_IF_ERROR(housekeeping.retire(*live_));
    DRS_RETURN_IF_ERROR(housekeeping.join_sweep_records(*live_));
    report_.housekeeping = housekeeping.report();
    return {};
  }

  Repository& repository_;
  const PruneOptions& options_;
  const RunControl& control_;
  PruneReport report_;
  std::vector<DeletionRecord> records_;
  std::unordered_map<Digest, std::uint64_t, FixedBytesHash> there_;  // packs and index objects, with their sizes
  std::vector<Digest> ripe_;
  std::optional<LiveData> live_;
  std::optional<BlockMover> mover_;
};

}  // namespace

Result<PruneReport> prune(Repository& repository, const PruneOptions& options, const RunControl& control) {
  return Prune(repository, options, control).run();
}

}  // namespace drs
