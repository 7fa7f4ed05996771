#include "engine/format/slot.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

SlotFields fields(SlotKind kind) {
  return {.kind = kind, .scrypt = {.log2_n = 10, .r = 1, .p = 1}, .label = "a label", .created_ns = 5};
}

Bytes make(SlotKind kind, ByteView secret) {
  auto slot = encode_slot(golden::keys(), fields(kind), secret);
  DRS_ASSERT(slot.ok(), "a slot was not encoded");
  return *std::move(slot);
}

Bytes redigested(Bytes object) {
  const MutableByteView whole = object;
  const Digest digest = sha256(whole.first(whole.size() - Digest::kBytes));
  std::ranges::copy(digest.view(), whole.last(Digest::kBytes).begin());
  return object;
}

void expect_master(const Result<SecretBytes>& unlocked) {
  ASSERT_TRUE(unlocked.ok()) << unlocked.error().message;
  EXPECT_EQ(to_hex(unlocked->view()), to_hex(golden::keys().master()));
}

ErrorCode unlock_error(const Bytes& object, ByteView secret) {
  const auto unlocked = unlock_slot(object, secret);
  EXPECT_FALSE(unlocked.ok());
  return unlocked.ok() ? ErrorCode::kInternal : unlocked.error().code;
}

TEST(Slot, OfEachKindUnlocksTheMasterKey) {
  expect_master(unlock_slot(make(SlotKind::kRawKey, golden::raw_key()), golden::raw_key()));
  expect_master(unlock_slot(make(SlotKind::kPassphrase, as_bytes("open")), as_bytes("open")));
  expect_master(unlock_slot(make(SlotKind::kClear, {}), {}));
}

TEST(Slot, TellsWhatIsInClear) {
  const auto slot = decode_slot(make(SlotKind::kPassphrase, as_bytes("open")));
  ASSERT_TRUE(slot.ok()) << slot.error().message;
  EXPECT_EQ(slot->repository, golden::keys().repository());
  EXPECT_EQ(slot->kind, SlotKind::kPassphrase);
  EXPECT_EQ(slot->scrypt, (ScryptParameters{.log2_n = 10, .r = 1, .p = 1}));
  EXPECT_FALSE(slot->scrypt_salt.is_zero());
  EXPECT_EQ(slot->label, "a label");
  EXPECT_EQ(slot->created_ns, 5);
}

TEST(Slot, RefusesAnotherSecretAsTheWrongKey) {
  Bytes other_key = golden::raw_key();
  other_key[31] ^= 1;
  const Bytes raw = make(SlotKind::kRawKey, golden::raw_key());
  EXPECT_EQ(unlock_error(raw, other_key), ErrorCode::kWrongKey);
  EXPECT_EQ(unlock_error(raw, as_bytes("open")), ErrorCode::kWrongKey);
  EXPECT_EQ(unlock_error(raw, {}), ErrorCode::kWrongKey);
  const Bytes passphrase = make(SlotKind::kPassphrase, as_bytes("open"));
  EXPECT_EQ(unlock_error(passphrase, as_bytes("opem")), ErrorCode::kWrongKey);
  EXPECT_EQ(unlock_error(passphrase, {}), ErrorCode::kWrongKey);
}

TEST(Slot, InClearRefusesAnyKeySoThatNothingDowngradesToIt) {
  EXPECT_EQ(unlock_error(make(SlotKind::kClear, {}), golden::raw_key()), ErrorCode::kWrongKey);
}

TEST(Slot, RefusesUnusableSecrets) {
  const auto code = [](SlotFields slot_fields, std::string_view secret) {
    const auto slot = encode_slot(golden::keys(), slot_fields, as_bytes(secret));
    return slot.ok() ? ErrorCode::kInternal : slot.error().code;
  };
  EXPECT_EQ(code(fields(SlotKind::kRawKey), "short"), ErrorCode::kUsage);
  EXPECT_EQ(code(fields(SlotKind::kPassphrase), ""), ErrorCode::kUsage);
  EXPECT_EQ(code(fields(SlotKind::kClear), "a key"), ErrorCode::kUsage);
  SlotFields cheap = fields(SlotKind::kPassphrase);
  cheap.scrypt.log2_n = 4;
  EXPECT_EQ(code(cheap, "open"), ErrorCode::kUsage);
  SlotFields wordy = fields(SlotKind::kPassphrase);
  wordy.label.assign(1025, 'x');
  EXPECT_EQ(code(wordy, "open"), ErrorCode::kUsage);
}

TEST(Slot, DetectsEveryChangeEvenWithAFreshDigest) {
  for (const SlotKind kind : {SlotKind::kRawKey, SlotKind::kClear}) {
    const Bytes secret = kind == SlotKind::kRawKey ? golden::raw_key() : Bytes();
    const Bytes object = make(kind, secret);
    for (std::size_t at = 0; at < object.size() - Digest::kBytes; ++at) {
      Bytes changed = object;
      changed[at] ^= 1;
      EXPECT_EQ(decode_slot(changed).ok(), false) << at;
      EXPECT_FALSE(unlock_slot(redigested(changed), secret).ok()) << at;
    }
  }
}

TEST(Slot, RefusesAbsurdScryptCostsBeforeAnyWork) {
  Bytes object = make(SlotKind::kPassphrase, as_bytes("open"));
  const std::size_t r_at = kEnvelopeBytes + 16 + 2 + 2;
  object[r_at + 3] = 0x7F;
  EXPECT_EQ(unlock_error(redigested(object), as_bytes("open")), ErrorCode::kCorrupt);
}

TEST(Slot, OfAnUnknownKindOrAnotherMasterKeyIsTooNewWhateverFollows) {
  const Bytes object = make(SlotKind::kRawKey, golden::raw_key());
  for (unsigned value = 1; value <= 255; ++value) {
    for (const std::size_t at : {0UL, 1UL, 2UL}) {
      Bytes changed = object;
      changed[kEnvelopeBytes + 16 + at] = static_cast<Byte>(value);
      if (at == 2 && value <= 3) continue;
      EXPECT_EQ(unlock_error(redigested(changed), golden::raw_key()), ErrorCode::kFormatTooNew) << at << " " << value;
    }
  }
}

// The previous draft stored no number of the master key: its slots have other fields at that offset.
TEST(Slot, OfTheDraftBeforeIsTooNewAndNotDamaged) {
  for (const SlotKind kind : {SlotKind::kRawKey, SlotKind::kPassphrase, SlotKind::kClear}) {
    SlotFields unlabelled = fields(kind);
    unlabelled.label.clear();
    const Bytes secret = kind == SlotKind::kClear ? Bytes() : golden::raw_key();
    Bytes object = *encode_slot(golden::keys(), unlabelled, secret);
    object.erase(object.begin() + kEnvelopeBytes + 16, object.begin() + kEnvelopeBytes + 18);
    const auto decoded = decode_slot(redigested(object));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().code, ErrorCode::kFormatTooNew) << decoded.error().message;
  }
}

TEST(Slot, DoesNotHoldTheMasterKeyInClearUnlessItSaysSo) {
  const RepositoryKeys keys = golden::keys();
  const auto holds_master = [&](const Bytes& object) { return !std::ranges::search(object, keys.master()).empty(); };
  EXPECT_FALSE(holds_master(make(SlotKind::kRawKey, golden::raw_key())));
  EXPECT_FALSE(holds_master(make(SlotKind::kPassphrase, as_bytes("open"))));
  EXPECT_TRUE(holds_master(make(SlotKind::kClear, {})));
}

}  // namespace
}  // namespace drs
