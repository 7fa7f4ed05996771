#include "engine/format/keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "codecs/hkdf.h"
#include "codecs/hmac_sha256.h"

namespace drs {
namespace {

Bytes counting(std::size_t count) {
  Bytes out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<Byte>(i);
  return out;
}

Uuid repository() {
  Uuid out;
  out.data.fill(0x55);
  return out;
}

// An independent implementation of the derivation in FORMAT.md "Keys".
Bytes sub_key(std::string_view label) {
  Bytes out(32);
  hkdf_sha256(counting(32), repository().view(), as_bytes("drstream/1/" + std::string(label)), out);
  return out;
}

std::array<Byte, kEnvelopeHeadBytes> head(ObjectKind kind) {
  return Envelope{.kind = kind, .salt = {}, .commitment = {}}.head();
}

TEST(RepositoryKeys, AreDerivedByTheirLabels) {
  const RepositoryKeys keys(counting(32), repository());
  EXPECT_EQ(to_hex(keys.chunk_id()), to_hex(sub_key("chunk-id")));
  EXPECT_EQ(to_hex(keys.chunk_cut()), to_hex(sub_key("chunk-cut")));
  EXPECT_EQ(to_hex(keys.slot_mac()), to_hex(sub_key("slot-mac")));
  EXPECT_EQ(keys.commitment().hex(), to_hex(sub_key("commit")));
  const Digest tag = hmac_sha256(sub_key("stream-tag"), as_bytes("a stream"));
  EXPECT_EQ(keys.stream_tag("a stream").hex(), tag.hex().substr(0, 32));
}

// Computed with Python's hmac module. A change of these values would make all repositories unreadable.
TEST(RepositoryKeys, AreTheseForEver) {
  const RepositoryKeys keys(counting(32), repository());
  EXPECT_EQ(to_hex(keys.chunk_id()), "3e5e928e6d7230c94bf27164a5b1e93079f741a60a0cbea7470b1b59dda2c993");
  EXPECT_EQ(keys.commitment().hex(), "e9e9fe15dccc2a4e666dd9abaaa0b7128e2fedd1cd779500e800c029e0c631d7");
  EXPECT_EQ(keys.stream_tag("a stream").hex(), "df8ce2a5fd09e018bd7babb8a4503f47");
  Salt salt;
  salt.data.fill(0x33);
  const ObjectKey256 key = keys.object_key(KeyClass::kData, head(ObjectKind::kPack), salt);
  EXPECT_EQ(to_hex(key.key.view()), "29706fbee2def4f35bf83e8b0a9ab2b1e60c0fce9d53d755ed6f2c813762f4fc");
  EXPECT_EQ(key.commitment.hex(), "1a505e97476b6bcec6118cd7c5d87275dd083a669c9a66accbc505357fac5e88");
}

TEST(RepositoryKeys, DifferByClassKindSaltRepositoryAndMaster) {
  Salt salt;
  Uuid other_repository = repository();
  other_repository.data[0] ^= 1;
  Bytes other_master = counting(32);
  other_master[0] ^= 1;
  const RepositoryKeys keys(counting(32), repository());
  std::set<std::string> seen;
  const auto add = [&seen](const RepositoryKeys& from, KeyClass key_class, ObjectKind kind, const Salt& s) {
    const ObjectKey256 key = from.object_key(key_class, head(kind), s);
    EXPECT_TRUE(seen.insert(to_hex(key.key.view())).second);
    EXPECT_TRUE(seen.insert(key.commitment.hex()).second);
  };
  for (const KeyClass key_class : {KeyClass::kData, KeyClass::kMetadata, KeyClass::kManifest, KeyClass::kConfig})
    add(keys, key_class, ObjectKind::kPack, salt);
  add(keys, KeyClass::kData, ObjectKind::kIndex, salt);
  add(RepositoryKeys(counting(32), other_repository), KeyClass::kData, ObjectKind::kPack, salt);
  add(RepositoryKeys(other_master, repository()), KeyClass::kData, ObjectKind::kPack, salt);
  salt.data[31] = 1;
  add(keys, KeyClass::kData, ObjectKind::kPack, salt);
}

}  // namespace
}  // namespace drs
