#include "engine/pipeline/repair/damage_survey.h"

#include <algorithm>
#include <utility>

#include "engine/format/names.h"
#include "engine/pipeline/keeping/block_set.h"
#include "engine/pipeline/repair/pack_flaws.h"
#include "engine/repository/block_reader.h"
#include "engine/repository/evidence.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/removal.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// Makes one survey from one set of lists.
class Surveyor {
 public:
  Surveyor(Repository& repository, ReadPacks& read, const FindRecipe& find_recipe, const RunControl& control)
      : repository_(repository), read_(read), find_recipe_(find_recipe), control_(control) {}

  // Returns nothing if another set of lists is needed: a listed object has vanished, or a pack proved damaged that this
  // set took for good.
  Result<std::unique_ptr<Survey>> run(std::size_t index_cache_bytes) {
    DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository_, repository_.store()));
    DRS_ASSIGN_OR_RETURN(BlockMover prover, BlockMover::make(repository_, repository_.store(), {}));
    reader_ = &reader;
    prover_ = &prover;
    DRS_RETURN_IF_ERROR(list(index_cache_bytes));
    DRS_RETURN_IF_ERROR(judge_suspects());
    DRS_RETURN_IF_ERROR(judge_by_index());
    for (const auto& [name, problem] : read_.damaged) index().set_unusable(name);
    damaged_before_ = read_.damaged.size();
    for (const Snapshot& snapshot : survey_->snapshots.live) DRS_RETURN_IF_ERROR(add_snapshot(snapshot));
    if (has_found_more()) return std::unique_ptr<Survey>();
    DRS_RETURN_IF_ERROR(find_live_in_bad_packs());
    DRS_RETURN_IF_ERROR(prove_copies());
    if (has_found_more() || index().vanished()) return std::unique_ptr<Survey>();
    return std::move(survey_);
  }

 private:
  BlockIndex& index() { return survey_->copies->index(); }
  ObjectStore& store() { return repository_.store(); }

  // Then blocks that were taken for good before may have no good copy.
  [[nodiscard]] bool has_found_more() const { return read_.damaged.size() > damaged_before_; }

  [[nodiscard]] Result<void> check_cancelled() const {
    if (control_.cancel.cancelled())
      return Error(ErrorCode::kCancelled, "the repair was cancelled; run it again: it continues");
    return {};
  }

  // Records of condemned packs before packs: a pack that is missing, and that none of them names, was not deleted by a
  // prune that condemned it before.
  Result<void> list(std::size_t index_cache_bytes) {
    DRS_ASSIGN_OR_RETURN(const CondemnedList condemned,
                         PackCatalog::load_condemned(repository_, PackCatalog::UnreadableCondemned::kPassOver));
    condemned_.insert(condemned.packs.begin(), condemned.packs.end());
    survey_->record_unreadable = !condemned.unreadable.empty();
    for (const CondemnedList::Unreadable& record : condemned.unreadable)
      survey_->warnings.push_back(record.name + " cannot be read: " + record.error.message +
                                  "; it may name any pack that is missing, so none is put again under its name");
    DRS_ASSIGN_OR_RETURN(survey_->snapshots, load_snapshots(repository_));
    DRS_ASSIGN_OR_RETURN(survey_->copies, BlockCopies::load(repository_, index_cache_bytes));
    for (const BrokenManifest& broken : survey_->snapshots.broken)
      if (parse_name(broken.name)->kind == ObjectKind::kManifest)
        survey_->unreadable.push_back(broken.name + ": " + broken.error.message);
    return {};
  }

  // Marks may have been refused, or removed by anyone who can write to the store: what a sweep has found counts too. A
  // condemned pack is used by no push and deleted by a prune.
  Result<std::vector<PackInfo>> suspects() {
    DRS_ASSIGN_OR_RETURN(const Evidence evidence, Evidence::load(repository_));
    for (const Evidence::Unreadable& record : evidence.unreadable())
      survey_->warnings.push_back(record.name + " cannot be read: " + record.problem +
                                  "; packs that it records as damaged are not looked at");
    const std::vector<PackInfo>& packs = survey_->copies->packs().packs();
    const std::vector<PackProof> proofs = evidence.of(packs);
    std::vector<PackInfo> found;
    for (std::size_t i = 0; i < packs.size(); ++i)
      if ((packs[i].marked || (proofs[i].damaged && !packs[i].condemned)) && !is_known(packs[i].name))
        found.push_back(packs[i]);
    return found;
  }

  Result<void> judge_suspects() {
    DRS_ASSIGN_OR_RETURN(const std::vector<PackInfo> found, suspects());
    for (const PackInfo& pack : found) control_.progress.total_bytes += pack.bytes;
    for (const PackInfo& pack : found) {
      const auto flaws = find_flaws(repository_, *prover_, pack, control_.cancel);
      control_.progress.bytes += pack.bytes;
      if (!flaws.ok() && is_absent(flaws.error())) {
        DRS_ASSIGN_OR_RETURN(const auto listed, still_listed(store(), std::vector{pack_name(pack.name)}));
        if (!listed.empty()) note_damage(pack.name, listed_but_absent().message);
      } else if (!flaws.ok()) {
        return flaws.error();
      } else if (*flaws) {
        note_damage(pack.name, (*flaws)->problem);
        if (!marks_cover(pack.name, **flaws)) read_.under_marked.insert(pack.name);
      } else {
        read_.intact.insert(pack.name);
      }
    }
    return {};
  }

  [[nodiscard]] bool marks_cover(const Digest& pack, const PackFlaws& flaws) const {
    const PackMarks* const marks = survey_->copies->packs().marks_of(pack);
    if (marks == nullptr || flaws.everywhere) return marks != nullptr && marks->whole;
    return std::ranges::all_of(
        flaws.blocks, [&](const DamagedBlock& block) { return marks->covers(block.offset_bytes, block.bytes); });
  }

  [[nodiscard]] bool is_known(const Digest& pack) const {
    return read_.intact.contains(pack) || read_.damaged.contains(pack);
  }

  void note_damage(const Digest& pack, const std::string& problem) {
    read_.intact.erase(pack);
    if (read_.damaged.emplace(pack, problem).second) ++control_.progress.problems;
  }

  // Packs that the index does not find as it names them.
  Result<void> judge_by_index() {
    const PackCatalog& packs = survey_->copies->packs();
    for (const BlockIndex::Problem& problem : index().problems()) {
      const auto parsed = parse_name(problem.object);
      if (parsed && parsed->kind == ObjectKind::kPack && is_lasting_damage(problem.error))
        note_damage(parsed->digest, "its table cannot be read: " + problem.error.message);
    }
    for (std::uint32_t unit = 0; unit < index().unit_count(); ++unit) {
      for (const IndexedPack& named : index().unit_packs(unit)) {
        const PackInfo* const listed = packs.find(named.name);
        if (listed != nullptr && listed->bytes == named.bytes) continue;
        if (condemned_.contains(named.name) || missing_.contains(named.name)) continue;
        const auto there = store().stat(pack_name(named.name));  // a push may have stored it since packs were listed
        if (!there.ok() && !is_object_fault(there.error())) return there.error();
        if (there.ok() && there->size_bytes == named.bytes) continue;
        if (there.ok())
          note_damage(named.name, "it has " + std::to_string(there->size_bytes) + " bytes, but " +
                                      index().unit_name(unit) + " says " + std::to_string(named.bytes));
        else if (is_absent(there.error()))
          missing_.emplace(named.name, named.bytes);
        else
          note_damage(named.name, there.error().message);
      }
    }
    return {};
  }

  Result<void> add_snapshot(const Snapshot& snapshot) {
    const auto manifest = read_manifest(repository_, store(), snapshot);
    if (!manifest.ok() && !is_object_fault(manifest.error())) return manifest.error();
    if (!manifest.ok()) {
      DRS_ASSIGN_OR_RETURN(const auto removed, removal_of(repository_.keys(), store(), snapshot.name));
      if (!removed) survey_->unreadable.push_back(snapshot.name + ": " + manifest.error().message);
      return {};
    }
    for (const ManifestStream& stream : manifest->streams)
      for (const RecipePartRef& part : stream.parts) DRS_RETURN_IF_ERROR(add_part({&snapshot, stream.label, part}));
    return {};
  }

  Result<void> add_part(const PartUse& use) {
    DRS_RETURN_IF_ERROR(check_cancelled());
    if (!live_.add(use.part.block)) {
      if (const auto needs = needs_of_part_.find(use.part.block); needs != needs_of_part_.end())
        for (const std::size_t place : needs->second) add_use(place, use);
      return {};
    }
    std::vector<std::size_t> needs;
    DRS_ASSIGN_OR_RETURN(std::optional<RecipePart> part, read_part(use.part));
    if (!part) {
      needs.push_back(need(use.part.block, BlockKind::kRecipe));
      DRS_ASSIGN_OR_RETURN(part, read_part_elsewhere(use.part));
    }
    if (part) {
      for (const BlockId& block : part->blocks) {
        if (live_.add(block)) {
          DRS_ASSIGN_OR_RETURN(const auto copy, good_copy(block));
          if (!copy) need(block, BlockKind::kData);
        }
        if (const auto place = survey_->place_of.find(block); place != survey_->place_of.end())
          needs.push_back(place->second);
      }
    }
    for (const std::size_t place : needs) add_use(place, use);
    if (!needs.empty()) needs_of_part_.emplace(use.part.block, std::move(needs));
    return {};
  }

  std::size_t need(const BlockId& block, BlockKind kind) {
    const auto [place, is_new] = survey_->place_of.emplace(block, survey_->needed.size());
    if (is_new) survey_->needed.push_back({block, kind, {}, {}, {}});
    return place->second;
  }

  void add_use(std::size_t place, const PartUse& use) {
    NeededBlock& block = survey_->needed[place];
    block.snapshots.insert(use.snapshot);
    if (block.uses.size() < NeededBlock::kUsesMax) block.uses.push_back(use);
  }

  // From a good pack. One that cannot be read there shows that the pack is damaged.
  Result<std::optional<RecipePart>> read_part(const RecipePartRef& ref) {
    for (;;) {
      DRS_ASSIGN_OR_RETURN(const auto copy, good_copy(ref.block));
      if (!copy) return std::optional<RecipePart>();
      auto part = reader_->read_recipe_part_at(*copy, ref);
      if (part.ok()) return std::optional(*std::move(part));
      DRS_RETURN_IF_ERROR(distrust(copy->pack, part.error()));
    }
  }

  // After an object's fault: the pack is no good copy of anything.
  Result<void> distrust(const Digest& pack, const Error& error) {
    if (!is_object_fault(error)) return error;
    note_damage(pack, error.message);
    index().set_unusable(pack);
    return {};
  }

  Result<std::optional<RecipePart>> read_part_elsewhere(const RecipePartRef& ref) {
    DRS_ASSIGN_OR_RETURN(std::optional<RecipePart> part, survey_->copies->read_recipe_part(*reader_, ref));
    return part ? Result<std::optional<RecipePart>>(std::move(part)) : find_recipe_(ref);
  }

  // One in a pack that is not known to be damaged. Preferred are those that no record names and no mark. One in a
  // condemned pack is read: checks leave no marks of these.
  Result<std::optional<BlockLocation>> good_copy(const BlockId& block) {
    const auto at = index().locate(block);
    if (!at.ok() && !is_object_fault(at.error())) return at.error();
    if (at.ok() && at->usable && !read_.damaged.contains(at->pack)) return std::optional(*at);
    if (!at.ok() && is_absent(at.error())) return std::optional<BlockLocation>();
    DRS_ASSIGN_OR_RETURN(const std::vector<BlockLocation> copies, survey_->copies->find(block));
    for (const BlockLocation& copy : copies) {
      if (read_.damaged.contains(copy.pack)) continue;
      if (!condemned_.contains(copy.pack)) return std::optional(copy);
      DRS_ASSIGN_OR_RETURN(const auto problem, check(copy));
      if (!problem) return std::optional(copy);
      DRS_RETURN_IF_ERROR(distrust(copy.pack, *problem));
    }
    return std::optional<BlockLocation>();
  }

  Result<void> find_live_in_bad_packs() {
    const PackCatalog& packs = survey_->copies->packs();
    std::map<Digest, BadPack> bad;
    for (const auto& [name, problem] : read_.damaged) {
      const PackInfo* const listed = packs.find(name);
      if (listed == nullptr) continue;  // deleted since it was read
      bad[name] = {name, listed->bytes, true, listed->condemned, listed->marked, problem, {}};
    }
    for (const auto& [name, bytes] : missing_) bad[name] = {name, bytes, false, false, false, "is missing", {}};
    for (std::uint32_t unit = 0; unit < index().unit_count() && !bad.empty(); ++unit) {
      const std::vector<IndexedPack> named = index().unit_packs(unit);
      if (std::ranges::none_of(named, [&](const IndexedPack& pack) { return bad.contains(pack.name); })) continue;
      const auto entries = index().directory(unit);
      if (!entries.ok() && !is_object_fault(entries.error())) return entries.error();
      if (!entries.ok()) continue;
      for (const DirectoryEntry& entry : **entries)
        if (const auto pack = bad.find(named[entry.pack].name); pack != bad.end() && live_.contains(entry.record.id))
          pack->second.live.push_back(entry.record.id);
    }
    for (auto& [name, pack] : bad) {
      std::ranges::sort(pack.live);
      pack.live.erase(std::ranges::unique(pack.live).begin(), pack.live.end());
      survey_->packs.push_back(std::move(pack));
    }
    return {};
  }

  // Reads what is relied on: the good copies of the live blocks of bad packs, and the blocks that decode in these.
  Result<void> prove_copies() {
    for (const BadPack& pack : survey_->packs) {
      for (const BlockId& block : pack.live) {
        DRS_RETURN_IF_ERROR(check_cancelled());
        if (const auto place = survey_->place_of.find(block); place != survey_->place_of.end()) {
          DRS_RETURN_IF_ERROR(look_for_readable(survey_->needed[place->second]));
          continue;
        }
        DRS_ASSIGN_OR_RETURN(const auto copy, good_copy(block));
        if (!copy && !has_found_more())
          return Error(ErrorCode::kInternal,
                       "block " + to_string(block) + " had a good copy, which is not found again");
        if (!copy) return {};  // the next survey takes it into account
        DRS_ASSIGN_OR_RETURN(const auto problem, check(*copy));
        if (problem) return distrust(copy->pack, *problem);
      }
    }
    return {};
  }

  Result<void> look_for_readable(NeededBlock& block) {
    if (block.readable) return {};
    DRS_ASSIGN_OR_RETURN(const std::vector<BlockLocation> copies, survey_->copies->find(block.id));
    for (const BlockLocation& at : copies) {
      DRS_ASSIGN_OR_RETURN(const auto problem, check(at));
      if (!problem) block.readable = at;
      if (!problem) return {};
    }
    return {};
  }

  // Returns what is wrong with the block there.
  Result<std::optional<Error>> check(const BlockLocation& at) {
    const auto copy = survey_->copies->open(at);
    if (!copy.ok() && !is_object_fault(copy.error())) return copy.error();
    if (!copy.ok()) return std::optional(copy.error());
    const auto good = prover_->check(copy->stored());
    if (!good.ok() && !is_object_fault(good.error())) return good.error();
    return good.ok() ? std::optional<Error>() : std::optional(good.error());
  }

  Repository& repository_;
  ReadPacks& read_;
  const FindRecipe& find_recipe_;
  const RunControl& control_;
  std::unique_ptr<Survey> survey_ = std::make_unique<Survey>();
  BlockReader* reader_ = nullptr;
  BlockMover* prover_ = nullptr;
  DigestSet condemned_;
  std::map<Digest, std::uint64_t> missing_;  // bytes
  std::size_t damaged_before_ = 0;
  BlockSet live_;
  std::unordered_map<BlockId, std::vector<std::size_t>, BlockIdHash> needs_of_part_;  // places in Survey::needed
};

}  // namespace

Result<std::unique_ptr<Survey>> survey_damage(Repository& repository, ReadPacks& read, const FindRecipe& find_recipe,
                                              std::size_t index_cache_bytes, const RunControl& control) {
  for (int attempt = 0; attempt < kListAttempts;) {
    const std::size_t damaged = read.damaged.size();
    DRS_ASSIGN_OR_RETURN(auto survey, Surveyor(repository, read, find_recipe, control).run(index_cache_bytes));
    if (survey != nullptr) return survey;
    if (read.damaged.size() == damaged) ++attempt;  // packs are finitely many
  }
  return Error(ErrorCode::kUnavailable,
               "objects of this repository vanish each time they are listed: run the command again when other prunes "
               "and repairs of it have ended");
}

}  // namespace drs
