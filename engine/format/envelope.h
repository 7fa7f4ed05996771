// The envelope: how every sealed object begins (FORMAT.md "Envelope").
#pragma once

#include <array>

#include "engine/format/kinds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

inline constexpr std::size_t kEnvelopeHeadBytes = 12;
inline constexpr std::size_t kEnvelopeBytes = 78;  // without a key blob

struct Envelope {
  ObjectKind kind;
  Salt salt;
  Commitment commitment;
  // The first 12 bytes as stored; they enter the object's key.
  [[nodiscard]] std::array<Byte, kEnvelopeHeadBytes> head() const;
};

void encode_envelope(const Envelope& envelope, Bytes& out);

// Reads the first kEnvelopeBytes of `object`. Errors: kTruncated; kCorrupt (magic, another known kind than `expected`);
// kFormatTooNew (version, kind, suite, key method, flags or key blob that this drstream does not know).
Result<Envelope> decode_envelope(ByteView object, ObjectKind expected);

}  // namespace drs
