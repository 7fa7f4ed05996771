#include "engine/pipeline/repair/repair_packs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "engine/format/names.h"
#include "engine/pipeline/keeping/deletion_record.h"
#include "engine/repository/damage.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/write_session.h"
#include "io/base/error_class.h"
#include "io/failpoint.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

using Fate = RepairedPack::Fate;

// One for packs, one for recipes, one for the data that they name, and one that finds nothing more to do. A store that
// loses what was just stored must not keep a repair busy for ever.
constexpr int kRoundsMax = 8;

class PackRepair {
 public:
  PackRepair(Repository& repository, OtherRepository* other, const RepairPacksOptions& options,
             const RunControl& control)
      : repository_(repository), store_(repository.store()), other_(other), options_(options), control_(control) {}

  Result<RepairPacksReport> run() {
    // From here on, a prune that condemns a pack waits for this session before it deletes the pack. So a pack that is
    // missing in the lists, and that no record names, was not deleted by a prune.
    if (!options_.dry_run) {
      DRS_ASSIGN_OR_RETURN(
          session_, WriteSession::begin(repository_, store_, {.stream = "repair packs", .host = options_.host}, {}));
    }
    auto repaired = repair();
    if (!repaired.ok() && session_ != nullptr) return session_->explain(std::move(repaired).error());
    if (!repaired.ok()) return std::move(repaired).error();
    return std::move(report_);
  }

 private:
  Result<void> repair() {
    // What was stored is read again from the store before anything relies on it.
    for (int round = 0; round < kRoundsMax; ++round) {
      DRS_RETURN_IF_ERROR(survey());
      DRS_ASSIGN_OR_RETURN(const bool again, put_missing());
      if (again && !options_.dry_run) continue;
      DRS_ASSIGN_OR_RETURN(const bool healed, heal());
      if (!healed || options_.dry_run) break;
    }
    DRS_RETURN_IF_ERROR(condemn());
    DRS_RETURN_IF_ERROR(settle_marks());
    report_packs();
    return report_snapshots();
  }

  Result<void> survey() {
    survey_.reset();  // two would not fit into the memory that one may take
    DRS_ASSIGN_OR_RETURN(survey_,
                         survey_damage(repository_, read_, find_recipe_, options_.index_cache_bytes, control_));
    healed_now_.clear();
    lost_spans_.clear();
    return {};
  }

  // Before what relies on the lists of this session's time. Errors: kConflict.
  Result<void> check_session() {
    if (control_.cancel.cancelled())
      return Error(ErrorCode::kCancelled,
                   "the repair was cancelled; run it again: it "
                   "continues");
    if (session_ == nullptr) return {};
    DRS_RETURN_IF_ERROR(session_->heartbeat_result());
    return session_->check_not_fenced();
  }

  // Whether one of its blocks is needed and has no other copy.
  [[nodiscard]] bool has_needed(const BadPack& pack) const {
    return std::ranges::any_of(pack.live, [&](const BlockId& block) { return survey_->find(block) != nullptr; });
  }

  // Puts missing packs of a replica again under their names. Returns whether it has put any. Not while a record cannot
  // be read: it may name them.
  Result<bool> put_missing() {
    bool any = false;
    if (other_ == nullptr || survey_->record_unreadable) return any;
    for (const BadPack& pack : survey_->packs) {
      if (pack.is_there || pack.is_condemned || tried_.contains(pack.name) || !has_needed(pack)) continue;
      DRS_RETURN_IF_ERROR(check_session());
      tried_.insert(pack.name);
      DRS_ASSIGN_OR_RETURN(const auto bytes, other_->pack(pack.name, pack.bytes));
      if (!bytes) continue;
      if (!options_.dry_run) {
        DRS_RETURN_IF_ERROR(put_settled(store_, pack_name(pack.name), *bytes, pack.name));
        DRS_RETURN_IF_ERROR(failpoint("repair.pack_put_again"));
      }
      put_again_.push_back({pack.name, pack.bytes, Fate::kPutAgain, pack.problem, pack.live.size(), 0});
      report_.stored_bytes += pack.bytes;
      ++report_.packs_stored;
      healed_now_.insert(pack.live.begin(), pack.live.end());
      any = true;
    }
    return any;
  }

  // Whether the block is lost, also after what this run has done since the survey.
  [[nodiscard]] bool is_lost(const BlockId& block) const {
    const NeededBlock* const needed = survey_->find(block);
    return needed != nullptr && needed->is_lost() && !healed_now_.contains(block);
  }

