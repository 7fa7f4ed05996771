// The keys of a repository, derived from its master key, and the key of each object (FORMAT.md "Keys").
// Immutable after construction; shared by any number of threads.
#pragma once

#include <memory>

#include "engine/format/envelope.h"
#include "engine/format/kinds.h"
#include "engine/format/names.h"
#include "io/bytes.h"

namespace drs {

// The key that seals in one object, under one class.
struct ObjectKey256 {
  SecretBytes key;  // 32 bytes
  Commitment commitment;
};

class RepositoryKeys {
 public:
  // `master` is 32 bytes.
  RepositoryKeys(ByteView master, const Uuid& repository);

  [[nodiscard]] const Uuid& repository() const { return repository_; }
  [[nodiscard]] ByteView master() const { return master_.view(); }
  [[nodiscard]] ByteView chunk_id() const { return chunk_id_.view(); }
  [[nodiscard]] ByteView chunk_cut() const { return chunk_cut_.view(); }
  [[nodiscard]] ByteView slot_mac() const { return slot_mac_.view(); }
  // What the config stores to tell this master key from any other.
  [[nodiscard]] const Commitment& commitment() const { return commitment_; }
  [[nodiscard]] StreamTag stream_tag(std::string_view stream) const;

  // `head` from an Envelope.
  [[nodiscard]] ObjectKey256 object_key(KeyClass key_class, const std::array<Byte, kEnvelopeHeadBytes>& head,
                                        const Salt& salt) const;

 private:
  Uuid repository_;
  SecretBytes master_, chunk_id_, chunk_cut_, data_, metadata_, manifest_, config_, slot_mac_, stream_tag_;
  Commitment commitment_;
};

// The class whose commitment stands in the envelope of objects of this kind.
KeyClass envelope_class(ObjectKind kind);

}  // namespace drs
