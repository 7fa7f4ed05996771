#include "engine/repository/repository.h"

#include <algorithm>
#include <array>

#include "codecs/random.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/repository/lost_config.h"
#include "engine/repository/read_again.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/settled_put.h"

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

// Reads all objects. Returns one result for each, in the same order.
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

// Decodes a config object. Errors: kCorrupt, kTruncated, kFormatTooNew.
Result<Config> open_config(const RepositoryKeys& keys, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Bytes body, decode_document(keys, ObjectKind::kConfig, name, object));
  DRS_ASSIGN_OR_RETURN(Config config, decode_config(body));
  if (config.repository != keys.repository() ||
      !equal_constant_time(config.master_commitment.view(), keys.commitment().view()))
    return Error(ErrorCode::kCorrupt, "its commitment belongs to another master key");
  return config;
}

// The error for an unusable config. If it is damaged the error is damage, not a newer version: its digest is checked
// before its version.
Error config_error(const std::string& name, Error error) {
  const bool damaged = is_lasting_damage(error) || is_absent(error);
  const ErrorCode code = is_medium_fault(error) || is_absent(error) ? ErrorCode::kCorrupt : error.code;
  std::string text = name + ": " + error.message;
  if (damaged)
    text +=
        "; the config with the highest number counts, and no other is used instead: put this object back from a "
        "replica of the repository or from a copy of its config/ and keys/";
  if (damaged && name != config_name(1))
    text +=
        ". If no copy of it exists and no newer drstream has changed this repository, another program put it there: "
        "this drstream writes only " +
        config_name(1) + "; find out which, and move the object out of the repository";
  return {code, text, error.error_number};
}

struct Unlocked {
  SecretBytes master;
  Uuid slot;
};

// " (keys/...: ...; keys/...: ...)": lists the problems of slots, so that a damaged slot does not look like a wrong
// key.
std::string in_parentheses(const std::vector<std::string>& problems) {
  if (problems.empty()) return "";
  std::string text;
  for (const std::string& problem : problems) text += (text.empty() ? " (" : "; ") + problem;
  return text + ")";
}

// Tries one secret on the slots of one repository.
class SlotTrial {
 public:
  // `repository`: the id that the config object `config` names.
  SlotTrial(const Secret& secret, const Uuid& repository, const std::string& config)
      : secret_(secret), repository_(repository), config_(config) {}

  // Returns nothing if the secret does not open the slot, or the slot cannot be read. Errors: a shortage, the store's.
  Result<std::optional<Unlocked>> open(const NamedObject& object, const Result<Bytes>& bytes) {
    const std::string& name = object.info.key;
    if (!bytes.ok()) {
      if (is_absent(bytes.error())) {  // most likely removed since it was listed
        absent_.push_back(name + " is listed, but missing");
        return std::optional<Unlocked>();
      }
      if (!is_damage(bytes.error())) return bytes.error();
      unreadable_.push_back(bytes.error().message);
      return std::optional<Unlocked>();
    }
    const auto slot = decode_slot(*bytes);
    if (!slot.ok()) {
      too_new_ = too_new_ || is_too_new(slot.error());
      unreadable_.push_back(name + ": " + slot.error().message);
      return std::optional<Unlocked>();
    }
    if (slot->repository != repository_) {  // left by a concurrent init that lost
      foreign_.push_back(name + " belongs to another repository than " + config_);
      return std::optional<Unlocked>();
    }
    ++readable_;
    clear_slot_ = clear_slot_ || slot->kind == SlotKind::kClear;
    if (slot->kind != secret_.kind) return std::optional<Unlocked>();
    auto master = unlock_slot(*bytes, secret_.bytes.view());
    if (master.ok()) return std::optional(Unlocked{std::move(master).value(), object.parsed.uuid});
    if (is_shortage(master.error())) return std::move(master).error();
    if (master.error().code != ErrorCode::kWrongKey) unreadable_.push_back(name + ": " + master.error().message);
    return std::optional<Unlocked>();
  }

  // The problems of slots that could not be read.
  [[nodiscard]] const std::vector<std::string>& unreadable() const { return unreadable_; }

  // The error if none of the slots in `store` opened.
  [[nodiscard]] Error failure(const ObjectStore& store) const {
    std::vector<std::string> unread = unreadable_;
    unread.insert(unread.end(), absent_.begin(), absent_.end());
    if (readable_ == 0) {
      unread.insert(unread.end(), foreign_.begin(), foreign_.end());
      return {
          too_new_ ? ErrorCode::kFormatTooNew : ErrorCode::kCorrupt,
          "no key slot under keys/ of " + store.name_for_messages() +
              " can be read; without one no key opens the repository" +
              (too_new_
                   ? ""
                   : ": put keys/ back from a copy of it, or copy a slot from keys/ of a replica (the replica's key "
                     "opens it)") +
              in_parentheses(unread)};
    }
    const std::string problems = in_parentheses(unread);
    if (secret_.kind == SlotKind::kClear)
      return wrong_key(store, "the repository is encrypted and no key was given" + problems);
    if (clear_slot_)
      return wrong_key(store, "a key was given, but the repository is not encrypted: refused" + problems);
    return wrong_key(store, (secret_.kind == SlotKind::kRawKey ? "the key given opens none of its slots"
                                                               : "the passphrase given opens none of its slots") +
                                problems);
  }

