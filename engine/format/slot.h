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

// What is known of a slot before it is unlocked.
struct Slot {
  Uuid repository;
  SlotKind kind = SlotKind::kRawKey;
  ScryptParameters scrypt;
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

// A slot object that wraps the master key of `keys`. `secret`: the 32-byte key, the passphrase, or empty for kClear.
// Errors: kUsage (a raw key that is not 32 bytes, an empty passphrase).
Result<Bytes> encode_slot(const RepositoryKeys& keys, const SlotFields& fields, ByteView secret);

// Reads what is in clear; checks digest and lengths. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Slot> decode_slot(ByteView object);

// The master key, if `secret` opens this slot. The slot's MAC is checked with the master key found.
// Errors: kWrongKey (the secret is another slot's), kCorrupt.
Result<SecretBytes> unlock_slot(ByteView object, ByteView secret);

}  // namespace drs
