#include "engine/topics/reuse_check.h"

#include <algorithm>
#include <set>

#include "io/base/error_class.h"

namespace drs {

ReuseCheck::ReuseCheck(TopicView& view, BlockIndex& index, const PackCatalog& packs)
    : view_(view), index_(index), packs_(packs), streams_(view.manifest().streams.size()) {}

Result<void> ReuseCheck::check(std::uint32_t stream) {
  StreamState& state = streams_[stream];
  if (state.checked) return {};
  DRS_ASSIGN_OR_RETURN(state.lost, lost_ranges(view_.manifest().streams[stream], index_, packs_, view_.directories()));
  state.checked = true;
  return {};
}

Result<bool> ReuseCheck::is_lost(const CatalogueExtent& extent) {
  DRS_RETURN_IF_ERROR(check(extent.stream));
  const std::vector<StreamSpan>& lost = streams_[extent.stream].lost;
  if (lost.empty()) return false;
  const auto meets = [&](std::uint64_t place, std::uint64_t bytes) {
    return std::ranges::any_of(
        lost, [&](const StreamSpan& span) { return place < span.end_bytes && span.begin_bytes < place + bytes; });
  };
  if (meets(extent.extent.index_place, extent.extent.index_bytes)) return true;
  const auto index = view_.index(extent);
  if (!index.ok() && !is_object_fault(index.error())) return index.error();
  const auto entry_is_lost = [&](const RecordBlockEntry& entry) { return meets(entry.place, entry.bytes); };
  return !index.ok() || std::ranges::any_of(index->blocks, entry_is_lost);
}

Result<bool> ReuseCheck::has_damage(std::uint32_t stream) {
  DRS_RETURN_IF_ERROR(check(stream));
  return !streams_[stream].lost.empty();
}

std::vector<ObjectKey> ReuseCheck::objects_of(const std::vector<std::uint32_t>& streams) const {
  std::set<ObjectKey> names;
  for (const std::uint32_t stream : streams)
    names.merge([&] {
      const std::vector<ObjectKey> own = objects_of_session(view_.manifest().streams[stream].session, index_, packs_);
      return std::set<ObjectKey>(own.begin(), own.end());
    }());
  return {names.begin(), names.end()};
}

}  // namespace drs
