#include "engine/repository/key_slots.h"

#include "engine/format/names.h"
#include "engine/repository/read_again.h"
#include "sinks/settled_put.h"

namespace drs {

Result<std::vector<SlotInfo>> list_slots(Repository& repository) {
  std::vector<SlotInfo> slots;
  DRS_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> objects, repository.list(ObjectKind::kSlot));
  for (const ObjectInfo& object : objects) slots.emplace_back().id = parse_name(object.key)->uuid;
  for (SlotInfo& info : slots) {
    info.current = info.id == repository.opened_with_slot();
    auto bytes = get_document(repository.store(), slot_name(info.id), kSlotBytesMax);
    if (!bytes.ok()) {
      info.problem = bytes.error().message;
      continue;
    }
    info.object = *std::move(bytes);
    auto slot = decode_slot(info.object);
    if (!slot.ok()) {
      info.problem = slot.error().message;
      continue;
    }
    info.slot = *std::move(slot);
    if (info.slot.repository != repository.config().repository) {
      info.problem = "belongs to another repository; ignored";
    } else if ((info.slot.kind == SlotKind::kClear) == repository.config().encrypted) {
      info.problem = repository.config().encrypted ? "holds the key in clear: refused by an encrypted repository"
                                                   : "holds a sealed key: refused by a repository without encryption";
    } else if (slot_id(info.object) != info.id) {
      info.problem = "its name differs from its digest";
    } else if (const auto made = check_slot_mac(repository.keys(), info.object); !made.ok()) {
      info.problem = "forged: " + made.error().message;
    }
  }
  return slots;
}

Result<std::vector<Uuid>> slots_opened_by(Repository& repository, const Secret& secret) {
  std::vector<Uuid> opened;
  DRS_ASSIGN_OR_RETURN(const auto slots, list_slots(repository));
  for (const SlotInfo& info : slots) {
    if (!info.problem.empty() || info.slot.kind != secret.kind) continue;
    const auto master = unlock_slot(info.object, secret.bytes.view());
    if (master.ok()) opened.push_back(info.id);
    if (!master.ok() && master.error().code != ErrorCode::kWrongKey) return master.error();
  }
  return opened;
}

Result<Uuid> add_slot(Repository& repository, const Secret& secret, const std::string& label) {
  if (repository.config().encrypted && secret.kind == SlotKind::kClear)
    return Error(ErrorCode::kUsage, "a new slot of an encrypted repository needs a key or a passphrase");
  if (!repository.config().encrypted && secret.kind != SlotKind::kClear)
    return Error(ErrorCode::kUsage, "this repository was made with --encryption none; a key would protect nothing");
  SlotFields fields;
  fields.kind = secret.kind;
  fields.label = label;
  fields.created_ns = repository.clock().wall_ns();
  DRS_ASSIGN_OR_RETURN(const Bytes object, encode_slot(repository.keys(), fields, secret.bytes.view()));
  DRS_ASSIGN_OR_RETURN(const SecretBytes master, unlock_slot(object, secret.bytes.view()));
  DRS_ASSERT(equal_constant_time(master.view(), repository.keys().master()), "a new slot opens to another master key");
  const Uuid id = slot_id(object);
  DRS_RETURN_IF_ERROR(put_settled(repository.store(), slot_name(id), object));
  return id;
}

Result<Uuid> remove_slot(Repository& repository, const std::string& id_prefix) {
  DRS_ASSIGN_OR_RETURN(const auto slots, list_slots(repository));
  std::optional<Uuid> target;
  std::size_t matches = 0;
  std::size_t others = 0;
  for (const SlotInfo& info : slots) {
    if (!id_prefix.empty() && info.id.hex().starts_with(id_prefix)) {
      target = info.id;
      ++matches;
    } else if (info.problem.empty()) {
      ++others;
    }
  }
  if (matches == 0) return Error(ErrorCode::kNotFound, "no key slot begins with '" + id_prefix + "'");
  if (matches > 1) return Error(ErrorCode::kUsage, "several key slots begin with '" + id_prefix + "'");
  if (others == 0)
    return Error(ErrorCode::kUsage,
                 "slot " + target->hex() +
                     " is the last working slot; without it no snapshot could be restored; nothing was removed");
  const std::string name = slot_name(*target);
  DRS_ASSIGN_OR_RETURN(const Bytes removed, get_document(repository.store(), name, kSlotBytesMax));
  DRS_RETURN_IF_ERROR(repository.store().remove(name));
  // A concurrent removal may have removed the other slots: if no working slot is left, put this one back.
  DRS_ASSIGN_OR_RETURN(const auto left, list_slots(repository));
  for (const SlotInfo& info : left)
    if (info.problem.empty()) return *target;
  DRS_RETURN_IF_ERROR(put_settled(repository.store(), name, removed));
  return Error(ErrorCode::kUsage, "another removal ran at the same time; slot " + target->hex() +
                                      " was put back, because no other working slot is left");
}

}  // namespace drs
