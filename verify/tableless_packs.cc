#include "verify/tableless_packs.h"

#include <algorithm>
#include <map>
#include <string>

#include "engine/format/names.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// By offset in the pack: two index objects may name the same block. An unreadable unit has its own finding.
using Locations = std::map<std::uint32_t, BlockLocation>;

Result<Locations> locations_in(BlockIndex& index, const Digest& pack) {
  Locations locations;
  for (std::uint32_t unit = 0; unit < index.unit_count(); ++unit) {
    const auto& packs = index.unit_packs(unit);
    if (std::none_of(packs.begin(), packs.end(), [&](const IndexedPack& indexed) { return indexed.name == pack; }))
      continue;
    for (std::uint32_t block = 0; block < index.unit_blocks(unit); ++block) {
      const auto location = index.location({unit, block});
      if (location.ok() && location->pack == pack) locations.emplace(location->record.offset_bytes, *location);
      if (location.ok() || is_absent(location.error())) continue;
      if (!is_object_fault(location.error())) return location.error();
      break;
    }
  }
  return locations;
}

}  // namespace

Result<TablelessCounts> check_tableless_packs(CheckContext& context, BlockIndex& index, BlockReader& reader) {
  TablelessCounts counts;
  for (const Digest& pack : context.tableless) {
    DRS_ASSIGN_OR_RETURN(const Locations locations, locations_in(index, pack));
    if (locations.empty()) continue;
    std::uint64_t whole = 0;
    std::string first_damage;
    for (const auto& [offset_bytes, location] : locations) {
      if (context.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
      const auto plain = reader.read(location);
      if (plain.ok()) {
        context.damage.add_whole_block(location);
        ++whole;
        counts.decoded_bytes += plain->size();
        continue;
      }
      if (!is_object_fault(plain.error())) return plain.error();
      if (first_damage.empty()) first_damage = plain.error().message;
      if (is_unreadable(plain.error())) break;  // then neither are the others
    }
    counts.blocks += whole;
    context.findings.report(Finding::Severity::kDamage, pack_name(pack),
                            "of the " + std::to_string(locations.size()) + " blocks that the index locates in it, " +
                                std::to_string(whole) + " still decode" +
                                (first_damage.empty() ? "" : ", the first that does not: ") + first_damage);
  }
  return counts;
}

}  // namespace drs
