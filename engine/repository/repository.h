// An opened repository: its store, configuration and keys. Push, pull and verify use it.
//
// Threads: immutable after `open` and `replace_store`. `store()` is for the thread that opened the repository
// (sinks/object_store.h); other threads use `store().clone()`.
#pragma once

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
#include "engine/repository/listing.h"
#include "io/base/bytes.h"
#include "io/base/clock.h"
#include "io/base/result.h"
#include "sinks/object_store.h"

namespace drs {

// The secret with which to unlock. kClear with empty bytes: none was supplied.
struct Secret {
  SlotKind kind = SlotKind::kClear;
  SecretBytes bytes;  // the 32-byte key, or the passphrase
};

struct InitOptions {
  Secret secret;      // kClear: no encryption; the caller has confirmed that this is intended
  std::string label;  // of the first slot
  std::string tool_version;
  ChunkParameters chunks;
};

struct ReplicaOptions {
  Secret secret;
  std::string label;  // of the replica's slot
};

// Kinds to list while the repository is being opened, which saves a round trip to a remote store.
struct ListAhead {
  std::span<const ObjectKind> kinds;
  Listing* listing = nullptr;  // receives the lists
};

class Repository {
 public:
  // Creates the repository's first slot and its config. Errors: kAlreadyExists (there is a repository, or remains of
  // one: lost_config.h; nothing was changed); the store's.
  static Result<void> init(ObjectStore& store, const Clock& clock, const InitOptions& options);

  // Creates a replica of `source`: the same id, master key and config objects, with a key slot of its own. Objects of
  // one are then valid in the other. If it fails after it stored a config, its objects stay: another init of the same
  // replica may rely on them. Errors: kUsage (a secret for a source that is not encrypted, or none for one that is); as
  // init.
  static Result<void> init_replica(ObjectStore& store, Repository& source, const ReplicaOptions& options);

  // Opens a repository. All later work uses the backend `crypto`. Errors: kNoRepository (no config object); kWrongKey
  // (no key supplied; no slot opens with it; or a key supplied for a repository that is not encrypted); kFormatTooNew;
  // kCorrupt (the config with the highest number, which is the valid one, or every slot is damaged or unreadable); the
  // store's.
  static Result<std::unique_ptr<Repository>> open(std::unique_ptr<ObjectStore> store, const Clock& clock,
                                                  const Secret& secret, CryptoBackend crypto,
                                                  const ListAhead& ahead = {});

  // Lists the objects of one kind. Errors: the store's.
  [[nodiscard]] Result<std::vector<ObjectInfo>> list(ObjectKind kind) const { return Listing().take(*store_, kind); }

  [[nodiscard]] ObjectStore& store() const { return *store_; }
  // Replaces the store by one on the same objects, such as a decorator. To be called before any other use of the
  // repository.
  void replace_store(std::unique_ptr<ObjectStore> store) { store_ = std::move(store); }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const Digest& config_digest() const { return config_digest_; }  // document_identity of its object
  [[nodiscard]] const RepositoryKeys& keys() const { return *keys_; }
  [[nodiscard]] CryptoBackend crypto() const { return crypto_; }
  [[nodiscard]] const Uuid& opened_with_slot() const { return slot_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const {
    return warnings_;
  }  // about skipped slots: damaged ones, and those of a newer drstream

 private:
  Repository(std::unique_ptr<ObjectStore> store, const Clock& clock) : store_(std::move(store)), clock_(clock) {}
  Result<void> unlock(const Secret& secret, const ListAhead& ahead);
  std::unique_ptr<ObjectStore> store_;
  const Clock& clock_;
  Config config_;
  Digest config_digest_;
  std::unique_ptr<RepositoryKeys> keys_;
  CryptoBackend crypto_ = CryptoBackend::kOpenssl;
  Uuid slot_;
  std::vector<std::string> warnings_;
};

}  // namespace drs
