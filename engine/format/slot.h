// Key slots: each wraps the repository's master key with a different secret (FORMAT.md "Key slot").
#pragma once

#include <optional>
#include <string>

#include "codecs/scrypt.h"
#include "engine/format/keys.h"
#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

enum class SlotKind : std::uint8_t { kRawKey = 1, kPassphrase = 2, kClear = 3 };  // stored

// A repository has one master key, number 0. A slot for another key, written by a later version, is kFormatTooNew.
inline constexpr std::uint16_t kMasterKeyNumber = 0;  // stored

// The fields of a slot that can be read without unlocking it.
struct Slot {
  Uuid repository;
  SlotKind kind = SlotKind::kRawKey;
  ScryptParameters scrypt;  // zeros unless kPassphrase, as is the salt
  Salt scrypt_salt;
  std::string label;
  WallNs created_ns = 0;
};

struct SlotFields {
  SlotKind kind = SlotKind::kRawKey;
  ScryptParameters scrypt;  // for kPassphrase
  std::string label;
  WallNs created_ns = 0;
};

// Salts that are otherwise random; only for tests.
struct SlotSalts {
  Salt envelope;
  Salt scrypt;
};

// Returns a slot object that wraps the master key of `keys`. `secret`: the 32-byte key, the passphrase, or empty for
// kClear.
// Errors: kUsage (a raw key that is not 32 bytes, an empty passphrase, a secret for a clear slot, scrypt parameters out
// of range, a label of more than 1024 bytes).
Result<Bytes> encode_slot(const RepositoryKeys& keys, const SlotFields& fields, ByteView secret,
                          const SlotSalts* salts = nullptr);

// Decodes the unencrypted fields; checks digest and lengths. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Slot> decode_slot(ByteView object);

// The id in the slot's name: the first 16 bytes of the digest at its end. `object` must come from encode_slot or have
// been accepted by decode_slot.
Uuid slot_id(ByteView object);

// Checks that a holder of the master key wrote this slot; the digest at its end does not prove that. `object` must have
// been accepted by decode_slot. Errors: kCorrupt.
Result<void> check_slot_mac(const RepositoryKeys& keys, ByteView object);

// Returns the master key if `secret` opens this slot, after it has verified the slot's MAC with that key.
// Errors: kWrongKey (the secret does not open this slot, or a secret is given for a clear slot, which prevents a
// downgrade to one); kTruncated, kCorrupt, kFormatTooNew; kBusy (out of memory for scrypt).
Result<SecretBytes> unlock_slot(ByteView object, ByteView secret);

}  // namespace drs
