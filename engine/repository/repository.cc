#include "engine/repository/repository.h"

#include <algorithm>
#include <array>

#include "codecs/random.h"
#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/lost_config.h"
#include "engine/repository/read_again.h"
#include "engine/repository/settled_put.h"
#include "io/error_class.h"

namespace drs {
namespace {

struct NamedObject {
  ObjectInfo info;
  ParsedName parsed;
};

std::vector<NamedObject> named(const std::vector<ObjectInfo>& objects) {
  std::vector<NamedObject> out;
  for (const ObjectInfo& info : objects) out.push_back({info, *parse_name(info.key)});
  return out;
}

// Reads all of them, each with its own outcome, in their order.
Result<std::vector<Result<Bytes>>> read_all(ObjectStore& store, const std::vector<NamedObject>& objects,
                                            std::size_t size_bytes_max) {
  std::vector<ObjectInfo> infos;
  for (const NamedObject& object : objects) infos.push_back(object.info);
  std::vector<Result<Bytes>> read(objects.size(), Bytes());
  DRS_RETURN_IF_ERROR(
      get_documents(store, infos, size_bytes_max, [&](std::size_t place, Result<Bytes> bytes) -> Result<void> {
        read[place] = std::move(bytes);
        return {};
      }));
  return read;
}

Error wrong_key(const ObjectStore& store, std::string_view why) {
  return Error(ErrorCode::kWrongKey, std::string(why) + " (" + store.name_for_messages() + ")");
}

// The body of a config object. Errors: kCorrupt, kTruncated, kFormatTooNew.
Result<Config> open_config(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kConfig, name, object));
  DRS_ASSIGN_OR_RETURN(Config config, decode_config(body));
  if (config.repository != keys.repository() ||
      !equal_constant_time(config.master_commitment.view(), keys.commitment().view()))
    return Error(ErrorCode::kCorrupt, "its commitment is of another master key");
  return config;
}

// Why the config that counts cannot be used. Damage, where it is damaged: its digest is checked before its version.
Error config_error(const std::string& name, Error error) {
  const bool unreadable = error.code == ErrorCode::kIo && is_lasting_damage(error);  // its medium cannot give it back
  const bool damaged = is_lasting_damage(error) || error.code == ErrorCode::kNotFound;
  const ErrorCode code = unreadable || error.code == ErrorCode::kNotFound ? ErrorCode::kCorrupt : error.code;
  std::string text = name + ": " + error.message;
  if (damaged)
    text +=
        "; the config with the highest number counts, and no other is taken instead: put this object back from a "
        "replica of the repository or from a copy of its config/ and keys/";
  if (damaged && name != config_name(1))
    text +=
        ". If no copy of it exists and no newer drstream has changed this repository, something else put it there: "
        "this drstream writes " +
        config_name(1) + " alone; find out what, and move it out of the repository";
  return {code, text, error.error_number};
}

struct Unlocked {
  SecretBytes master;
  Uuid slot;
};

// " (keys/...: ...; keys/...: ...)", so that a damaged slot is not taken for a wrong key.
std::string in_parentheses(const std::vector<std::string>& problems) {
  if (problems.empty()) return "";
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? " (" : "; ") + problem;
  return text + ")";
}

