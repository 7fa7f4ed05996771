#include "engine/format/seal.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

constexpr CryptoBackend kBackend = CryptoBackend::kOpenssl;
constexpr std::string_view kPlain = "sixteen kilobytes, give or take";

struct Sealed {
  Envelope envelope;
  Bytes bytes;
};

Sealed seal(const SealLabel& label, ObjectKind kind = ObjectKind::kPack, const std::string& name = "") {
  const Salt salt = golden::fixed_digest("a salt");
  const ObjectSealer sealer(golden::keys(), kind, name, kBackend, &salt);
  Sealed out{.envelope = sealer.envelope(), .bytes = {}};
  sealer.append(label, as_bytes(kPlain), out.bytes);
  return out;
}

SealLabel data_label() {
  return {.kind = SealKind::kDataBlock, .codec = Codec::kZstd, .ordinal = 7, .plain_bytes = 1000};
}

ErrorCode open_error(const ObjectOpener& opener, const SealLabel& label, const Bytes& sealed) {
  const auto opened = opener.open(label, sealed);
  EXPECT_FALSE(opened.ok());
  return opened.ok() ? ErrorCode::kInternal : opened.error().code;
}

TEST(Seal, OpensWithItsLabel) {
  for (const SealKind kind : {SealKind::kDataBlock, SealKind::kRecipeBlock, SealKind::kPackTable}) {
    const SealLabel label{.kind = kind, .codec = Codec::kLz4, .ordinal = 3, .plain_bytes = 99};
    const Sealed sealed = seal(label);
    const auto opener = ObjectOpener::make(golden::keys(), sealed.envelope, "", kBackend);
    ASSERT_TRUE(opener.ok());
    const auto plain = opener->open(label, sealed.bytes);
    ASSERT_TRUE(plain.ok()) << plain.error().message;
    EXPECT_EQ(as_text(*plain), kPlain);
    const auto again = ObjectOpener::for_salt(golden::keys(), ObjectKind::kPack, sealed.envelope.salt, kBackend)
                           .open(label, sealed.bytes);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(as_text(*again), kPlain);
  }
}

TEST(Seal, BindsEveryFieldOfItsLabel) {
  const Sealed sealed = seal(data_label());
  const auto opener = ObjectOpener::make(golden::keys(), sealed.envelope, "", kBackend);
  ASSERT_TRUE(opener.ok());
  const std::function<void(SealLabel&)> changes[] = {
      [](SealLabel& l) { l.kind = SealKind::kRecipeBlock; },
      [](SealLabel& l) { l.codec = Codec::kRaw; },
      [](SealLabel& l) { l.codec = Codec::kLz4; },
      [](SealLabel& l) { l.ordinal = 8; },
      [](SealLabel& l) { l.plain_bytes = 1001; },
  };
  for (const auto& change : changes) {
    SealLabel label = data_label();
    change(label);
    EXPECT_EQ(open_error(*opener, label, sealed.bytes), ErrorCode::kCorrupt);
  }
}

TEST(Seal, IsRetypedNeitherWithinAClassOfKeysNorAcross) {
  const SealLabel table{.kind = SealKind::kPackTable, .codec = Codec::kRaw, .ordinal = 0, .plain_bytes = kPlain.size()};
  const Sealed sealed = seal(table);
  const auto opener = ObjectOpener::make(golden::keys(), sealed.envelope, "", kBackend);
  for (const SealKind kind : {SealKind::kDataBlock, SealKind::kRecipeBlock, SealKind::kIndexSummary,
                              SealKind::kIndexHooks, SealKind::kIndexDirectory, SealKind::kChunkList}) {
    SealLabel label = table;
    label.kind = kind;
    EXPECT_EQ(open_error(*opener, label, sealed.bytes), ErrorCode::kCorrupt);
  }
}

TEST(Seal, BindsKindSaltNameAndRepositoryOfItsObject) {
  const SealLabel label{.kind = SealKind::kDocument, .codec = Codec::kRaw, .ordinal = 0, .plain_bytes = kPlain.size()};
  const Sealed sealed = seal(label, ObjectKind::kSession, "sessions/a");
  const auto other_name = ObjectOpener::make(golden::keys(), sealed.envelope, "sessions/b", kBackend);
  ASSERT_TRUE(other_name.ok());
  EXPECT_EQ(open_error(*other_name, label, sealed.bytes), ErrorCode::kCorrupt);

  Envelope other_kind = sealed.envelope;
  other_kind.kind = ObjectKind::kCondemned;  // of the same key class
  EXPECT_EQ(ObjectOpener::make(golden::keys(), other_kind, "sessions/a", kBackend).error().code, ErrorCode::kCorrupt);
  Envelope other_salt = sealed.envelope;
  other_salt.salt.data[0] ^= 1;
  EXPECT_EQ(ObjectOpener::make(golden::keys(), other_salt, "sessions/a", kBackend).error().code, ErrorCode::kCorrupt);
  const auto for_other_salt = ObjectOpener::for_salt(golden::keys(), ObjectKind::kPack, other_salt.salt, kBackend);
  EXPECT_EQ(open_error(for_other_salt, label, sealed.bytes), ErrorCode::kCorrupt);

  const RepositoryKeys other_repository(golden::keys().master(), golden::fixed_uuid("another repository"));
  EXPECT_EQ(ObjectOpener::make(other_repository, sealed.envelope, "sessions/a", kBackend).error().code,
            ErrorCode::kCorrupt);
}

TEST(Seal, DetectsEveryFlippedByteAndEveryTruncation) {
  const Sealed sealed = seal(data_label());
  const auto opener = ObjectOpener::make(golden::keys(), sealed.envelope, "", kBackend);
  for (std::size_t at = 0; at < sealed.bytes.size(); ++at) {
    Bytes flipped = sealed.bytes;
    flipped[at] ^= 0x10;
    EXPECT_EQ(open_error(*opener, data_label(), flipped), ErrorCode::kCorrupt);
    flipped.resize(at);
    EXPECT_EQ(open_error(*opener, data_label(), flipped), ErrorCode::kCorrupt);
  }
}

TEST(Seal, FailureLeavesNoPlaintext) {
  Sealed sealed = seal(data_label());
  sealed.bytes.back() ^= 1;
  const auto opener = ObjectOpener::make(golden::keys(), sealed.envelope, "", kBackend);
  Bytes plain(kPlain.size(), 0xEE);
  ASSERT_FALSE(opener->open(data_label(), sealed.bytes, plain).ok());
  EXPECT_EQ(plain, Bytes(kPlain.size(), 0));
}

TEST(ObjectSealer, DrawsAFreshSaltAndFreshOrdinals) {
  const RepositoryKeys keys = golden::keys();
  ObjectSealer one(keys, ObjectKind::kPack, "", kBackend);
  const ObjectSealer two(keys, ObjectKind::kPack, "", kBackend);
  EXPECT_NE(one.envelope().salt, two.envelope().salt);
  EXPECT_NE(one.envelope().commitment, two.envelope().commitment);
  EXPECT_EQ(one.next_ordinal(), 0U);
  EXPECT_EQ(one.next_ordinal(), 1U);
}

TEST(Seal, IsTheSameWithBothBackends) {
  const CryptoBackend best = best_crypto_backend();
  const Salt salt = golden::fixed_digest("a salt");
  const ObjectSealer sealer(golden::keys(), ObjectKind::kPack, "", best, &salt);
  Bytes sealed;
  sealer.append(data_label(), as_bytes(kPlain), sealed);
  EXPECT_EQ(sealed, seal(data_label()).bytes);
}

}  // namespace
}  // namespace drs
