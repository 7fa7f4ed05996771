#include "engine/format/envelope.h"

#include <gtest/gtest.h>

#include "tests/engine/format/golden.h"

namespace drs {
namespace {

TEST(Envelope, RoundTripsForEveryKind) {
  for (int kind = 1; kind <= 11; ++kind) {
    if (!is_known_kind(static_cast<std::uint8_t>(kind))) continue;
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

TEST(Envelope, WithAnyKindMethodFlagOrSuiteThatIsUnknownIsTooNew) {
  Bytes good;
  encode_envelope({.kind = ObjectKind::kPack, .salt = {}, .commitment = {}}, good);
  const auto code_with = [&](std::size_t at, unsigned value) {
    Bytes changed = good;
    changed[at] = static_cast<Byte>(value);
    const auto decoded = decode_envelope(changed, ObjectKind::kPack);
    return decoded.ok() ? "ok" : std::string(error_code_name(decoded.error().code));
  };
  const std::string too_new(error_code_name(ErrorCode::kFormatTooNew));
  const std::string corrupt(error_code_name(ErrorCode::kCorrupt));
  for (unsigned value = 1; value <= 255; ++value) {
    EXPECT_EQ(code_with(6, value), value == 1 ? "ok" : value <= 15 ? corrupt : too_new) << value;
    EXPECT_EQ(code_with(9, value), too_new) << value;
    EXPECT_EQ(code_with(10, value), too_new) << value;
    EXPECT_EQ(code_with(11, value), too_new) << value;
    EXPECT_EQ(code_with(76, value), too_new) << value;
    EXPECT_EQ(code_with(77, value), too_new) << value;
    if (value == 1) continue;
    EXPECT_EQ(code_with(7, value), too_new) << value;
    EXPECT_EQ(code_with(8, value), too_new) << value;
  }
  for (const std::size_t at : {6UL, 7UL, 8UL}) EXPECT_EQ(code_with(at, 0), corrupt) << at;
}

TEST(Envelope, OfANewerVersionIsTooNewWhateverElseChanged) {
  Bytes out;
  encode_envelope({.kind = ObjectKind::kPack, .salt = {}, .commitment = {}}, out);
  out[7] = 2;
  EXPECT_EQ(decode_envelope(out, ObjectKind::kPack).error().code, ErrorCode::kFormatTooNew);
  // A known version with the wrong kind would be corrupt.
  EXPECT_EQ(decode_envelope(out, ObjectKind::kIndex).error().code, ErrorCode::kFormatTooNew);
  out[6] = 77;
  out[10] = 1;
  EXPECT_EQ(decode_envelope(out, ObjectKind::kIndex).error().code, ErrorCode::kFormatTooNew);
}

}  // namespace
}  // namespace drs
