#include "engine/format/document.h"

#include "codecs/sha256.h"
#include "engine/format/corrupt.h"
#include "engine/format/seal.h"

namespace drs {
namespace {

constexpr std::size_t kClearBytes = kEnvelopeBytes + Uuid::kBytes + 4;  // up to the seal
constexpr std::size_t kDocumentBytesMin = kClearBytes + kSealBytes + 2 + Digest::kBytes;

struct Layout {
  Envelope envelope;
  Uuid repository;
  ByteView sealed;
};

SealLabel document_label(std::size_t body_bytes) {
  return {.kind = SealKind::kDocument, .codec = Codec::kRaw, .ordinal = 0, .plain_bytes = body_bytes};
}

// Runs before the envelope is decoded: damage to a version field must not look like a newer version.
Result<void> check_digest(std::string_view what, ByteView object) {
  if (object.size() < kDocumentBytesMin)
    return Error(ErrorCode::kTruncated, std::string(what) + ": object has " + std::to_string(object.size()) +
                                            " bytes, the shortest has " + std::to_string(kDocumentBytesMin));
  if (object.size() > kDocumentBytesMax)
    return corrupt(what, ": object has ", object.size(), " bytes, at most ", kDocumentBytesMax, " are allowed");
  if (!has_valid_trailing_digest(object)) {
    ByteReader reader(object.subspan(kClearBytes - 4), what);
    const std::uint64_t bytes_min = std::uint64_t{reader.u32()} + kClearBytes + 2 + Digest::kBytes;
    if (bytes_min > object.size())
      return Error(ErrorCode::kTruncated, std::string(what) + ": object has " + std::to_string(object.size()) +
                                              " bytes, its length field requires at least " +
                                              std::to_string(bytes_min));
    return corrupt(what, ": object does not match the SHA-256 at its end");
  }
  return {};
}

Result<Layout> decode_layout(ObjectKind kind, ByteView object) {
  const std::string_view what = object_kind_name(kind);
  DRS_RETURN_IF_ERROR(check_digest(what, object));
  auto envelope = decode_envelope(object, kind);
  if (!envelope.ok()) return std::move(envelope).error().with_context(what);
  ByteReader reader(object.first(object.size() - Digest::kBytes).subspan(kEnvelopeBytes), what);
  Layout layout{.envelope = *envelope, .repository = reader.fixed<16>(), .sealed = reader.long_bytes()};
  const std::uint16_t signature_bytes = reader.u16();
  reader.raw(signature_bytes);
  DRS_RETURN_IF_ERROR(reader.finish());
  // The signature is outside the seal: if old readers ignored it, anyone could add one.
  if (signature_bytes != 0)
    return too_new(what, ": signature of ", signature_bytes, " bytes, this drstream supports no signatures");
  return layout;
}

}  // namespace

Bytes encode_document(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, ByteView body,
                      const Salt* salt) {
  const ObjectSealer sealer(keys, kind, name, CryptoBackend::kOpenssl, salt);
  Bytes out;
  encode_envelope(sealer.envelope(), out);
  ByteWriter writer(out);
  writer.raw(keys.repository().view());
  writer.u32(static_cast<std::uint32_t>(body.size() + kSealBytes));
  sealer.append(document_label(body.size()), body, out);
  writer.u16(0);  // no signature
  writer.raw(sha256(out).view());
  DRS_ASSERT(out.size() <= kDocumentBytesMax, "a document has at most 4 MiB");
  return out;
}

Result<Bytes> decode_document(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Layout layout, decode_layout(kind, object));
  if (layout.repository != keys.repository())
    return corrupt(object_kind_name(kind), ": object belongs to repository ", layout.repository.hex(), ", expected ",
                   keys.repository().hex());
  DRS_ASSIGN_OR_RETURN(const ObjectOpener opener,
                       ObjectOpener::make(keys, layout.envelope, name, CryptoBackend::kOpenssl));
  if (layout.sealed.size() < kSealBytes)
    return corrupt(object_kind_name(kind), ": sealed length is ", layout.sealed.size(), ", expected at least ",
                   kSealBytes);
  return opener.open(document_label(layout.sealed.size() - kSealBytes), layout.sealed);
}

Result<Uuid> peek_document(ObjectKind kind, ByteView object) {
  DRS_ASSIGN_OR_RETURN(const Layout layout, decode_layout(kind, object));
  return layout.repository;
}

Digest document_identity(ByteView object) {
  DRS_ASSERT(object.size() >= kDocumentBytesMin, "document_identity() needs a complete document");
  ByteReader sealed_bytes(object.subspan(kClearBytes - 4), "document");
  const std::size_t end = kClearBytes + sealed_bytes.u32();
  DRS_ASSERT(end <= object.size(), "document_identity() needs a complete document");
  return sha256(object.first(end));
}

bool has_valid_trailing_digest(ByteView object) {
  if (object.size() <= Digest::kBytes) return false;
  const Digest digest = sha256(object.first(object.size() - Digest::kBytes));
  return equal_constant_time(digest.view(), object.last(Digest::kBytes));
}

}  // namespace drs
