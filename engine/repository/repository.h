// An opened repository: its store, configuration and keys. Push, pull and verify all stand on this.
//
// Threads: `list` and what goes with it aside immutable after `open` and `replace_store`; `store()` is for the thread
// that opened it (sinks/object_store.h), other threads take `store().another()`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codecs/crypto_backend.h"
#include "engine/format/config.h"
#include "engine/format/keys.h"
#include "engine/format/kinds.h"
#include "engine/format/slot.h"
#include "io/bytes.h"
#include "io/clock.h"
#include "io/result.h"
#include "sinks/object_store.h"

namespace drs {

// What the caller has to unlock with. kClear with an empty secret: nothing was supplied.
struct Secret {
  SlotKind kind = SlotKind::kClear;
  SecretBytes bytes;  // the 32-byte key, or the passphrase
};

struct InitOptions {
  Secret secret;      // kClear: no encryption; the caller has made sure that this is wanted
  std::string label;  // of the first slot
  std::string tool_version;
  ChunkParameters chunks;
};

struct ReplicaOptions {
  Secret secret;
  std::string label;  // of the replica's slot
};

class Repository {
 public:
  // Creates the repository's first slot and its config. Errors: kAlreadyExists when there is one, or what is left of
  // one (lost_config.h; nothing is touched); what the store reports. `crypto` is the backend all later work takes.
  static Result<void> init(ObjectStore& store, const Clock& clock, const InitOptions& options);

  // Creates a replica of `source`: its id, master key and config objects, and a key slot of the replica's own. Objects
  // of one then serve in the other as they are. Errors: kUsage (a secret for a source that is not encrypted, or none
  // for one that is); as init.
  static Result<void> init_replica(ObjectStore& store, Repository& source, const ReplicaOptions& options);

  // Errors: kNoRepository (no config object); kWrongKey (no key supplied, none of the slots opens with it, or a key was
  // supplied and the repository is not encrypted); kFormatTooNew; kCorrupt (the config with the highest number, which
  // is the one that counts, or every slot is damaged, or its medium cannot give it back).
  // Objects of the kinds in `ahead` are listed on the way, as list_ahead does.
  static Result<std::unique_ptr<Repository>> open(std::unique_ptr<ObjectStore> store, const Clock& clock,
                                                  const Secret& secret, CryptoBackend crypto,
                                                  std::span<const ObjectKind> ahead = {});

  // The objects of one kind that are there, names that are no names left out. What list_ahead listed is given once, and
  // is then as old as that. Errors: the store's.
  Result<std::vector<ObjectInfo>> list(ObjectKind kind);
  // Lists several kinds at the same time, for `list` to give them: each list takes a round trip to a distant store. For
  // kinds whose order does not matter: docs/DESIGN.md "Write order" says which are listed before which.
  Result<void> list_ahead(std::span<const ObjectKind> kinds);

  // What the last list of packs showed in the place of one of their folders: "packs/3f". No pack in it can be read.
  [[nodiscard]] const std::vector<std::string>& occupied_folders() const { return occupied_folders_; }

  [[nodiscard]] ObjectStore& store() const { return *store_; }
  // Before anything else uses the repository: `store` shows the same objects, such as a decorator of the one before.
  void replace_store(std::unique_ptr<ObjectStore> store) { store_ = std::move(store); }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const Digest& config_digest() const { return config_digest_; }  // document_identity of its object
  [[nodiscard]] const RepositoryKeys& keys() const { return *keys_; }
  [[nodiscard]] CryptoBackend crypto() const { return crypto_; }
  [[nodiscard]] const Uuid& opened_with_slot() const { return slot_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const {
    return warnings_;
  }  // slots passed over: damaged ones, and those of a newer drstream

 private:
  Repository(std::unique_ptr<ObjectStore> store, const Clock& clock) : store_(std::move(store)), clock_(clock) {}
  Result<void> unlock(const Secret& secret, std::span<const ObjectKind> ahead);
  std::unique_ptr<ObjectStore> store_;
  // Several kinds in one go. Names that are no names are left out.
  Result<std::map<ObjectKind, std::vector<ObjectInfo>>> list_kinds(std::span<const ObjectKind> kinds);
  std::map<ObjectKind, std::vector<ObjectInfo>> listed_;
  std::vector<std::string> occupied_folders_;
  const Clock& clock_;
  Config config_;
  Digest config_digest_;
  std::unique_ptr<RepositoryKeys> keys_;
  CryptoBackend crypto_ = CryptoBackend::kOpenssl;
  Uuid slot_;
  std::vector<std::string> warnings_;
};

}  // namespace drs
