// An opened repository: its store, configuration and keys. Push, pull and verify all stand on this.
//
// Threads: immutable after `open`; `store()` is for the thread that opened it (sinks/object_store.h), other threads
// take `store().another()`.
#pragma once

#include <memory>
#include <optional>
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

class Repository {
 public:
  // Creates the repository's first slot and its config. Errors: kAlreadyExists when there is one (nothing is touched);
  // what the store reports. `crypto` is the backend all later work takes.
  static Result<void> init(ObjectStore& store, const Clock& clock, const InitOptions& options);

  // Errors: kNoRepository (no config object); kWrongKey (no key supplied, none of the slots opens with it, or a key was
  // supplied and the repository is not encrypted); kFormatTooNew; kCorrupt (config or every slot damaged).
  static Result<std::unique_ptr<Repository>> open(std::unique_ptr<ObjectStore> store, const Clock& clock,
                                                  const Secret& secret, CryptoBackend crypto);

  [[nodiscard]] ObjectStore& store() const { return *store_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const Digest& config_digest() const { return config_digest_; }  // of the config object's bytes
  [[nodiscard]] const RepositoryKeys& keys() const { return *keys_; }
  [[nodiscard]] CryptoBackend crypto() const { return crypto_; }
  [[nodiscard]] const Uuid& opened_with_slot() const { return slot_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const {
    return warnings_;
  }  // damaged slots and configs passed over

 private:
  Repository(std::unique_ptr<ObjectStore> store, const Clock& clock) : store_(std::move(store)), clock_(clock) {}
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
