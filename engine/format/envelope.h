// The envelope: the header of every sealed object (FORMAT.md "Envelope").
#pragma once

#include <array>

#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

inline constexpr std::size_t kEnvelopeHeadBytes = 12;
inline constexpr std::size_t kEnvelopeBytes = 78;  // without a key blob

struct Envelope {
  ObjectKind kind;
  Salt salt;
  Commitment commitment;
  // The first 12 bytes as stored; the object's key is derived from them.
  [[nodiscard]] std::array<Byte, kEnvelopeHeadBytes> head() const;
};

void encode_envelope(const Envelope& envelope, Bytes& out);

// Decodes the first kEnvelopeBytes of `object`. Errors: kTruncated; kCorrupt (wrong magic, or a known kind other than
// `expected`); kFormatTooNew (unknown version, kind, suite, key method, flags or key blob).
Result<Envelope> decode_envelope(ByteView object, ObjectKind expected);

}  // namespace drs
