#include "engine/format/envelope.h"

#include "engine/format/corrupt.h"

namespace drs {
namespace {

constexpr std::string_view kMagic = "drstrm";
constexpr std::uint8_t kSuite = 1;      // stored: AES-256-GCM, HMAC-SHA-256, HKDF-SHA-256
constexpr std::uint8_t kKeyMethod = 0;  // stored: derived from the master key

Error unknown(std::string_view field, unsigned got, unsigned known) {
  return too_new("envelope: ", field, " is ", got, ", this drstream supports ", known);
}

}  // namespace

std::array<Byte, kEnvelopeHeadBytes> Envelope::head() const {
  std::array<Byte, kEnvelopeHeadBytes> out{};
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  out[6] = static_cast<Byte>(kind);
  out[7] = kFormatVersion;
  out[8] = kSuite;
  out[9] = kKeyMethod;
  return out;  // flags: 0
}

void encode_envelope(const Envelope& envelope, Bytes& out) {
  ByteWriter writer(out);
  writer.raw(envelope.head());
  writer.raw(envelope.salt.view());
  writer.raw(envelope.commitment.view());
  writer.u16(0);  // no key blob
}

Result<Envelope> decode_envelope(ByteView object, ObjectKind expected) {
  if (object.size() < kEnvelopeBytes)
    return Error(ErrorCode::kTruncated, "envelope: object has " + std::to_string(object.size()) +
                                            " bytes, an envelope has " + std::to_string(kEnvelopeBytes));
  ByteReader reader(object.first(kEnvelopeBytes), "envelope");
  const ByteView magic = reader.raw(kMagic.size());
  if (as_text(magic) != kMagic) return corrupt("envelope: magic is ", to_hex(magic), ", expected \"drstrm\"");
  const std::uint8_t kind = reader.u8();
  const std::uint8_t version = reader.u8();
  const std::uint8_t suite = reader.u8();
  const std::uint8_t key_method = reader.u8();
  const std::uint16_t flags = reader.u16();
  // Checked first: a later version may change the meaning of all other fields.
  if (version == 0) return corrupt("envelope: version is 0, expected 1");
  if (version > kFormatVersion) return unknown("version", version, kFormatVersion);
  if (kind != 0 && !is_known_kind(kind)) return unknown("kind of the object", kind, static_cast<unsigned>(expected));
  if (kind != static_cast<std::uint8_t>(expected))
    return corrupt("envelope: object is of kind ", kind, ", expected ", static_cast<unsigned>(expected), " (",
                   object_kind_name(expected), ")");
  if (suite == 0) return corrupt("envelope: suite is 0, expected 1");
  if (suite > kSuite) return unknown("suite", suite, kSuite);
  if (key_method != kKeyMethod) return unknown("key method", key_method, kKeyMethod);
  if (flags != 0) return unknown("flags", flags, 0);
  Envelope envelope{.kind = expected, .salt = reader.fixed<32>(), .commitment = reader.fixed<32>()};
  const std::uint16_t key_blob_bytes = reader.u16();
  if (key_blob_bytes != 0) return unknown("length of the key blob", key_blob_bytes, 0);
  DRS_RETURN_IF_ERROR(reader.finish());
  return envelope;
}

}  // namespace drs
