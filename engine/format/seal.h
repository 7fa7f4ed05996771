// Sealing and opening inside one object (FORMAT.md "Seals"). An ObjectSealer draws a salt of its own and counts
// ordinals, so no nonce can be used twice; an ObjectOpener belongs to one stored object and checks its commitment when
// it is made.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "codecs/aead.h"
#include "codecs/compression.h"
#include "codecs/crypto_backend.h"
#include "engine/format/envelope.h"
#include "engine/format/keys.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// What a seal binds beside its object: see the table of additional data.
struct SealLabel {
  SealKind kind;
  Codec codec = Codec::kRaw;
  std::uint64_t ordinal = 0;
  std::uint64_t plain_bytes = 0;  // blocks: the length before compression
};

class ObjectSealer {
 public:
  // For a new object of `kind`; `name` is empty where the name is the digest. `salt`: tests fix it; else it is drawn.
  ObjectSealer(const RepositoryKeys& keys, ObjectKind kind, std::string name, CryptoBackend backend,
               const Salt* salt = nullptr);
  [[nodiscard]] const Envelope& envelope() const { return envelope_; }
  // A fresh ordinal. Each may be used for one seal only. Any thread.
  std::uint64_t next_ordinal() { return ordinal_.fetch_add(1, std::memory_order_relaxed); }
  // Seals `plain` into `sealed` (plain.size() + 16 bytes). Any thread, several at once.
  void seal(const SealLabel& label, ByteView plain, MutableByteView sealed) const;
  // The same, at the end of `out`.
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
  // For the stored object that begins with `envelope`. Errors: kCorrupt when its commitment is not of these keys
  // (damaged, or copied from another repository).
  static Result<ObjectOpener> make(const RepositoryKeys& keys, const Envelope& envelope, std::string name,
                                   CryptoBackend backend);
  // For a pack or index object whose salt an authentic index summary told: no envelope is read.
  static ObjectOpener for_salt(const RepositoryKeys& keys, ObjectKind kind, const Salt& salt, CryptoBackend backend);
  // Opens `sealed` into `plain` (sealed.size() - 16 bytes). Errors: kCorrupt (plain is wiped). Any thread, several at
  // once.
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