// Tries `secret` on each slot of `repository`, the one that `config` names; `slot_bytes` are theirs. Slots that cannot
// be read are told in `warnings` and passed over.
Result<Unlocked> unlock_any(const ObjectStore& store, const std::vector<NamedObject>& slots,
                            const std::vector<Result<Bytes>>& slot_bytes, const std::string& config,
                            const Uuid& repository, const Secret& secret, std::vector<std::string>& warnings) {
  std::size_t readable = 0;
  bool too_new = false;
  bool clear_slot = false;
  std::vector<std::string> unreadable;
  std::vector<std::string> foreign;
  std::vector<std::string> absent;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::string& name = slots[i].info.key;
    const Result<Bytes>& bytes = slot_bytes[i];
    if (!bytes.ok()) {
      if (bytes.error().code == ErrorCode::kNotFound) {  // removed since it was listed, most likely
        absent.push_back(name + " is listed, but not there");
        continue;
      }
      if (!is_damage(bytes.error())) return bytes.error();
      unreadable.push_back(bytes.error().message);
      continue;
    }
    const auto slot = decode_slot(*bytes);
    if (!slot.ok()) {
      too_new = too_new || slot.error().code == ErrorCode::kFormatTooNew;
      unreadable.push_back(name + ": " + slot.error().message);
      continue;
    }
    if (slot->repository != repository) {  // of an init that lost
      foreign.push_back(name + " is of another repository than " + config);
      continue;
    }
    ++readable;
    clear_slot = clear_slot || slot->kind == SlotKind::kClear;
    if (slot->kind != secret.kind) continue;
    auto master = unlock_slot(*bytes, secret.bytes.view());
    if (master.ok()) {
      warnings.insert(warnings.end(), unreadable.begin(), unreadable.end());
      return Unlocked{std::move(master).value(), slots[i].parsed.uuid};
    }
    if (is_shortage(master.error())) return std::move(master).error();
    if (master.error().code != ErrorCode::kWrongKey) unreadable.push_back(name + ": " + master.error().message);
  }
  unreadable.insert(unreadable.end(), absent.begin(), absent.end());
  if (readable == 0) {
    std::vector<std::string> problems = unreadable;
    problems.insert(problems.end(), foreign.begin(), foreign.end());
    return Error(too_new ? ErrorCode::kFormatTooNew : ErrorCode::kCorrupt,
                 "no key slot under keys/ of " + store.name_for_messages() +
                     " can be read; without one no key opens the repository" +
                     (too_new ? ""
                              : ": put keys/ back from a copy of it, or copy a slot from keys/ of a replica (the "
                                "replica's key opens it)") +
                     in_parentheses(problems));
  }
  const std::string problems = in_parentheses(unreadable);
  if (secret.kind == SlotKind::kClear)
    return wrong_key(store, "the repository is encrypted and no key was given" + problems);
  if (clear_slot) return wrong_key(store, "a key was given, but the repository is not encrypted: refused" + problems);
  return wrong_key(store, (secret.kind == SlotKind::kRawKey ? "the key given opens none of its slots"
                                                            : "the passphrase given opens none of its slots") +
                              problems);
}

// What an init that failed with `error` stored is removed again, in this order (a config without its slot would be a
// repository that nobody can open), as far as that works.
Error take_back(ObjectStore& store, const std::vector<std::string>& names, Error error) {
  for (const std::string& name : names) {
    if (name.empty()) continue;
    const auto removed = store.remove(name);
    if (removed.ok() || removed.error().code == ErrorCode::kNotFound) continue;
    error.message += "; " + name + " stays behind (" + removed.error().message +
                     "): it holds no backups; remove it before the next init";
    break;
  }
  return error;
}

}  // namespace

Result<void> Repository::init(ObjectStore& store, const Clock& clock, const InitOptions& options) {
  DRS_RETURN_IF_ERROR(validate(options.chunks));
  DRS_RETURN_IF_ERROR(require_empty_place(store));

  Config config;
  random_bytes(config.repository.mutable_view());
  config.encrypted = options.secret.kind != SlotKind::kClear;
  config.chunks = options.chunks;
  config.created_ns = clock.wall_ns();
  config.tool_version = options.tool_version;
  SecretBytes master(32);
  random_bytes(master.mutable_view());
  const RepositoryKeys keys(master.view(), config.repository);
  config.master_commitment = keys.commitment();

  // The slot first: a config without any slot would be a repository that nobody can open.
  SlotFields fields;
  fields.kind = options.secret.kind;
  fields.label = options.label;
  fields.created_ns = config.created_ns;
  DRS_ASSIGN_OR_RETURN(const Bytes slot, encode_slot(keys, fields, options.secret.bytes.view()));
  const std::string slot_key = slot_name(slot_id(slot));
  DRS_RETURN_IF_ERROR(put_own_object(store, slot_key, slot));

  const std::string name = config_name(1);
  const Bytes object = encode_document(keys, ObjectKind::kConfig, name, encode_config(config));
  auto created = put_own_object(store, name, object);
  if (created.ok()) return {};
  if (created.error().code == ErrorCode::kAlreadyExists) {  // another init was quicker
    DRS_RETURN_IF_ERROR(store.remove(slot_key));
    return Error(ErrorCode::kAlreadyExists,
                 store.name_for_messages() + " already holds a repository; nothing was changed");
  }
  // A failed put may have stored its object: a lost reply, or a directory that could not be synced.
  const auto stored = get_object(store, name, kDocumentBytesMax);
  const bool ours = stored.ok() && *stored == object;
  if (ours && created.error().code == ErrorCode::kUnavailable) return {};
  const bool absent = !stored.ok() && stored.error().code == ErrorCode::kNotFound;
  return take_back(store, {ours ? name : "", ours || absent ? slot_key : ""}, std::move(created).error());
}

