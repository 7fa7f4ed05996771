#include "engine/repository/lost_ranges.h"

#include "engine/format/names.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

bool is_good(const PackInfo* found, const IndexedPack& pack) {
  return found != nullptr && found->bytes == pack.bytes && !found->condemned && !found->may_be_condemned &&
         !found->marked;
}

bool has_bad_pack(const Uuid& session, const BlockIndex& index, const PackCatalog& packs) {
  if (index.problem_of_index_object() != nullptr) return true;
  for (const std::uint32_t unit : index.units_of_session(session))
    for (const IndexedPack& pack : index.unit_packs(unit))
      if (!is_good(packs.find(pack.name), pack)) return true;
  return false;
}

}  // namespace

Result<std::vector<StreamSpan>> lost_ranges(const ManifestStream& stream, BlockIndex& index, const PackCatalog& packs,
                                            StreamRange& reader) {
  std::vector<StreamSpan> lost;
  if (!has_bad_pack(stream.session, index, packs)) return lost;
  for (const RecipePartRef& part : stream.parts) {
    const auto visited = reader.visit_blocks(
        part, [&](const BlockId& block, std::uint64_t begin_bytes, std::uint64_t end_bytes) -> Result<void> {
          const auto location = index.locate(block);
          if (!location.ok() && !is_object_fault(location.error())) return location.error();
          if (!location.ok() || !location->usable) lost.push_back({begin_bytes, end_bytes});
          return {};
        });
    if (visited.ok()) continue;
    if (!is_object_fault(visited.error())) return visited.error();
    lost.push_back({part.stream_offset_bytes, part.stream_offset_bytes + part.stream_bytes});
  }
  return lost;
}

std::vector<ObjectKey> objects_of_session(const Uuid& session, const BlockIndex& index, const PackCatalog& packs) {
  std::vector<ObjectKey> names;
  for (const std::uint32_t unit : index.units_of_session(session)) {
    if (!index.unit_is_uncovered_pack(unit)) names.push_back(index.unit_name(unit));
    for (const IndexedPack& pack : index.unit_packs(unit))
      if (const PackInfo* const found = packs.find(pack.name); found != nullptr && !found->condemned)
        names.push_back(pack_name(pack.name));
  }
  return names;
}

}  // namespace drs
