#include "verify/document_check.h"

#include <array>
#include <utility>

#include "engine/format/config.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/slot.h"
#include "engine/format/verified.h"
#include "engine/repository/read_again.h"
#include "engine/repository/removal.h"
#include "engine/repository/retention_objects.h"
#include "io/base/error_class.h"
#include "verify/too_new.h"

namespace drs {
namespace {

constexpr std::array<std::string_view, 9> kAlways = {"config/", "keys/",  "sessions/", "condemned/", "waits/",
                                                     "kept/",   "holds/", "verified/", "damaged/"};
constexpr std::array<std::string_view, 3> kReadByCatalog = {"manifests/", "removed/", "retired/"};

Result<void> require(bool condition, const char* otherwise) {
  if (condition) return {};
  return Error(ErrorCode::kCorrupt, otherwise);
}

}  // namespace

Result<void> DocumentCheck::list(ObjectStore& store) {
  const auto take = [&](const ObjectInfo& info) -> Result<void> {
    if (const auto parsed = parse_name(info.key)) objects_.push_back({info.key, info.size_bytes, *parsed});
    return {};
  };
  for (const std::string_view prefix : kAlways) {
    const auto listed = store.list(prefix, take);
    if (listed.ok()) continue;
    if (!is_damage(listed.error())) return listed;
    report_bad_folder(context_.findings, prefix, listed.error());
  }
  if (!context_.options.read_data) return {};
  for (const std::string_view prefix : kReadByCatalog) DRS_RETURN_IF_ERROR(store.list(prefix, take));
  return {};
}

Result<void> DocumentCheck::check(std::size_t number, ObjectStore& store) {
  if (context_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
  return absent_.check(number, listed(number, store));
}

Result<void> DocumentCheck::check_absent(ObjectStore& store) {
  return absent_.check_again(store, [&](std::size_t number) { return listed(number, store); });
}

ListedObject DocumentCheck::listed(std::size_t number, ObjectStore& store) {
  const Object& object = objects_[number];
  return {.name = object.key,
          .read = [this, &object, &store] { return read(object, store); },
          .report = [this, &object](const Error& error) { report(object, error); }};
}

Result<void> DocumentCheck::read(const Object& object, ObjectStore& store) {
  auto whole = read_whole(object, store);
  if (whole.ok() || object.parsed.kind != ObjectKind::kManifest || !is_damage(whole.error())) return whole;
  DRS_ASSIGN_OR_RETURN(const auto removal, removal_of(context_.repository.keys(), store, object.key));
  if (!removal) return whole;
  context_.findings.report(
      Finding::Severity::kWarning, object.key,
      "the manifest of a removed snapshot, which `drstream unforget` could not bring back: " + whole.error().message);
  return {};
}

Result<void> DocumentCheck::read_whole(const Object& object, ObjectStore& store) {
  const std::size_t bytes_max = object.parsed.kind == ObjectKind::kSlot ? kSlotBytesMax : kDocumentBytesMax;
  DRS_ASSIGN_OR_RETURN(const Bytes bytes, get_document(store, object.key, bytes_max));
  context_.progress.bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
  return check_bytes(object, bytes);
}

void DocumentCheck::report(const Object& object, const Error& error) {
  if (object.parsed.kind == ObjectKind::kDamaged)
    report_bad_mark(context_.findings, object.key, error.message);
  else if (object.parsed.kind == ObjectKind::kVerified)
    report_bad_record(context_.findings, object.key, error.message);
  else
    context_.findings.report(severity_of(error), object.key, error.message);
}

Result<void> DocumentCheck::check_bytes(const Object& object, ByteView bytes) {
  switch (object.parsed.kind) {
    case ObjectKind::kSlot: return check_slot(object, bytes);
    case ObjectKind::kDamaged: {
      DRS_ASSIGN_OR_RETURN(const DamagedMark mark, decode_damaged(bytes));
      return require(mark.pack == object.parsed.digest && mark.id == object.parsed.uuid,
                     "the mark names another pack or id than its object name");
    }
    case ObjectKind::kManifest:
      DRS_RETURN_IF_ERROR(open_manifest_object(context_.repository.keys(), object.key, bytes));
      return {};
    case ObjectKind::kRemoved:
      DRS_RETURN_IF_ERROR(open_removed(context_.repository.keys(), object.key, bytes));
      return {};
    case ObjectKind::kWaits: DRS_RETURN_IF_ERROR(open_waits(context_.repository.keys(), object.key, bytes)); return {};
    case ObjectKind::kRetired:
      DRS_RETURN_IF_ERROR(open_retired(context_.repository.keys(), object.key, bytes));
      return {};
    case ObjectKind::kKept:
    case ObjectKind::kHold: DRS_RETURN_IF_ERROR(open_hold(context_.repository.keys(), object.key, bytes)); return {};
    default: {
      DRS_ASSIGN_OR_RETURN(const Bytes body,
                           decode_document(context_.repository.keys(), object.parsed.kind, object.key, bytes));
      return check_body(object, bytes, body);
    }
  }
}

Result<void> DocumentCheck::check_body(const Object& object, ByteView bytes, ByteView body) {
  const RepositoryKeys& keys = context_.repository.keys();
  switch (object.parsed.kind) {
    case ObjectKind::kConfig: {
      DRS_ASSIGN_OR_RETURN(const Config config, decode_config(body));
      DRS_RETURN_IF_ERROR(require(config.repository == keys.repository(), "the config belongs to another repository"));
      DRS_RETURN_IF_ERROR(require(equal_constant_time(config.master_commitment.view(), keys.commitment().view()),
                                  "the config's commitment belongs to another master key"));
      const std::scoped_lock lock(mutex_);
      config_digests_.insert(document_identity(bytes));
      return {};
    }
    case ObjectKind::kSession: {
      DRS_ASSIGN_OR_RETURN(const SessionRecord record, decode_session(body));
      return require(record.session == object.parsed.uuid && keys.stream_tag(record.stream) == object.parsed.tag,
                     "the session's name differs from its content");
    }
    case ObjectKind::kCondemned: {
      DRS_ASSIGN_OR_RETURN(const CondemnedPacks packs, decode_condemned(body));
      const std::scoped_lock lock(mutex_);
      condemned_.insert(packs.packs.begin(), packs.packs.end());
      return {};
    }
    case ObjectKind::kVerified: {
      const auto record = decode_verified(body);
      return record.ok() ? Result<void>() : Result<void>(record.error());
    }
    default: return Error(ErrorCode::kInternal, object.key + " is not a document");
  }
}

Result<void> DocumentCheck::check_slot(const Object& object, ByteView bytes) const {
  const RepositoryKeys& keys = context_.repository.keys();
  const auto slot = decode_slot(bytes);
  if (!slot.ok() && is_too_new(slot.error())) {
    context_.findings.report(Finding::Severity::kWarning, object.key, slot.error().message);
    return {};
  }
  if (!slot.ok()) return slot.error();
  DRS_RETURN_IF_ERROR(require(slot_id(bytes) == object.parsed.uuid, "the slot's name differs from its digest"));
  if (slot->repository != keys.repository()) {
    context_.findings.report(
        Finding::Severity::kWarning, object.key,
        "the slot belongs to another repository (it was copied here, or an init left it that died or "
        "came second): it opens nothing and is ignored; next: drstream key remove");
    return {};
  }
  return check_slot_mac(keys, bytes);
}

}  // namespace drs