Result<void> Repository::init_replica(ObjectStore& store, Repository& source, const ReplicaOptions& options) {
  const bool encrypted = source.config().encrypted;
  if (encrypted != (options.secret.kind != SlotKind::kClear))
    return Error(ErrorCode::kUsage, encrypted ? "a replica of an encrypted repository is encrypted too: it needs a key"
                                              : "the repository is not encrypted, so its replica cannot have a key");
  DRS_RETURN_IF_ERROR(require_empty_place(store));
  constexpr ObjectKind kConfig = ObjectKind::kConfig;
  // Manifests remember the config under which they were written: all of them come along, the oldest first.
  DRS_ASSIGN_OR_RETURN(std::vector<ObjectInfo> configs, source.list(kConfig));
  std::sort(configs.begin(), configs.end(), [](const ObjectInfo& a, const ObjectInfo& b) { return a.key < b.key; });
  std::vector<std::pair<std::string, Bytes>> objects;
  for (const ObjectInfo& config : configs) {
    const std::string& name = config.key;
    auto object = get_object(source.store(), name, kDocumentBytesMax);
    if (object.ok() && decode_document(source.keys(), ObjectKind::kConfig, name, *object).ok())
      objects.emplace_back(name, *std::move(object));
    else if (!object.ok() && !is_object_fault(object.error()))
      return std::move(object).error();
  }
  if (objects.empty()) return Error(ErrorCode::kCorrupt, "no config object of the source can be read any more");

  SlotFields fields;
  fields.kind = options.secret.kind;
  fields.label = options.label;
  fields.created_ns = source.clock().wall_ns();
  DRS_ASSIGN_OR_RETURN(const Bytes slot, encode_slot(source.keys(), fields, options.secret.bytes.view()));
  const std::string slot_key = slot_name(slot_id(slot));
  DRS_RETURN_IF_ERROR(put_settled(store, slot_key, slot, sha256(slot)));
  std::vector<std::string> stored;
  for (const auto& [name, object] : objects) {
    auto put = put_settled(store, name, object, sha256(object));
    if (put.ok()) {
      stored.push_back(name);
      continue;
    }
    // It may be there all the same, or somebody else's; what cannot be told is left alone.
    const auto present = get_object(store, name, kDocumentBytesMax);
    const bool ours = present.ok() && *present == object;
    if (!present.ok() && present.error().code != ErrorCode::kNotFound) return std::move(put).error();
    if (ours) stored.push_back(name);
    stored.push_back(slot_key);
    return take_back(store, stored, std::move(put).error());
  }
  return {};
}

Result<std::unique_ptr<Repository>> Repository::open(std::unique_ptr<ObjectStore> store, const Clock& clock,
                                                     const Secret& secret, CryptoBackend crypto,
                                                     std::span<const ObjectKind> ahead) {
  std::unique_ptr<Repository> repository(new Repository(std::move(store), clock));
  repository->crypto_ = crypto;
  // Lists have no checksum: what one of them seems to lack is looked for once more, too.
  auto unlocked = read_again_if_damaged([&] { return repository->unlock(secret, ahead); });
  if (!unlocked.ok() && unlocked.error().code == ErrorCode::kNoRepository) unlocked = repository->unlock(secret, ahead);
  DRS_RETURN_IF_ERROR(unlocked);
  return repository;
}

