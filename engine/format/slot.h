// Key slots: ways to the one master key (FORMAT.md "Key slot").
#pragma once

#include <optional>
#include <string>

#include "codecs/scrypt.h"
#include "engine/format/keys.h"
#include "engine/format/kinds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

enum class SlotKind : std::uint8_t { kRawKey = 1, kPassphrase = 2, kClear = 3 };  // stored

// A repository has one master key, number 0. A slot of another one, of a later version, is kFormatTooNew.
inline constexpr std::uint16_t kMasterKeyNumber = 0;  // stored

// What is known of a slot before it is unlocked.
struct Slot {
  Uuid repository;
  SlotKind kind = SlotKind::kRawKey;
  ScryptParameters scrypt;  // zeros unless kPassphrase, like the salt
  Salt scrypt_salt;
  std::string label;
  WallNs created_ns = 0;
};

struct SlotFields {
  SlotKind kind = SlotKind::kRawKey;
  ScryptParameters scrypt;  // kPassphrase
  std::string label;
  WallNs created_ns = 0;
};

// Tests fix what is else drawn.
struct SlotSalts {
  Salt envelope;
  Salt scrypt;
};

// A slot object that wraps the master key of `keys`. `secret`: the 32-byte key, the passphrase, or empty for kClear.
// Errors: kUsage (a raw key that is not 32 bytes, an empty passphrase, a secret for a clear slot, scrypt parameters out
// of range, a label of more than 1024 bytes).
Result<Bytes> encode_slot(const RepositoryKeys& keys, const SlotFields& fields, ByteView secret,
                          const SlotSalts* salts = nullptr);

// Reads what is in clear; checks digest and lengths. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Slot> decode_slot(ByteView object);

// What a slot is named after: the first 16 bytes of the digest it ends in. `object` is what encode_slot made or
// decode_slot accepted.
Uuid slot_id(ByteView object);

// Whether a holder of the master key made this slot: the digest that it ends in anybody can make. `object` is what
// decode_slot accepted. Errors: kCorrupt.
Result<void> check_slot_mac(const RepositoryKeys& keys, ByteView object);

// The master key, if `secret` opens this slot. The slot's MAC is checked with the master key found.
// Errors: kWrongKey (the secret is another slot's, or one is given for a clear slot, so that nothing downgrades to it);
// kTruncated, kCorrupt, kFormatTooNew.
Result<SecretBytes> unlock_slot(ByteView object, ByteView secret);

}  // namespace drs
