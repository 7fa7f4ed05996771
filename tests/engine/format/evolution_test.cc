// This version's reader with objects of later versions: it refuses unknown values as too new, ignores optional ones,
// and reports neither as damage. engine/format/kinds.h has the table. Envelopes, configs, slots, manifests and
// documents have these cases in their own tests.
#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/names.h"
#include "engine/format/pack.h"
#include "tests/engine/format/golden.h"

namespace drs {
namespace {

Bytes redigested(const Bytes& object) {
  Bytes out(object.begin(), object.end() - static_cast<std::ptrdiff_t>(Digest::kBytes));
  const Digest digest = sha256(out);
  ByteWriter(out).raw(digest.view());
  return out;
}

TEST(Evolution, BlocksOfUnknownKindsAndCodecsAreTooNew) {
  const golden::BuiltPack pack = golden::build_pack("raw pack", golden::raw_pack_blocks());
  const Bytes table = encode_pack_table(pack.table);
  constexpr std::size_t kKindAt = 8 - 4 + 16 + 4 + 4 + 8;  // of the first record, after one session
  ASSERT_EQ(table[kKindAt], 1);
  for (unsigned value = 3; value <= 255; ++value) {
    for (const std::size_t at : {kKindAt, kKindAt + 1}) {
      Bytes changed = table;
      changed[at] = static_cast<Byte>(value);
      const auto decoded = decode_pack_table(changed, pack.object.size());
      ASSERT_FALSE(decoded.ok());
      EXPECT_EQ(decoded.error().code, ErrorCode::kFormatTooNew) << at << " " << value;
    }
  }
}

TEST(Evolution, AnUnknownKindOfObjectUnderAManifestsNameIsTooNew) {
  const std::string name = golden::topics_name();
  const Bytes object =
      encode_document(golden::keys(), ObjectKind::kManifest, name, *encode_manifest(golden::topics_manifest()));
  for (unsigned kind = 1; kind <= 255; ++kind) {
    Bytes changed = object;
    changed[6] = static_cast<Byte>(kind);
    const auto opened = open_manifest_object(golden::keys(), name, redigested(changed));
    ASSERT_EQ(opened.ok(), kind == 3) << kind;
    if (kind == 3) continue;
    EXPECT_EQ(opened.error().code,
              is_known_kind(static_cast<std::uint8_t>(kind)) ? ErrorCode::kCorrupt : ErrorCode::kFormatTooNew)
        << kind;
  }
}

TEST(Evolution, NamesOfLaterVersionsAreIgnored) {
  const std::string hex(32, 'a');
  for (const std::string& name :
       {"proven/" + hex, "doctor/" + hex, "parity/" + hex, "retired/" + hex + "-00000001", "kept/" + hex})
    EXPECT_FALSE(parse_name(name).has_value()) << name;
}

}  // namespace
}  // namespace drs
