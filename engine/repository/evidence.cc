#include "engine/repository/evidence.h"

#include <algorithm>
#include <chrono>
#include <unordered_set>
#include <utility>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/listed_again.h"
#include "engine/repository/read_again.h"
#include "engine/repository/verified_arcs.h"
#include "io/base/error_class.h"
#include "sinks/settled_put.h"

namespace drs {
namespace {

constexpr WallNs kHourNs = std::chrono::nanoseconds(kListedLate).count();
constexpr std::size_t kBoundsMax = 64;

// Both clocks must agree that a proof is that young: the clock of a sweep's machine may be ahead, and a repository that
// was copied as files has the times of the copy.
WallNs corrected(WallNs proven_ns, const Verified& record, WallNs stored_ns) {
  if (record.folded || stored_ns == 0) return proven_ns;
  const WallNs took_ns = std::max<WallNs>(record.ended_ns - proven_ns, 0);
  return std::min(proven_ns, stored_ns - took_ns);
}

// What an arc says about the packs of today.
enum class Claim : std::uint8_t { kNone, kAll, kLongThere };

bool is_long_there(const VerifiedArc& arc, const PackInfo& pack) {
  return there_since_ns(pack) != 0 && there_since_ns(pack) <= arc.listed_ns - kHourNs;
}

// As many packs as then: they must be the same. Fewer: some were deleted, and of what is left that proves which was
// there an hour before the list. More: one was not in the list, and nothing tells which.
Claim claim_of(const VerifiedArc& arc, std::span<const PackInfo> packs) {
  std::uint64_t count = 0, bytes = 0;
  for (const PackInfo& pack : packs) {
    if (!is_within(arc, pack)) continue;
    ++count;
    bytes += pack.bytes;
  }
  if (count > arc.packs) return Claim::kNone;
  if (count < arc.packs) return bytes < arc.bytes ? Claim::kLongThere : Claim::kNone;
  return bytes == arc.bytes && names_digest(arc, packs) == arc.names ? Claim::kAll : Claim::kNone;
}

constexpr WallNs kDamageKept = std::chrono::nanoseconds(std::chrono::days(400)).count();

}  // namespace

// Which arcs decide about a pack of today.
struct Evidence::Deciding {
  std::vector<std::size_t> read_by, decoded_by;  // for each pack, the position of an arc; kNobody
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
};

Result<Evidence> Evidence::load(Repository& repository) {
  return load(repository, repository.clock().wall_ns());
}

Result<Evidence> Evidence::load(Repository& repository, WallNs now_ns) {
  Evidence evidence(now_ns);
  ListingRounds rounds;
  std::unordered_set<std::string> known;
  for (int attempt = 0; attempt < kListAttempts; ++attempt) {
    auto list = repository.list(ObjectKind::kVerified);
    if (!list.ok() && is_damage(list.error())) {  // something else has the folder's name
      evidence.unreadable_.push_back({std::string(name_prefix(ObjectKind::kVerified)), list.error().message, false});
      return evidence;
    }
    DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> listed, std::move(list));
    std::erase_if(listed, [&](const ObjectInfo& info) { return known.contains(info.key); });
    DRS_RETURN_IF_ERROR(get_documents(
        repository.store(), listed, kDocumentBytesMax, [&](std::size_t place, Result<Bytes> object) -> Result<void> {
          const ObjectInfo& info = listed[place];
          auto body = object.ok() ? decode_document(repository.keys(), ObjectKind::kVerified, info.key, *object)
                                  : Result<Bytes>(object.error());
          auto record = body.ok() ? decode_verified(*body) : Result<Verified>(body.error());
          // A prune has joined it with others since it was listed.
          if (!record.ok() && is_absent(record.error()) && !rounds.is_absent_again(info.key)) return {};
          // Records of another user may not be readable: they are hints.
          const bool denied = !record.ok() && record.error().code == ErrorCode::kDenied;
          if (!record.ok() && !denied && !is_object_fault(record.error())) return record.error();
          known.insert(info.key);
          if (record.ok()) {
            // One of which a part is ignored stays: a later clock may see it otherwise.
            if (evidence.add(*record, info.modified_ns)) evidence.names_.push_back(info.key);
          } else {
            evidence.unreadable_.push_back({info.key, record.error().message, is_lasting_damage(record.error())});
          }
          return {};
        }));
    if (!rounds.next()) return evidence;
  }
  return Error(ErrorCode::kUnavailable,
               "objects under verified/ vanish each time they are listed: run the command again");
}

