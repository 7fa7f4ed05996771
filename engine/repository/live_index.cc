#include "engine/repository/live_index.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "io/error_class.h"

namespace drs {
namespace {

// Lists that come out alike after an index object had gone: the store lists what it does not have.
constexpr int kVanishedAlikeMax = 3;

// What an index was loaded from, in order.
std::vector<std::string> unit_names(const BlockIndex& index) {
  std::vector<std::string> names;
  for (std::uint32_t unit = 0; unit < index.unit_count(); ++unit) names.push_back(index.unit_name(unit));
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Result<std::unique_ptr<LiveIndex>> LiveIndex::open(Repository& repository, ObjectStore& store,
                                                   BlockIndex::Options options, std::optional<PackCatalog> packs) {
  std::unique_ptr<LiveIndex> live(new LiveIndex(repository, store, options));
  DRS_RETURN_IF_ERROR(live->load(std::move(packs)));
  return live;
}

// What was there stays if this fails.
Result<bool> LiveIndex::load(std::optional<PackCatalog> packs) {
  if (index_ != nullptr) index_->drop_cache();  // memory for one
  if (!packs) {
    // What a prune has condemned may still be read; a damaged record of it must not stop a restore.
    DRS_ASSIGN_OR_RETURN(packs, PackCatalog::load(repository_, PackCatalog::UnreadableCondemned::kPassOver));
  }
  auto listed = std::make_unique<PackCatalog>(*std::move(packs));
  DRS_ASSIGN_OR_RETURN(auto index, BlockIndex::load(repository_, store_, *listed, options_));
  const bool changed =
      index_ == nullptr || !listed->lists_the_packs_of(*packs_) || unit_names(*index_) != unit_names(*index);
  was_changed_ = was_changed_ || (changed && index_ != nullptr);
  index_ = std::move(index);  // first: the old one refers to the old packs
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
    if (location.error().code != ErrorCode::kNotFound || std::exchange(listed_again_, true)) return location;
    DRS_RETURN_IF_ERROR(load({}));
  }
}

Result<bool> LiveIndex::renew(const std::optional<BlockLocation>& tried, const Error& error) {
  const bool gone = error.code == ErrorCode::kNotFound && tried && packs_->find(tried->pack) != nullptr;
  const bool vanished = index_->vanished() && vanished_alike_ < kVanishedAlikeMax;
  if (!vanished && (!gone || stay_)) return false;
  DRS_ASSIGN_OR_RETURN(const bool changed, load({}));
  if (gone) stay_ = !changed;
  if (vanished) vanished_alike_ = changed ? 0 : vanished_alike_ + 1;
  return changed;
}

}  // namespace drs
