#include "engine/repository/live_index.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "io/base/error_class.h"

namespace drs {
namespace {

// After this many equal lists following a vanished index object: the store lists an object that it does not have.
constexpr int kVanishedAlikeMax = 3;

// The names of the objects that an index was loaded from, sorted.
std::vector<std::string> unit_names(const BlockIndex& index) {
  std::vector<std::string> names;
  for (std::uint32_t unit = 0; unit < index.unit_count(); ++unit) names.push_back(index.unit_name(unit));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<std::unique_ptr<LiveIndex>> LiveIndex::open(Repository& repository, ObjectStore& store,
                                                   BlockIndex::Options options, std::optional<PackCatalog> packs,
                                                   Listing listing) {
  std::unique_ptr<LiveIndex> live(new LiveIndex(repository, store, options));
  DRS_RETURN_IF_ERROR(live->load(std::move(packs), std::move(listing)));
  return live;
}

// On error the current lists stay.
Result<bool> LiveIndex::load(std::optional<PackCatalog> packs, Listing listing) {
  if (index_ != nullptr) index_->drop_cache();  // the memory plan has room for one cache
  if (!packs) {
    // Condemned packs may still be read, and a damaged record of them must not stop a restore.
    DRS_ASSIGN_OR_RETURN(packs,
                         PackCatalog::load_from(repository_, PackCatalog::UnreadableCondemned::kPassOver, listing));
  }
  auto listed = std::make_unique<PackCatalog>(*std::move(packs));
  DRS_ASSIGN_OR_RETURN(auto index, BlockIndex::load(repository_, store_, *listed, options_, std::move(listing)));
  const bool changed =
      index_ == nullptr || !listed->lists_the_packs_of(*packs_) || unit_names(*index_) != unit_names(*index);
  was_changed_ = was_changed_ || (changed && index_ != nullptr);
  index_ = std::move(index);  // first: the old index refers to the old packs
  packs_ = std::move(listed);
  ++lists_made_;
  return changed;
}

Result<BlockLocation> LiveIndex::locate(const BlockId& id) {
  for (;;) {
    auto location = index_->locate(id);
    if (location.ok() || !is_object_fault(location.error())) return location;
    DRS_ASSIGN_OR_RETURN(const bool changed, renew(std::nullopt, location.error()));
    if (changed) continue;
    if (!is_absent(location.error()) || std::exchange(listed_again_, true)) return location;
    DRS_RETURN_IF_ERROR(load({}, {}));
  }
}

Result<bool> LiveIndex::renew(const std::optional<BlockLocation>& tried, const Error& error) {
  const bool gone = is_absent(error) && tried && packs_->find(tried->pack) != nullptr;
  const bool vanished = index_->vanished() && vanished_alike_ < kVanishedAlikeMax;
  if (!vanished && (!gone || stay_)) return false;
  DRS_ASSIGN_OR_RETURN(const bool changed, load({}, {}));
  if (gone) stay_ = !changed;
  if (vanished) vanished_alike_ = changed ? 0 : vanished_alike_ + 1;
  return changed;
}

}  // namespace drs
