#include "engine/format/document.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "codecs/sha256.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

constexpr ObjectKind kKind = ObjectKind::kManifest;
const std::string kName = "manifests/00000000000000000000000000000000-00000000000000000000000000000000";

Bytes encode(std::string_view body) {
  return encode_document(golden::keys(), kKind, kName, as_bytes(body));
}

Bytes redigested(Bytes object) {
  object.resize(object.size() - Digest::kBytes);
  const Digest digest = sha256(object);
  ByteWriter(object).raw(digest.view());
  return object;
}

// The error code's name, or "ok".
template <typename T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "ok" : std::string(error_code_name(result.error().code));
}

ErrorCode decode_error(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, const Bytes& object) {
  const auto decoded = decode_document(keys, kind, name, object);
  EXPECT_FALSE(decoded.ok());
  return decoded.ok() ? ErrorCode::kInternal : decoded.error().code;
}

TEST(Document, RoundTripsAnyBody) {
  EXPECT_TRUE(rc::check([](const Bytes& body) {
    for (const ObjectKind kind : {ObjectKind::kConfig, ObjectKind::kManifest, ObjectKind::kRemoved,
                                  ObjectKind::kSession, ObjectKind::kCondemned, ObjectKind::kFence, ObjectKind::kWaits,
                                  ObjectKind::kRetired, ObjectKind::kKept, ObjectKind::kHold, ObjectKind::kVerified}) {
      const Bytes object = encode_document(golden::keys(), kind, kName, body);
      const auto decoded = decode_document(golden::keys(), kind, kName, object);
      RC_ASSERT(decoded.ok());
      RC_ASSERT(*decoded == body);
      RC_ASSERT(has_valid_trailing_digest(object));
      const auto repository = peek_document(kind, object);
      RC_ASSERT(repository.ok());
      RC_ASSERT(*repository == golden::keys().repository());
    }
  }));
}

TEST(Document, IsSealedFreshEachTime) {
  EXPECT_NE(encode("body"), encode("body"));
}

TEST(Document, BindsNameKindAndRepository) {
  const RepositoryKeys keys = golden::keys();
  const Bytes object = encode("body");
  ASSERT_TRUE(decode_document(keys, kKind, kName, object).ok());
  EXPECT_EQ(decode_error(keys, kKind, kName + "0", object), ErrorCode::kCorrupt);
  EXPECT_EQ(decode_error(keys, kKind, "", object), ErrorCode::kCorrupt);
  EXPECT_EQ(decode_error(keys, ObjectKind::kRemoved, kName, object), ErrorCode::kCorrupt);
  EXPECT_EQ(decode_error(RepositoryKeys(keys.master(), golden::fixed_uuid("another")), kKind, kName, object),
            ErrorCode::kCorrupt);
  EXPECT_EQ(
      decode_error(RepositoryKeys(golden::fixed_digest("another").view(), keys.repository()), kKind, kName, object),
      ErrorCode::kCorrupt);
}

TEST(Document, IsNotRetypedByChangingItsEnvelope) {
  Bytes object = encode("body");
  object[6] = static_cast<Byte>(ObjectKind::kRemoved);  // the same key class
  EXPECT_EQ(decode_error(golden::keys(), ObjectKind::kRemoved, kName, redigested(object)), ErrorCode::kCorrupt);
}

TEST(Document, DetectsEveryChangeEvenWithAFreshDigest) {
  const Bytes object = encode("body");
  for (std::size_t at = 0; at < object.size() - Digest::kBytes; ++at) {
    Bytes changed = object;
    changed[at] ^= 1;
    EXPECT_FALSE(decode_document(golden::keys(), kKind, kName, changed).ok()) << at;
    EXPECT_FALSE(decode_document(golden::keys(), kKind, kName, redigested(changed)).ok()) << at;
  }
}

TEST(Document, WithASignatureIsTooNewHoweverLong) {
  for (const std::size_t bytes : {1UL, 30UL, 60'000UL}) {
    Bytes object = encode("body");
    object.resize(object.size() - Digest::kBytes - 2);
    ByteWriter writer(object);
    writer.short_string(std::string(bytes, 's'));
    const Digest digest = sha256(object);
    writer.raw(digest.view());
    EXPECT_EQ(decode_error(golden::keys(), kKind, kName, object), ErrorCode::kFormatTooNew) << bytes;
    EXPECT_EQ(code_of(peek_document(kKind, object)), "format-too-new") << bytes;
  }
}

TEST(Document, HasTheIdentityOfTheBytesBeforeItsSignature) {
  const Bytes object = encode("body");
  EXPECT_EQ(document_identity(object), sha256(ByteView(object).first(object.size() - Digest::kBytes - 2)));
  EXPECT_NE(document_identity(object), document_identity(encode("body")));
}

TEST(Document, CutShortIsTruncated) {
  Bytes object = encode(std::string(1000, 'x'));
  object.resize(object.size() - 500);
  EXPECT_EQ(decode_error(golden::keys(), kKind, kName, object), ErrorCode::kTruncated);
  object.resize(20);
  EXPECT_EQ(decode_error(golden::keys(), kKind, kName, object), ErrorCode::kTruncated);
  EXPECT_EQ(decode_error(golden::keys(), kKind, kName, {}), ErrorCode::kTruncated);
}

TEST(Document, DamagedInItsVersionIsCorruptAndNotTooNew) {
  Bytes object = encode("body");
  object[7] = 9;
  EXPECT_EQ(decode_error(golden::keys(), kKind, kName, object), ErrorCode::kCorrupt);
  EXPECT_EQ(decode_error(golden::keys(), kKind, kName, redigested(object)), ErrorCode::kFormatTooNew);
}

TEST(Document, OfMoreThanFourMebibytesIsRefused) {
  EXPECT_EQ(code_of(peek_document(kKind, Bytes(kDocumentBytesMax + 1))), "corrupt");
}

}  // namespace
}  // namespace drs