 private:
  const Secret& secret_;
  const Uuid repository_;
  const std::string config_;
  std::size_t readable_ = 0;
  bool too_new_ = false;
  bool clear_slot_ = false;
  std::vector<std::string> unreadable_;
  std::vector<std::string> foreign_;
  std::vector<std::string> absent_;
};

// Tries each slot. `slot_bytes` holds the slots' bytes, in the same order. Skips unreadable slots and adds warnings
// about them.
Result<Unlocked> unlock_any(const ObjectStore& store, const std::vector<NamedObject>& slots,
                            const std::vector<Result<Bytes>>& slot_bytes, SlotTrial trial,
                            std::vector<std::string>& warnings) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    DRS_ASSIGN_OR_RETURN(std::optional<Unlocked> unlocked, trial.open(slots[i], slot_bytes[i]));
    if (!unlocked) continue;
    warnings.insert(warnings.end(), trial.unreadable().begin(), trial.unreadable().end());
    return *std::move(unlocked);
  }
  return trial.failure(store);
}

// Removes the objects that an init stored before it failed with `error`, as far as possible, in the order of `names`: a
// config without its slot would be a repository that no key opens. Returns `error`, with a note on what remains.
Error take_back(ObjectStore& store, const std::vector<std::string>& names, Error error) {
  for (const std::string& name : names) {
    const auto removed = store.remove(name);
    if (removed.ok() || is_absent(removed.error())) continue;
    error.message += "; " + name + " stays behind (" + removed.error().message +
                     "): it holds no backups; remove it before the next init";
    break;
  }
  return error;
}

// What became of the config that an init put.
struct ConfigPut {
  enum class State : std::uint8_t {
    kStored,
    kDoubtful,  // its bytes are there, but the put failed: a power cut may take them
    kAnothers,  // another init was faster
    kAbsent,    // nothing is there
    kUnknown,   // what is there is unreadable or torn: it may be this one
  };
  State state = State::kStored;
  std::optional<Error> error = {};  // unless kStored
};

ConfigPut put_config(ObjectStore& store, const std::string& name, ByteView object) {
  using State = ConfigPut::State;
  const PutOutcome put = settle_put(store, name, object, put_object(store, name, object));
  if (put.stored()) return {};
  const Error error = put.result().error();
  // A put that failed may have stored its object nevertheless: the sync of its directory failed.
  const auto there = get_object(store, name, kDocumentBytesMax);
  if (there.ok() && std::equal(there->begin(), there->end(), object.begin(), object.end())) {
    if (put.state != PutOutcome::State::kFailed) return {};
    return {State::kDoubtful, error};
  }
  // Only a complete config proves that another init won. One that is torn or unreadable may be ours.
  if (there.ok() && peek_document(ObjectKind::kConfig, *there).ok()) return {State::kAnothers, place_is_taken(store)};
  const bool absent = !there.ok() && is_absent(there.error());
  return {absent ? State::kAbsent : State::kUnknown, error};
}

// The error of an init of a replica that stored `names` before it failed. Another init of the same replica may have
// found a config of these and relies on it: without locks nothing shows whether one did, so all of them stay.
Error left_in_place(const std::vector<std::string>& names, Error error) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  error.message += "; " + text +
                   " stay, since another init of this replica may rely on them; if no other one ran, remove them, then "
                   "run init again";
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

  // The slot first: a config without any slot would be a repository that no key opens.
  SlotFields fields;
  fields.kind = options.secret.kind;
  fields.label = options.label;
  fields.created_ns = config.created_ns;
  DRS_ASSIGN_OR_RETURN(const Bytes slot, encode_slot(keys, fields, options.secret.bytes.view()));
  const std::string slot_key = slot_name(slot_id(slot));
  DRS_RETURN_IF_ERROR(put_settled(store, slot_key, slot));

  const std::string name = config_name(1);
  const Bytes object = encode_document(keys, ObjectKind::kConfig, name, encode_config(config));
  using State = ConfigPut::State;
  const ConfigPut put = put_config(store, name, object);
  switch (put.state) {
    case State::kStored: return {};
    case State::kDoubtful: return take_back(store, {name, slot_key}, *put.error);
    case State::kAnothers:
    case State::kAbsent: return take_back(store, {slot_key}, *put.error);
    case State::kUnknown: break;  // without its slot nobody could open it
  }
  return *put.error;
}

