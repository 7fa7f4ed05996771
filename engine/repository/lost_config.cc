#include "engine/repository/lost_config.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "engine/format/names.h"

namespace drs {
namespace {

// Those that every repository with a snapshot has come first.
constexpr std::array kKinds = {ObjectKind::kManifest, ObjectKind::kPack,      ObjectKind::kIndex,  ObjectKind::kRemoved,
                               ObjectKind::kSession,  ObjectKind::kCondemned, ObjectKind::kDamaged};

// The first object of these kinds that a list shows.
Result<std::optional<ObjectKey>> first_object(ObjectStore& store, std::span<const ObjectKind> kinds) {
  for (const ObjectKind kind : kinds) {
    std::optional<ObjectKey> found;
    const auto listed = store.list(name_prefix(kind), [&](const ObjectInfo& info) -> Result<void> {
      if (!parse_name(info.key)) return {};
      found = info.key;
      return Error(ErrorCode::kCancelled, "one is enough");
    });
    if (found) return found;
    DRS_RETURN_IF_ERROR(listed);
  }
  return std::optional<ObjectKey>();
}

std::string lost_config_text(const ObjectStore& store, const ObjectKey& object, bool slots_are_there) {
  const char* const missing = slots_are_there ? "config/" : "config/ and keys/";
  return store.name_for_messages() + " holds " + object + ", but nothing under " + missing +
         ": a repository that has lost them. Copy " + missing +
         " of a backup or of a replica of this repository to this place, and every snapshot can be read again";
}

Result<bool> has_objects(ObjectStore& store, ObjectKind kind) {
  DRS_ASSIGN_OR_RETURN(const auto found, first_object(store, std::span(&kind, 1)));
  return found.has_value();
}

}  // namespace

Result<void> require_empty_place(ObjectStore& store) {
  DRS_ASSIGN_OR_RETURN(const bool configured, has_objects(store, ObjectKind::kConfig));
  if (configured)
    return Error(ErrorCode::kAlreadyExists,
                 store.name_for_messages() + " already holds a repository; nothing was changed");
  DRS_ASSIGN_OR_RETURN(const auto object, first_object(store, kKinds));
  if (!object) return {};
  DRS_ASSIGN_OR_RETURN(const bool slots_are_there, has_objects(store, ObjectKind::kSlot));
  return Error(ErrorCode::kAlreadyExists, lost_config_text(store, *object, slots_are_there) +
                                              "; nothing was changed, a new repository needs "
                                              "another place");
}

Error no_repository_error(ObjectStore& store) {
  const auto object = first_object(store, kKinds);
  if (!object.ok() || !*object)
    return {ErrorCode::kNoRepository, store.name_for_messages() + " holds no repository (no object under config/)"};
  const auto slots_are_there = has_objects(store, ObjectKind::kSlot);
  return {ErrorCode::kNoRepository, lost_config_text(store, **object, slots_are_there.ok() && *slots_are_there)};
}

}  // namespace drs
