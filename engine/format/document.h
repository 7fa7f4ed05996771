// Documents: small sealed objects with a body, a place for a signature, and a digest at the end (FORMAT.md
// "Documents").
#pragma once

#include <string>

#include "codecs/crypto_backend.h"
#include "engine/format/keys.h"
#include "engine/format/kinds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// The whole object. `name` is bound into the seal. `salt`: tests fix it.
Bytes encode_document(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, ByteView body,
                      const Salt* salt = nullptr);

// The identity of a document: SHA-256 of all bytes before its signature's length. Predecessors, heads, removal marks
// and manifests (of their config) name it. `object`: what encode_document made, or decode_document or peek_document
// accepted.
Digest document_identity(ByteView object);

// The body. Checks digest, kind, repository, commitment and seal. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Bytes> decode_document(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, ByteView object);

// What can be read without a key: that the digest at the end is right, and the repository id in clear.
// Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Uuid> peek_document(ObjectKind kind, ByteView object);

// True when the last 32 bytes are the SHA-256 of all before: the keyless check for kinds that are not named by digest.
bool has_valid_trailing_digest(ByteView object);

}  // namespace drs
