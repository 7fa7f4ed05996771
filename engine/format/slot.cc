#include "engine/format/slot.h"

#include <algorithm>

#include "codecs/aead.h"
#include "codecs/hkdf.h"
#include "codecs/hmac_sha256.h"
#include "codecs/random.h"
#include "codecs/sha256.h"
#include "engine/format/corrupt.h"
#include "engine/format/document.h"

namespace drs {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kWrappedBytes = kKeyBytes + kAeadTagBytes;
constexpr std::size_t kSlotLabelBytesMax = 1024;
// Envelope, repository, kind, scrypt parameters and salt, an empty label, time, a clear key, MAC, digest. Without the
// number of the master key, so that a slot of an earlier draft, which lacks it, gets the error for that.
constexpr std::size_t kSlotBytesMin = kEnvelopeBytes + 16 + 1 + 9 + 32 + 2 + 8 + 2 + kKeyBytes + 32 + 32;

// A decoded slot object, with views into it.
struct Layout {
  Envelope envelope;
  Slot slot;
  ByteView before_wrapped;  // the additional authenticated data of the wrapped key
  ByteView wrapped;
  ByteView before_mac;
  Digest mac;
};

struct WrapKey {
  SecretBytes key;
  Commitment commitment;
};

WrapKey derive_wrap_key(ByteView secret, const Envelope& envelope, const Uuid& repository) {
  Bytes info;
  ByteWriter writer(info);
  writer.raw(as_bytes("drstream/1/slot/"));
  writer.raw(repository.view());
  writer.raw(envelope.head());
  SecretBytes derived(64);
  hkdf_sha256(secret, envelope.salt.view(), info, derived.mutable_view());
  WrapKey out{.key = SecretBytes::copy_of(derived.view().first(kKeyBytes)), .commitment = {}};
  std::memcpy(out.commitment.data.data(), derived.view().data() + kKeyBytes, out.commitment.data.size());
  return out;
}

Aead wrap_cipher(const WrapKey& key) {
  return {key.key.view(), CryptoBackend::kOpenssl};
}

constexpr std::array<Byte, kAeadNonceBytes> kWrapNonce{};  // each wrap key is used once

// Returns the bytes from which the wrap key is derived.
Result<SecretBytes> slot_secret(SlotKind kind, ScryptParameters parameters, const Salt& scrypt_salt, ByteView secret) {
  if (kind == SlotKind::kPassphrase) return scrypt(secret, scrypt_salt.view(), parameters, kKeyBytes);
  return SecretBytes::copy_of(secret);
}

Result<void> check_secret(const SlotFields& fields, ByteView secret) {
  const auto usage = [](std::string text) { return Error(ErrorCode::kUsage, std::move(text)); };
  if (fields.label.size() > kSlotLabelBytesMax) return usage("a slot's label has at most 1024 bytes");
  switch (fields.kind) {
    case SlotKind::kRawKey:
      if (secret.size() != kKeyBytes)
        return usage("a raw key has 32 bytes (64 hexadecimal digits), got " + std::to_string(secret.size()));
      return {};
    case SlotKind::kPassphrase:
      if (secret.empty()) return usage("the passphrase is empty");
      return {};
    case SlotKind::kClear:
      if (!secret.empty()) return usage("a clear slot takes no key");
      return {};
  }
  return usage("no such kind of slot");
}

// Fields that a kind does not use must be zero.
Result<void> check_unused_fields(const Layout& layout) {
  const Slot& slot = layout.slot;
  if (slot.kind != SlotKind::kPassphrase &&
      (slot.scrypt != ScryptParameters{.log2_n = 0, .r = 0, .p = 0} || !slot.scrypt_salt.is_zero()))
    return corrupt("slot: scrypt fields are set in a slot of kind ", static_cast<unsigned>(slot.kind));
  if (slot.kind == SlotKind::kClear && !layout.envelope.commitment.is_zero())
    return corrupt("slot: a clear slot's commitment is ", layout.envelope.commitment.hex(), ", expected zeros");
  const std::size_t wrapped_bytes = slot.kind == SlotKind::kClear ? kKeyBytes : kWrappedBytes;
  if (layout.wrapped.size() != wrapped_bytes)
    return corrupt("slot: wrapped key has ", layout.wrapped.size(), " bytes, expected ", wrapped_bytes);
  return {};
}

Result<void> check_digest(ByteView object) {
  if (object.size() < kSlotBytesMin)
    return Error(ErrorCode::kTruncated, "slot: object has " + std::to_string(object.size()) +
                                            " bytes, the shortest has " + std::to_string(kSlotBytesMin));
  if (object.size() > kSlotBytesMax)
    return corrupt("slot: object has ", object.size(), " bytes, at most ", kSlotBytesMax, " are allowed");
  if (!has_valid_trailing_digest(object)) return corrupt("slot: object does not match the SHA-256 at its end");
  return {};
}

Result<Layout> decode_layout(ByteView object) {
  DRS_RETURN_IF_ERROR(check_digest(object));
  auto envelope = decode_envelope(object, ObjectKind::kSlot);
  if (!envelope.ok()) return std::move(envelope).error().with_context("slot");
  const ByteView body = object.first(object.size() - Digest::kBytes);
  ByteReader reader(body.subspan(kEnvelopeBytes), "slot");
  Layout layout{.envelope = *envelope, .slot = {}, .before_wrapped = {}, .wrapped = {}, .before_mac = {}, .mac = {}};
  layout.slot.repository = reader.fixed<16>();
  const std::uint16_t master_key = reader.u16();
  const std::uint8_t kind = reader.u8();
  DRS_RETURN_IF_ERROR(reader.check());
  // Checked before the remaining fields, which another kind may not have.
  if (master_key != kMasterKeyNumber)
    return too_new(
        "slot: it is for master key ", master_key,
        ", this drstream supports only key 0 (a development version before 0.1 stored no such number and can "
        "read its own slots)");
  if (kind == 0) return corrupt("slot: kind is 0, expected 1 to 3");
  if (kind > 3) return too_new("slot: kind is ", kind, ", known are 1 to 3");
  layout.slot.scrypt.log2_n = reader.u8();
  layout.slot.scrypt.r = reader.u32();
  layout.slot.scrypt.p = reader.u32();
  layout.slot.scrypt_salt = reader.fixed<32>();
  layout.slot.label = reader.short_string();
  layout.slot.created_ns = reader.i64();
  layout.before_wrapped = body.first(body.size() - reader.remaining());
  layout.wrapped = reader.raw(reader.u16());
  layout.before_mac = body.first(body.size() - reader.remaining());
  layout.mac = reader.fixed<32>();
  DRS_RETURN_IF_ERROR(reader.finish());
  if (layout.slot.label.size() > kSlotLabelBytesMax)
    return corrupt("slot: label has ", layout.slot.label.size(), " bytes, at most ", kSlotLabelBytesMax,
                   " are allowed");
  layout.slot.kind = static_cast<SlotKind>(kind);
  DRS_RETURN_IF_ERROR(check_unused_fields(layout));
  return layout;
}

Result<SecretBytes> unwrap(const Layout& layout, ByteView secret) {
  const auto wrong_key = [](const char* text) { return Error(ErrorCode::kWrongKey, text); };
  const Slot& slot = layout.slot;
  if (slot.kind == SlotKind::kClear) {
    if (!secret.empty()) return wrong_key("slot: the master key is stored unencrypted, but a key was given");
    return SecretBytes::copy_of(layout.wrapped);
  }
  if (slot.kind == SlotKind::kRawKey && secret.size() != kKeyBytes) return wrong_key("slot: a raw key has 32 bytes");
  if (secret.empty()) return wrong_key("slot: a passphrase is needed");
  DRS_ASSIGN_OR_RETURN(const SecretBytes stretched, slot_secret(slot.kind, slot.scrypt, slot.scrypt_salt, secret));
  const WrapKey key = derive_wrap_key(stretched.view(), layout.envelope, slot.repository);
  if (!equal_constant_time(key.commitment.view(), layout.envelope.commitment.view()))
    return wrong_key("slot: this key does not open the slot");
  SecretBytes master(kKeyBytes);
  auto opened = wrap_cipher(key).open(kWrapNonce, layout.before_wrapped, layout.wrapped, master.mutable_view());
  if (!opened.ok()) return corrupt("slot: the wrapped key does not authenticate: ", opened.error().message);
  return master;
}

bool is_made_by(const RepositoryKeys& keys, const Layout& layout) {
  return equal_constant_time(hmac_sha256(keys.slot_mac(), layout.before_mac).view(), layout.mac.view());
}

}  // namespace

