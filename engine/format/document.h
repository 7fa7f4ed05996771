// Documents: small sealed objects with a body, a field for a signature, and a digest at the end (FORMAT.md
// "Documents").
#pragma once

#include <string>

#include "codecs/crypto_backend.h"
#include "engine/format/keys.h"
#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Returns the complete object. The seal binds `name`. `salt`: only for tests; by default it is random.
Bytes encode_document(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, ByteView body,
                      const Salt* salt = nullptr);

// The identity of a document: the SHA-256 of all bytes before the signature's length. Manifests use it for their
// predecessor and their config, heads and removal marks for manifests. `object` must come from encode_document or have
// been accepted by decode_document or peek_document.
Digest document_identity(ByteView object);

// Returns the body. Checks digest, kind, repository, commitment and seal. Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Bytes> decode_document(const RepositoryKeys& keys, ObjectKind kind, const std::string& name, ByteView object);

// Checks, without a key, the digest at the end and the envelope, and returns the unencrypted repository id.
// Errors: kTruncated, kCorrupt, kFormatTooNew.
Result<Uuid> peek_document(ObjectKind kind, ByteView object);

// True if the last 32 bytes are the SHA-256 of all preceding bytes: the keyless check for kinds not named by digest.
bool has_valid_trailing_digest(ByteView object);

}  // namespace drs
