#include "engine/format/envelope.h"

#include <gtest/gtest.h>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

TEST(Envelope, RoundTripsForEveryKind) {
  for (int kind = 1; kind <= 8; ++kind) {
    const Envelope envelope{.kind = static_cast<ObjectKind>(kind),
                            .salt = golden::fixed_digest("salt"),
                            .commitment = golden::fixed_digest("commitment")};
    Bytes out;
    encode_envelope(envelope, out);
    ASSERT_EQ(out.size(), kEnvelopeBytes);
    EXPECT_EQ(Bytes(out.begin(), out.begin() + kEnvelopeHeadBytes),
              Bytes({'d', 'r', 's', 't', 'r', 'm', static_cast<Byte>(kind), 1, 1, 0, 0, 0}));
    const auto decoded = decode_envelope(out, envelope.kind);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(decoded->kind, envelope.kind);
    EXPECT_EQ(decoded->salt, envelope.salt);
    EXPECT_EQ(decoded->commitment, envelope.commitment);
  }
}

TEST(Envelope, OfAnotherKindIsCorrupt) {
  Bytes out;
  encode_envelope({.kind = ObjectKind::kPack, .salt = {}, .commitment = {}}, out);
  const auto decoded = decode_envelope(out, ObjectKind::kIndex);
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(decoded.error().message, "envelope: object is of kind 1, expected 2 (index)");
}

TEST(Envelope, OfANewerVersionIsTooNewWhateverElseChanged) {
  Bytes out;
  encode_envelope({.kind = ObjectKind::kPack, .salt = {}, .commitment = {}}, out);
  out[6] = 77;
  out[7] = 2;
  out[10] = 1;
  EXPECT_EQ(decode_envelope(out, ObjectKind::kIndex).error().code, ErrorCode::kFormatTooNew);
}

}  // namespace
}  // namespace drs