// Finds the config that counts, and the slot that `secret` opens.
Result<void> Repository::unlock(const Secret& secret, std::span<const ObjectKind> ahead) {
  warnings_.clear();
  ObjectStore& objects = *store_;
  std::vector<ObjectKind> kinds = {ObjectKind::kConfig, ObjectKind::kSlot};
  kinds.insert(kinds.end(), ahead.begin(), ahead.end());
  DRS_RETURN_IF_ERROR(list_ahead(kinds));
  DRS_ASSIGN_OR_RETURN(const auto config_infos, list(ObjectKind::kConfig));
  DRS_ASSIGN_OR_RETURN(const auto slot_infos, list(ObjectKind::kSlot));
  std::vector<NamedObject> configs = named(config_infos);
  const std::vector<NamedObject> slots = named(slot_infos);
  if (configs.empty()) return no_repository_error(objects);
  // The highest counts. A lower one instead would drop what the highest requires: features, or a reader's refusal.
  const auto highest = std::max_element(configs.begin(), configs.end(), [](const NamedObject& a, const NamedObject& b) {
    return a.parsed.number < b.parsed.number;
  });
  const std::string name = highest->info.key;

  // The slots and the config in one go: a store may be far away.
  std::vector<NamedObject> wanted = slots;
  wanted.push_back(*highest);
  DRS_ASSIGN_OR_RETURN(std::vector<Result<Bytes>> slot_bytes, read_all(objects, wanted, kSlotBytesMax));
  Result<Bytes> bytes = std::move(slot_bytes.back());
  slot_bytes.pop_back();
  // Once more, before a slot is passed over: one that is cannot show that the key is right.
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (!slot_bytes[i].ok() && is_lasting_damage(slot_bytes[i].error()))
      slot_bytes[i] = get_document(objects, slots[i].info.key, kSlotBytesMax);
  if (!bytes.ok()) bytes = get_document(objects, name, kDocumentBytesMax);  // a later version's may be longer
  if (!bytes.ok()) return config_error(name, std::move(bytes).error());
  const auto id = peek_document(ObjectKind::kConfig, *bytes);
  if (!id.ok()) return config_error(name, id.error());
  // Which key authenticates it is told by the repository id that it carries in clear.
  DRS_ASSIGN_OR_RETURN(Unlocked unlocked, unlock_any(objects, slots, slot_bytes, name, *id, secret, warnings_));
  auto keys = std::make_unique<RepositoryKeys>(unlocked.master.view(), *id);
  auto config = open_config(*keys, name, *bytes);
  if (!config.ok()) return config_error(name, std::move(config).error());
  if (config->encrypted && secret.kind == SlotKind::kClear)
    return wrong_key(objects, "the repository is encrypted, but a slot holds its key in clear: refused");
  config_ = *std::move(config);
  config_digest_ = document_identity(*bytes);
  keys_ = std::move(keys);
  slot_ = unlocked.slot;
  return {};
}

Result<std::map<ObjectKind, std::vector<ObjectInfo>>> Repository::list_kinds(std::span<const ObjectKind> kinds) {
  std::map<ObjectKind, std::vector<ObjectInfo>> found;
  std::vector<std::string_view> prefixes;
  for (const ObjectKind kind : kinds) {
    found[kind];
    prefixes.push_back(name_prefix(kind));
    if (kind == ObjectKind::kPack) occupied_folders_.clear();
  }
  DRS_RETURN_IF_ERROR(store_->list_together(prefixes, [&](const ObjectInfo& info) -> Result<void> {
    if (const auto parsed = parse_name(info.key))
      found[parsed->kind].push_back(info);
    else if (is_folder_name(info.key))
      occupied_folders_.push_back(info.key);
    return {};
  }));
  return found;
}

Result<std::vector<ObjectInfo>> Repository::list(ObjectKind kind) {
  auto ahead = listed_.extract(kind);
  if (!ahead.empty()) return std::move(ahead.mapped());
  DRS_ASSIGN_OR_RETURN(auto found, list_kinds(std::span(&kind, 1)));
  return std::move(found[kind]);
}

Result<void> Repository::list_ahead(std::span<const ObjectKind> kinds) {
  for (const ObjectKind kind : kinds) listed_.erase(kind);
  auto found = list_kinds(kinds);
  // Something stands where the folder of one of them was expected: `list` of that one says so.
  if (!found.ok() && is_damage(found.error())) return {};
  if (!found.ok()) return std::move(found).error();
  for (auto& [kind, objects] : *found) listed_[kind] = std::move(objects);
  return {};
}

}  // namespace drs