Result<void> Repository::init_replica(ObjectStore& store, Repository& source, const ReplicaOptions& options) {
  const bool encrypted = source.config().encrypted;
  if (encrypted != (options.secret.kind != SlotKind::kClear))
    return Error(ErrorCode::kUsage, encrypted ? "a replica of an encrypted repository is encrypted, too: it needs a key"
                                              : "the repository is not encrypted, so its replica cannot have a key");
  DRS_RETURN_IF_ERROR(require_empty_place(store));
  constexpr ObjectKind kConfig = ObjectKind::kConfig;
  // Manifests name the config under which they were written: copy all configs, the oldest first.
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
  DRS_RETURN_IF_ERROR(put_settled(store, slot_key, slot));
  std::vector<std::string> there = {slot_key};
  for (const auto& [name, object] : objects) {
    using State = ConfigPut::State;
    const ConfigPut put = put_config(store, name, object);
    const bool first = there.size() == 1;
    if (first && (put.state == State::kAnothers || put.state == State::kAbsent))
      return take_back(store, there, *put.error);
    if (put.state != State::kAnothers && put.state != State::kAbsent) there.push_back(name);
    if (put.state != State::kStored) return left_in_place(there, *put.error);
  }
  return {};
}

Result<std::unique_ptr<Repository>> Repository::open(std::unique_ptr<ObjectStore> store, const Clock& clock,
                                                     const Secret& secret, CryptoBackend crypto,
                                                     const ListAhead& ahead) {
  std::unique_ptr<Repository> repository(new Repository(std::move(store), clock));
  repository->crypto_ = crypto;
  // Lists have no checksum: if a list seems to lack an object, list once more.
  auto unlocked = read_again_if_damaged([&] { return repository->unlock(secret, ahead); });
  if (!unlocked.ok() && unlocked.error().code == ErrorCode::kNoRepository) unlocked = repository->unlock(secret, ahead);
  DRS_RETURN_IF_ERROR(unlocked);
  return repository;
}

// Finds the valid config, and the slot that `secret` opens.
Result<void> Repository::unlock(const Secret& secret, const ListAhead& ahead) {
  warnings_.clear();
  ObjectStore& objects = *store_;
  std::vector<ObjectKind> kinds = {ObjectKind::kConfig, ObjectKind::kSlot};
  kinds.insert(kinds.end(), ahead.kinds.begin(), ahead.kinds.end());
  DRS_ASSIGN_OR_RETURN(Listing listing, Listing::make_or_defer(objects, kinds));
  DRS_ASSIGN_OR_RETURN(const auto config_infos, listing.take(objects, ObjectKind::kConfig));
  DRS_ASSIGN_OR_RETURN(const auto slot_infos, listing.take(objects, ObjectKind::kSlot));
  if (ahead.listing != nullptr) *ahead.listing = std::move(listing);
  std::vector<NamedObject> configs = named(config_infos);
  const std::vector<NamedObject> slots = named(slot_infos);
  if (configs.empty()) return no_repository_error(objects);
  // The highest number counts. A lower one would lose what the highest requires: features, or that old readers refuse.
  const auto highest = std::max_element(configs.begin(), configs.end(), [](const NamedObject& a, const NamedObject& b) {
    return a.parsed.number < b.parsed.number;
  });
  const std::string name = highest->info.key;

  // Read the slots and the config together: the store may be remote.
  std::vector<NamedObject> wanted = slots;
  wanted.push_back(*highest);
  DRS_ASSIGN_OR_RETURN(std::vector<Result<Bytes>> slot_bytes, read_all(objects, wanted, kSlotBytesMax));
  Result<Bytes> bytes = std::move(slot_bytes.back());
  slot_bytes.pop_back();
  // Read damaged slots once more: a skipped slot cannot show that the key is right.
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (!slot_bytes[i].ok() && is_lasting_damage(slot_bytes[i].error()))
      slot_bytes[i] = get_document(objects, slots[i].info.key, kSlotBytesMax);
  if (!bytes.ok())
    bytes = get_document(objects, name, kDocumentBytesMax);  // a config of a later version may be longer than a slot
  if (!bytes.ok()) return config_error(name, std::move(bytes).error());
  const auto id = peek_document(ObjectKind::kConfig, *bytes);
  if (!id.ok()) return config_error(name, id.error());
  // The repository id, which the config carries in clear, selects the key that authenticates it.
  DRS_ASSIGN_OR_RETURN(Unlocked unlocked, unlock_any(objects, slots, slot_bytes, {secret, *id, name}, warnings_));
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

}  // namespace drs