bool Evidence::is_from_the_future(WallNs proven_ns) const {
  return proven_ns > now_ns_ + kHourNs;
}

bool Evidence::add(const Verified& record, WallNs stored_ns) {
  bool all = true;
  const auto take = [&](WallNs& proven_ns) {
    proven_ns = corrected(proven_ns, record, stored_ns);
    if (proven_ns <= 0 || is_from_the_future(proven_ns)) {
      all = false;
      return false;
    }
    newest_ns_ = std::max(newest_ns_, proven_ns);
    return true;
  };
  for (VerifiedArc arc : record.arcs)
    if (take(arc.proven_ns)) arcs_.push_back(arc);
  for (DamagedPack damaged : record.damaged)
    if (take(damaged.proven_ns)) damaged_.push_back(damaged);
  for (RebuiltSnapshot rebuilt : record.rebuilt) {
    if (!take(rebuilt.proven_ns)) continue;
    RebuildProof& newest = rebuilt_[rebuilt.manifest];
    if (newest.proven_ns <= rebuilt.proven_ns) newest = {rebuilt.proven_ns, rebuilt.well};
  }
  for (CoverageMoment moment : record.moments)
    if (take(moment.ended_ns)) moments_.push_back(moment);
  WallNs structure_ns = record.structure_ns;
  if (structure_ns != 0 && take(structure_ns) && structure_ns >= structure_ns_) {
    structure_whole_ =
        structure_ns > structure_ns_ ? record.structure_whole : structure_whole_ && record.structure_whole;
    structure_ns_ = structure_ns;
  }
  if (record.folded)
    newest_folded_ns_ = std::max(newest_folded_ns_, record.ended_ns);
  else
    newest_single_ns_ = std::max(newest_single_ns_, corrected(record.ended_ns, record, stored_ns));
  return all;
}

std::vector<PackProof> Evidence::of(std::span<const PackInfo> packs) const {
  return judge(packs, nullptr);
}

