#include "verify/index_claims.h"

#include <algorithm>
#include <utility>

#include "io/base/error_class.h"
#include "verify/index_object.h"
#include "verify/too_new.h"

namespace drs {
namespace {

constexpr std::size_t kDirectoriesMax = 8;  // held at once; about 400 KiB each at most

}  // namespace

void IndexClaims::add(const ObjectInfo& info, const IndexSummary& summary,
                      std::map<std::uint32_t, std::size_t> lost_packs) {
  const std::scoped_lock lock(mutex_);
  for (const IndexSession& session : summary.sessions) {
    claims_[session.session].push_back({session.counter_min, session.counter_max, claimers_.size()});
  }
  claimers_.push_back({info, std::move(lost_packs), false, std::nullopt});
}

Result<std::optional<std::size_t>> IndexClaims::explain(ObjectStore& store, const BlockId& id) {
  const auto found = claims_.find(id.session);
  if (found == claims_.end()) return std::optional<std::size_t>();
  std::optional<std::size_t> unreadable;
  for (const Claim& claim : found->second) {
    if (id.counter < claim.counter_min || id.counter > claim.counter_max) continue;
    Claimer& claimer = claimers_[claim.claimer];
    if (claimer.replaced) continue;
    if (!claimer.unreadable) {
      auto entries = directory(store, claim.claimer);
      if (entries.ok()) {
        const auto at = std::lower_bound(
            (*entries)->begin(), (*entries)->end(), id,
            [](const DirectoryEntry& entry, const BlockId& wanted) { return entry.record.id < wanted; });
        for (auto entry = at; entry != (*entries)->end() && entry->record.id == id; ++entry) {
          const auto lost = claimer.lost_packs.find(entry->pack);
          if (lost != claimer.lost_packs.end()) return std::optional<std::size_t>(lost->second);
        }
        continue;
      }
      Error error = std::move(entries).error();
      if (!is_object_fault(error)) return error;
      DRS_RETURN_IF_ERROR(tell_from_damage(store, claimer.info.key, error));
      claimer.replaced = is_absent(error);
      if (claimer.replaced) continue;
      claimer.unreadable =
          findings_.report(severity_of(error), claimer.info.key, "its directory cannot be read: " + error.message);
    }
    unreadable = claimer.unreadable;
  }
  return unreadable;
}

Result<const IndexClaims::Directory*> IndexClaims::directory(ObjectStore& store, std::size_t claimer) {
  const auto found =
      std::find_if(directories_.begin(), directories_.end(), [&](const auto& held) { return held.first == claimer; });
  if (found != directories_.end()) {
    directories_.splice(directories_.begin(), directories_, found);
  } else {
    DRS_ASSIGN_OR_RETURN(const IndexObject object, IndexObject::open(repository_, store, claimers_[claimer].info));
    DRS_ASSIGN_OR_RETURN(Directory entries, object.read_directory(store));
    directories_.emplace_front(claimer, std::move(entries));
    if (directories_.size() > kDirectoriesMax) directories_.pop_back();
  }
  return &directories_.front().second;
}

}  // namespace drs