  // Returns whether any block has got a new copy.
  Result<bool> heal() {
    DRS_ASSIGN_OR_RETURN(const auto healer, BlockHealer::make(repository_, *survey_, other_,
                                                              {.index_cache_bytes = options_.index_cache_bytes,
                                                               .dry_run = options_.dry_run}));
    bool any = false;
    const auto take = [&](const NeededBlock& block, bool done) {
      if (done) healed_now_.insert(block.id);
      any = any || done;
    };
    for (const NeededBlock& block : survey_->needed) {
      if (!is_lost(block.id)) continue;
      DRS_RETURN_IF_ERROR(check_session_sometimes());
      DRS_ASSIGN_OR_RETURN(const bool done, healer->heal(block));
      take(block, done);
    }
    // What still decodes in a damaged pack is moved only if the pack can then go.
    for (const BadPack& pack : survey_->packs) {
      if (std::ranges::any_of(pack.live, [&](const BlockId& block) { return is_lost(block); })) continue;
      for (const BlockId& id : pack.live) {
        const NeededBlock* const block = survey_->find(id);
        if (block == nullptr || block->is_lost() || healed_now_.contains(id)) continue;
        DRS_RETURN_IF_ERROR(check_session_sometimes());
        DRS_ASSIGN_OR_RETURN(const bool done, healer->move(*block));
        take(*block, done);
      }
    }
    DRS_RETURN_IF_ERROR(healer->flush());
    lost_spans_ = healer->lost_spans();
    if (any && !options_.dry_run) DRS_RETURN_IF_ERROR(failpoint("repair.blocks_stored"));
    const HealedBlocks& healed = healer->healed();
    report_.healed.moved += healed.moved;
    report_.healed.copied += healed.copied;
    report_.healed.rebuilt += healed.rebuilt;
    report_.healed.restored += healed.restored;
    report_.packs_stored += healer->stored().packs;
    report_.stored_bytes += healer->stored().sealed_bytes;
    return any;
  }

  [[nodiscard]] Result<void> check_session_sometimes() const {
    if (control_.cancel.cancelled())
      return Error(ErrorCode::kCancelled, "the repair was cancelled; run it again: it continues");
    return session_ == nullptr ? Result<void>() : session_->heartbeat_result();
  }

  // In a dry run, a block that would be healed counts as if it were.
  [[nodiscard]] bool is_superseded(const BadPack& pack) const {
    return std::ranges::none_of(pack.live, [&](const BlockId& block) {
      return survey_->find(block) != nullptr && !healed_now_.contains(block);
    });
  }

  [[nodiscard]] bool was_put_again(const BadPack& pack) const {
    return std::ranges::any_of(put_again_, [&](const RepairedPack& put) { return put.name == pack.name; });
  }

  // Names the packs of which every live block has a good copy elsewhere: all were read in the last survey. New packs
  // and index objects are durable. A missing pack is named too, so that no delayed PUT can bring it back into use.
  Result<void> condemn() {
    std::vector<Digest> names;
    for (const BadPack& pack : survey_->packs)
      if (!pack.is_condemned && !was_put_again(pack) && is_superseded(pack)) names.push_back(pack.name);
    condemned_now_.insert(names.begin(), names.end());
    if (names.empty() || options_.dry_run) return {};
    DRS_RETURN_IF_ERROR(check_session());
    for (std::size_t at = 0; at < names.size(); at += kCondemnedPacksMax) {
      const auto begin = names.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = static_cast<std::ptrdiff_t>(std::min(kCondemnedPacksMax, names.size() - at));
      DRS_ASSIGN_OR_RETURN(const Uuid record, put_condemned(repository_, std::vector<Digest>(begin, begin + count)));
      DRS_RETURN_IF_ERROR(failpoint("repair.record_stored"));
      DRS_RETURN_IF_ERROR(put_waits(repository_, record));
      DRS_RETURN_IF_ERROR(failpoint("repair.waits_stored"));
    }
    return {};
  }

  // Marks of packs that are intact or gone, or that nothing relies on any more, go. A pack that stays is marked, so
  // that the next push stores its chunks anew.
  Result<void> settle_marks() {
    DRS_ASSIGN_OR_RETURN(const DigestSet gone, find_gone());
    report_.packs_gone = gone.size();
    if (options_.dry_run) return {};
    for (const auto& [name, marks] : survey_->copies->packs().marks())
      if (is_spare(name) || read_.intact.contains(name) || gone.contains(name))
        DRS_RETURN_IF_ERROR(clear_marks(name, marks));
    for (const BadPack& pack : survey_->packs)
      if (pack.is_there && (!pack.is_marked || read_.under_marked.contains(pack.name)) && !is_superseded(pack))
        DRS_RETURN_IF_ERROR(mark_damaged(store_, repository_.clock(), pack.name,
                                         {.found_by = "repair packs", .problem = pack.problem, .blocks = {}}));
    return {};
  }

  // A condemned pack of which every live block has a good copy elsewhere.
  [[nodiscard]] bool is_spare(const Digest& name) const {
    const auto bad = std::ranges::find(survey_->packs, name, &BadPack::name);
    return bad != survey_->packs.end() && (bad->is_condemned || condemned_now_.contains(name)) && is_superseded(*bad);
  }

  Result<void> clear_marks(const Digest& pack, const PackMarks& marks) {
    for (const PackMarks::Mark& mark : marks.marks) {
      const auto cleared = clear_damaged(store_, pack, mark.id);
      if (!cleared.ok() && cleared.error().code != ErrorCode::kDenied) return cleared.error();
      if (cleared.ok())
        ++report_.marks_removed;
      else
        report_.warnings.push_back(
            damaged_name(pack, mark.id) +
            " could not be removed, so `drstream status` still counts its pack as damaged: " + cleared.error().message);
    }
    return {};
  }