std::vector<PackProof> Evidence::judge(std::span<const PackInfo> packs, Deciding* deciding) const {
  std::vector<PackProof> proofs(packs.size());
  if (deciding != nullptr) {
    deciding->read_by.assign(packs.size(), Deciding::kNobody);
    deciding->decoded_by.assign(packs.size(), Deciding::kNobody);
  }
  // By time: what is later counts. Of the same time, damage counts.
  std::vector<std::size_t> order(arcs_.size() + damaged_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto time_of = [&](std::size_t fact) {
    return fact < arcs_.size() ? arcs_[fact].proven_ns : damaged_[fact - arcs_.size()].proven_ns;
  };
  std::ranges::stable_sort(order, {}, time_of);
  std::vector<ProofLevel> damaged_at(packs.size(), ProofLevel::kDigest);
  for (const std::size_t fact : order) {
    if (fact >= arcs_.size()) {
      const DamagedPack& damaged = damaged_[fact - arcs_.size()];
      const auto here = between(packs, damaged.pack, damaged.pack);
      // A pack that was put there later is another one: it may be healed, and nothing of it is proven.
      if (here.empty() || there_since_ns(here.front()) > damaged.proven_ns) continue;
      const auto at = static_cast<std::size_t>(here.data() - packs.data());
      proofs[at] = {.damaged = true};
      damaged_at[at] = damaged.level;
      continue;
    }
    const VerifiedArc& arc = arcs_[fact];
    const auto range = between(packs, arc.from, arc.to);
    const Claim claim = claim_of(arc, range);
    if (claim == Claim::kNone) continue;
    for (const PackInfo& pack : range) {
      if (!is_within(arc, pack) || (claim == Claim::kLongThere && !is_long_there(arc, pack))) continue;
      const auto at = static_cast<std::size_t>(&pack - packs.data());
      PackProof& proof = proofs[at];
      if (proof.damaged && arc.level < damaged_at[at]) continue;  // its digest may be right, and a block is not
      proof.damaged = false;
      proof.read_ns = arc.proven_ns;
      if (arc.level == ProofLevel::kDecoded) proof.decoded_ns = arc.proven_ns;
      if (deciding == nullptr) continue;
      deciding->read_by[at] = fact;
      if (arc.level == ProofLevel::kDecoded) deciding->decoded_by[at] = fact;
    }
  }
  return proofs;
}

const RebuildProof* Evidence::rebuilt(const Digest& manifest) const {
  const auto found = rebuilt_.find(manifest);
  return found == rebuilt_.end() ? nullptr : &found->second;
}

std::vector<CoverageMoment> Evidence::moments() const {
  std::vector<CoverageMoment> moments = moments_;
  std::ranges::stable_sort(moments, {}, &CoverageMoment::ended_ns);
  return moments;
}

std::vector<WallNs> Evidence::bounds() const {
  std::vector<WallNs> bounds;
  for (const VerifiedArc& arc : arcs_) {
    bounds.push_back(arc.since_ns);
    bounds.push_back(arc.until_ns);
    // Packs that are younger may be left over.
    bounds.push_back(arc.listed_ns - kHourNs);
  }
  std::ranges::sort(bounds, std::greater());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  if (bounds.size() > kBoundsMax) bounds.resize(kBoundsMax);
  return bounds;
}

std::vector<Verified> Evidence::folded(std::span<const PackInfo> packs, std::span<const Digest> live) const {
  Deciding deciding;
  static_cast<void>(judge(packs, &deciding));
  std::vector<bool> decides(arcs_.size(), false);
  for (const auto* const by : {&deciding.read_by, &deciding.decoded_by})
    for (const std::size_t arc : *by)
      if (arc != Deciding::kNobody) decides[arc] = true;

  std::vector<Verified> out(1);
  const auto room = [&](auto member, std::size_t count_max) -> Verified& {
    if ((out.back().*member).size() >= count_max) out.emplace_back();
    return out.back();
  };
  for (std::size_t i = 0; i < arcs_.size(); ++i)
    if (decides[i]) room(&Verified::arcs, kVerifiedArcsMax).arcs.push_back(arcs_[i]);
  // Also of packs that are gone: one may be put back. Also damage that a later proof has ended: an earlier arc may
  // stay.
  for (const DamagedPack& damaged : damaged_)
    if (damaged.proven_ns > now_ns_ - kDamageKept)
      room(&Verified::damaged, kVerifiedDamagedMax).damaged.push_back(damaged);
  for (const Digest& manifest : live)
    if (const RebuildProof* const proof = rebuilt(manifest); proof != nullptr)
      room(&Verified::rebuilt, kVerifiedRebuiltMax).rebuilt.push_back({manifest, proof->well, proof->proven_ns});
  out.front().structure_ns = structure_ns_;
  out.front().structure_whole = structure_whole_;
  out.front().moments = moments();
  if (out.front().moments.size() > kVerifiedMomentsMax)  // the oldest go
    out.front().moments.erase(out.front().moments.begin(), out.front().moments.end() - kVerifiedMomentsMax);
  for (Verified& record : out) {
    record.folded = true;
    record.ended_ns = now_ns_;
  }
  return out;
}

Result<void> put_record(const Repository& repository, ObjectStore& store, const Verified& record) {
  Uuid id;
  random_bytes(id.mutable_view());
  const std::string name = verified_name(id);
  return put_settled(store, name,
                     encode_document(repository.keys(), ObjectKind::kVerified, name, encode_verified(record)));
}

Coverage coverage_of(std::span<const PackInfo> packs, std::span<const PackProof> proofs, const CoverageWindow& window) {
  Coverage coverage;
  const auto keep_oldest = [](WallNs& oldest, WallNs time) {
    if (time != 0 && (oldest == 0 || time < oldest)) oldest = time;
  };
  for (std::size_t i = 0; i < packs.size(); ++i) {
    const PackInfo& pack = packs[i];
    if (pack.condemned) continue;
    ++coverage.packs;
    coverage.bytes += pack.bytes;
    if (proofs[i].damaged) ++coverage.damaged_packs;
    if (proofs[i].read_ns != 0 && proofs[i].read_ns >= window.since_ns) {
      ++coverage.proven_packs;
      coverage.proven_bytes += pack.bytes;
      keep_oldest(coverage.oldest_proof_ns, proofs[i].read_ns);
      if (proofs[i].decoded_ns != 0 && proofs[i].decoded_ns >= window.since_ns) coverage.decoded_bytes += pack.bytes;
    } else {
      keep_oldest(coverage.oldest_unproven_ns, pack.stored_ns);
      // A time that has not come yet tells nothing.
      const WallNs there_ns = there_since_ns(pack);
      if (there_ns < window.since_ns || there_ns > window.now_ns + kHourNs) ++coverage.overdue_packs;
    }
  }
  return coverage;
}

}  // namespace drs