Result<Bytes> encode_slot(const RepositoryKeys& keys, const SlotFields& fields, ByteView secret,
                          const SlotSalts* salts) {
  DRS_RETURN_IF_ERROR(check_secret(fields, secret));
  SlotSalts drawn;
  if (salts != nullptr) {
    drawn = *salts;
  } else {
    random_bytes(drawn.envelope.mutable_view());
    random_bytes(drawn.scrypt.mutable_view());
  }
  const bool has_passphrase = fields.kind == SlotKind::kPassphrase;
  const ScryptParameters parameters = has_passphrase ? fields.scrypt : ScryptParameters{.log2_n = 0, .r = 0, .p = 0};
  const Salt scrypt_salt = has_passphrase ? drawn.scrypt : Salt{};
  const bool is_clear = fields.kind == SlotKind::kClear;

  Envelope envelope{.kind = ObjectKind::kSlot, .salt = drawn.envelope, .commitment = {}};
  WrapKey key;
  if (!is_clear) {
    auto stretched = slot_secret(fields.kind, parameters, scrypt_salt, secret);
    if (!stretched.ok() && stretched.error().code == ErrorCode::kCorrupt)
      return Error(ErrorCode::kUsage, stretched.error().message);
    if (!stretched.ok()) return std::move(stretched).error();
    key = derive_wrap_key(stretched->view(), envelope, keys.repository());
    envelope.commitment = key.commitment;
  }
  Bytes out;
  encode_envelope(envelope, out);
  ByteWriter writer(out);
  writer.raw(keys.repository().view());
  writer.u16(kMasterKeyNumber);
  writer.u8(static_cast<std::uint8_t>(fields.kind));
  writer.u8(parameters.log2_n);
  writer.u32(parameters.r);
  writer.u32(parameters.p);
  writer.raw(scrypt_salt.view());
  writer.short_string(fields.label);
  writer.i64(fields.created_ns);
  if (is_clear) {
    writer.u16(kKeyBytes);
    writer.raw(keys.master());
  } else {
    Bytes wrapped(kWrappedBytes);
    wrap_cipher(key).seal(kWrapNonce, out, keys.master(), wrapped);
    writer.u16(kWrappedBytes);
    writer.raw(wrapped);
  }
  writer.raw(hmac_sha256(keys.slot_mac(), out).view());
  writer.raw(sha256(out).view());
  return out;
}

Result<Slot> decode_slot(ByteView object) {
  DRS_ASSIGN_OR_RETURN(Layout layout, decode_layout(object));
  return std::move(layout.slot);
}

Uuid slot_id(ByteView object) {
  DRS_ASSERT(object.size() >= Digest::kBytes, "a slot is longer than a digest");
  Uuid id;
  std::ranges::copy(object.last(Digest::kBytes).first(Uuid::kBytes), id.mutable_view().begin());
  return id;
}

Result<SecretBytes> unlock_slot(ByteView object, ByteView secret) {
  DRS_ASSIGN_OR_RETURN(const Layout layout, decode_layout(object));
  DRS_ASSIGN_OR_RETURN(SecretBytes master, unwrap(layout, secret));
  if (!is_made_by(RepositoryKeys(master.view(), layout.slot.repository), layout))
    return corrupt("slot: the MAC does not match the master key in the slot");
  return master;
}

Result<void> check_slot_mac(const RepositoryKeys& keys, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Layout layout, decode_layout(object));
  if (!is_made_by(keys, layout)) return corrupt("the slot's MAC does not match this repository's master key");
  return {};
}

}  // namespace drs
