#include "engine/repository/listing.h"

#include <iterator>
#include <string_view>

#include "engine/format/names.h"
#include "io/base/error_class.h"

namespace drs {

Result<Listing> Listing::make(ObjectStore& store, std::span<const ObjectKind> kinds) {
  Listing listing;
  std::vector<std::string_view> prefixes;
  for (const ObjectKind kind : kinds) {
    listing.objects_[kind];
    prefixes.push_back(name_prefix(kind));
  }
  DRS_RETURN_IF_ERROR(store.list_together(prefixes, [&](const ObjectInfo& info) -> Result<void> {
    if (const auto parsed = parse_name(info.key))
      listing.objects_[parsed->kind].push_back(info);
    else if (is_folder_name(info.key))
      listing.occupied_folders_.push_back(info.key);
    return {};
  }));
  return listing;
}

Result<Listing> Listing::make_or_defer(ObjectStore& store, std::span<const ObjectKind> kinds) {
  auto listing = make(store, kinds);
  if (!listing.ok() && is_damage(listing.error())) return Listing();
  return listing;
}

Result<Listing::Objects> Listing::take(ObjectStore& store, ObjectKind kind) {
  if (auto found = objects_.extract(kind); !found.empty()) return std::move(found.mapped());
  DRS_ASSIGN_OR_RETURN(Listing now, make(store, std::span(&kind, 1)));
  if (kind == ObjectKind::kPack) occupied_folders_ = std::move(now.occupied_folders_);
  return std::move(now.objects_[kind]);
}

void Listing::replace(std::span<const ObjectKind> kinds, Listing newer) {
  for (const ObjectKind kind : kinds) {
    objects_.erase(kind);
    if (kind == ObjectKind::kPack) occupied_folders_ = std::move(newer.occupied_folders_);
    if (auto found = newer.objects_.extract(kind); !found.empty()) objects_.insert(std::move(found));
  }
}

}  // namespace drs