  // Marked packs that neither the store lists nor an index object names. While a block is lost, or what lists blocks
  // cannot be read, such a pack may be the one that held it, and its mark is the last trace of it.
  Result<DigestSet> find_gone() {
    const PackCatalog& packs = survey_->copies->packs();
    BlockIndex& index = survey_->copies->index();
    DigestSet gone;
    for (const auto& [name, marks] : packs.marks())
      if (packs.find(name) == nullptr) gone.insert(name);
    for (std::uint32_t unit = 0; unit < index.unit_count() && !gone.empty(); ++unit)
      for (const IndexedPack& named : index.unit_packs(unit)) gone.erase(named.name);
    if (gone.empty()) return gone;
    std::vector<std::string> names;
    for (const Digest& name : gone) names.push_back(pack_name(name));
    DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(store_, names));  // one may have been stored since
    std::erase_if(gone, [&](const Digest& name) { return listed.contains(pack_name(name)); });
    const bool is_any_lost =
        std::ranges::any_of(survey_->needed, [&](const NeededBlock& block) { return is_lost(block.id); });
    const BlockIndex::Problem* const problem = index.problem_of_index_object();
    if (gone.empty() || (!is_any_lost && survey_->unreadable.empty() && problem == nullptr)) return gone;
    report_.warnings.push_back(
        "marks name " + std::to_string(gone.size()) + " packs that are gone; the marks stay while " +
        (problem != nullptr ? problem->object + " cannot be read" : "what snapshots need is lost or unknown"));
    return DigestSet();
  }

  void report_packs() {
    report_.packs = put_again_;
    for (const BadPack& pack : survey_->packs) {
      if (was_put_again(pack)) continue;
      RepairedPack repaired{pack.name, pack.bytes, Fate::kStays, pack.problem, pack.live.size(), 0};
      if (is_superseded(pack)) repaired.fate = pack.is_condemned ? Fate::kCondemnedBefore : Fate::kCondemned;
      repaired.lost_blocks = static_cast<std::uint64_t>(
          std::ranges::count_if(pack.live, [&](const BlockId& block) { return is_lost(block); }));
      report_.packs.push_back(std::move(repaired));
    }
    std::ranges::sort(report_.packs, {}, &RepairedPack::name);
    report_.unreadable = survey_->unreadable;
    report_.warnings.insert(report_.warnings.end(), survey_->warnings.begin(), survey_->warnings.end());
    report_.packs_intact = read_.intact.size();
  }

  Result<void> report_snapshots() {
    std::map<const Snapshot*, std::uint64_t> lost;
    for (const NeededBlock& block : survey_->needed)
      if (is_lost(block.id))
        for (const Snapshot* const snapshot : block.snapshots) ++lost[snapshot];
    if (lost.empty()) return {};
    DRS_ASSIGN_OR_RETURN(
        SnapshotLosses losses,
        SnapshotLosses::make(repository_, *survey_, {[&](const BlockId& block) { return is_lost(block); }, lost_spans_},
                             find_recipe_));
    for (const Snapshot& snapshot : survey_->snapshots.live) {
      const auto found = lost.find(&snapshot);
      if (found == lost.end()) continue;
      DRS_RETURN_IF_ERROR(check_session_sometimes());
      DRS_ASSIGN_OR_RETURN(SnapshotLoss loss, losses.of(snapshot));
      loss.blocks = found->second;
      report_.snapshots.push_back({snapshot.manifest.stream, snapshot.id(), snapshot.manifest.snapshot_ns,
                                   snapshot.manifest.content != ManifestContent::kBytes, loss});
    }
    return {};
  }

  Repository& repository_;
  ObjectStore& store_;
  OtherRepository* const other_;
  const RepairPacksOptions& options_;
  const RunControl& control_;
  const FindRecipe find_recipe_ = [this](const RecipePartRef& ref) -> Result<std::optional<RecipePart>> {
    return other_ == nullptr ? std::optional<RecipePart>() : other_->recipe_part(ref);
  };
  RepairPacksReport report_;
  std::unique_ptr<WriteSession> session_;  // none in a dry run
  ReadPacks read_;
  std::unique_ptr<Survey> survey_;
  std::unordered_set<BlockId, BlockIdHash> healed_now_;  // since the survey
  LostSpans lost_spans_;                                 // of blocks that stay lost, since the survey
  DigestSet tried_;                                      // missing packs that were looked for in the other repository
  DigestSet condemned_now_;
  std::vector<RepairedPack> put_again_;
};

}  // namespace

std::uint64_t RepairPacksReport::count(RepairedPack::Fate fate) const {
  return static_cast<std::uint64_t>(std::ranges::count(packs, fate, &RepairedPack::fate));
}

Result<RepairPacksReport> repair_packs(Repository& repository, OtherRepository* other,
                                       const RepairPacksOptions& options, const RunControl& control) {
  return PackRepair(repository, other, options, control).run();
}

}  // namespace drs
