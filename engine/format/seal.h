// Sealing and opening within one object (FORMAT.md "Seals"). An ObjectSealer generates a random salt and counts
// ordinals, so no nonce is used twice with a key. An ObjectOpener belongs to one stored object and checks its
// commitment on construction.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "codecs/aead.h"
#include "codecs/compression.h"
#include "codecs/crypto_backend.h"
#include "engine/format/envelope.h"
#include "engine/format/keys.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// The data that a seal binds in addition to its object (FORMAT.md "Seals", additional data).
struct SealLabel {
  SealKind kind;
  Codec codec = Codec::kRaw;
  std::uint64_t ordinal = 0;
  std::uint64_t plain_bytes = 0;  // for blocks, the length before compression
};

class ObjectSealer {
 public:
  // For a new object of `kind`; `name` is empty if the name is the digest. `salt`: only for tests; by default random.
  ObjectSealer(const RepositoryKeys& keys, ObjectKind kind, std::string name, CryptoBackend backend,
               const Salt* salt = nullptr);
  [[nodiscard]] const Envelope& envelope() const { return envelope_; }
  // Returns an unused ordinal, for exactly one seal. Thread-safe.
  std::uint64_t next_ordinal() { return ordinal_.fetch_add(1, std::memory_order_relaxed); }
  // Seals `plain` into `sealed` (plain.size() + 16 bytes). Thread-safe.
  void seal(const SealLabel& label, ByteView plain, MutableByteView sealed) const;
  // The same, appended to `out`.
  void append(const SealLabel& label, ByteView plain, Bytes& out) const;

 private:
  Envelope envelope_;
  Uuid repository_;
  std::string name_;
  std::unique_ptr<Aead> data_;  // packs only
  std::unique_ptr<Aead> main_;
  std::atomic<std::uint64_t> ordinal_{0};
};

class ObjectOpener {
 public:
  // For the stored object that begins with `envelope`. Errors: kCorrupt if its commitment does not match these keys
  // (damaged, or copied from another repository).
  static Result<ObjectOpener> make(const RepositoryKeys& keys, const Envelope& envelope, std::string name,
                                   CryptoBackend backend);
  // For a pack or index object whose salt comes from an authenticated index summary, so that no envelope is read.
  static ObjectOpener for_salt(const RepositoryKeys& keys, ObjectKind kind, const Salt& salt, CryptoBackend backend);
  // Opens `sealed` into `plain` (sealed.size() - 16 bytes). Errors: kCorrupt (plain is wiped). Thread-safe.
  Result<void> open(const SealLabel& label, ByteView sealed, MutableByteView plain) const;
  // The same, into new memory.
  [[nodiscard]] Result<Bytes> open(const SealLabel& label, ByteView sealed) const;

 private:
  ObjectOpener() = default;
  Envelope envelope_{};
  Uuid repository_;
  std::string name_;
  std::unique_ptr<Aead> data_;
  std::unique_ptr<Aead> main_;
};

inline constexpr std::size_t kSealBytes = kAeadTagBytes;

}  // namespace drs
