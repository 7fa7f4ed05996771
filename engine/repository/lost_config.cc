#include "engine/repository/lost_config.h"

#include <optional>
#include <string>
#include <string_view>

#include "engine/format/names.h"
#include "engine/format/object_rules.h"

namespace drs {
namespace {

// Returns the first listed object of this kind.
Result<std::optional<ObjectKey>> first_object(ObjectStore& store, ObjectKind kind) {
  std::optional<ObjectKey> found;
  const auto listed = store.list(name_prefix(kind), [&](const ObjectInfo& info) -> Result<void> {
    if (!parse_name(info.key)) return {};
    found = info.key;
    return Error(ErrorCode::kCancelled, "one is enough");
  });
  if (!found) DRS_RETURN_IF_ERROR(listed);
  return found;
}

// Returns the first object that only a repository has.
Result<std::optional<ObjectKey>> first_remnant(ObjectStore& store) {
  for (const ObjectRule& rule : object_rules()) {
    if (rule.kind == ObjectKind::kConfig || rule.kind == ObjectKind::kSlot) continue;
    DRS_ASSIGN_OR_RETURN(auto found, first_object(store, rule.kind));
    if (found) return found;
  }
  return std::optional<ObjectKey>();
}

std::string lost_config_text(const ObjectStore& store, const ObjectKey& object, bool slots_are_there) {
  const char* const missing = slots_are_there ? "config/" : "config/ and keys/";
  return store.name_for_messages() + " holds " + object + ", but nothing under " + missing +
         ": this is a repository that has lost them. Copy " + missing +
         " from a backup or a replica of this repository to this place, and every snapshot can be read again";
}

Result<bool> has_objects(ObjectStore& store, ObjectKind kind) {
  DRS_ASSIGN_OR_RETURN(const auto found, first_object(store, kind));
  return found.has_value();
}

}  // namespace

Result<bool> holds_config(ObjectStore& store) {
  return has_objects(store, ObjectKind::kConfig);
}

Error place_is_taken(const ObjectStore& store) {
  return {ErrorCode::kAlreadyExists, store.name_for_messages() + " already holds a repository; nothing was changed"};
}

Result<void> require_empty_place(ObjectStore& store) {
  DRS_ASSIGN_OR_RETURN(const bool configured, holds_config(store));
  if (configured) return place_is_taken(store);
  DRS_ASSIGN_OR_RETURN(const auto object, first_remnant(store));
  if (!object) return {};
  DRS_ASSIGN_OR_RETURN(const bool slots_are_there, has_objects(store, ObjectKind::kSlot));
  return Error(ErrorCode::kAlreadyExists, lost_config_text(store, *object, slots_are_there) +
                                              "; nothing was changed; a new repository needs another place");
}

Error no_repository_error(ObjectStore& store) {
  const auto object = first_remnant(store);
  if (!object.ok() || !*object)
    return {ErrorCode::kNoRepository, store.name_for_messages() + " holds no repository (no object under config/)"};
  const auto slots_are_there = has_objects(store, ObjectKind::kSlot);
  return {ErrorCode::kNoRepository, lost_config_text(store, **object, slots_are_there.ok() && *slots_are_there)};
}

}  // namespace drs
