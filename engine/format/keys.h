// The keys of a repository, derived from its master key, and the key of each object (FORMAT.md "Keys").
// Immutable after construction, so thread-safe.
#pragma once

#include <memory>

#include "engine/format/envelope.h"
#include "engine/format/kinds.h"
#include "engine/format/names.h"
#include "io/base/bytes.h"

namespace drs {

// The sealing key of one object for one key class.
struct ObjectKey256 {
  SecretBytes key;  // 32 bytes
  Commitment commitment;
};

class RepositoryKeys {
 public:
  // `master` has 32 bytes.
  RepositoryKeys(ByteView master, const Uuid& repository);

  [[nodiscard]] const Uuid& repository() const { return repository_; }
  [[nodiscard]] ByteView master() const { return master_.view(); }
  [[nodiscard]] ByteView chunk_id() const { return chunk_id_.view(); }
  [[nodiscard]] ByteView chunk_cut() const { return chunk_cut_.view(); }
  [[nodiscard]] ByteView slot_mac() const { return slot_mac_.view(); }
  // Stored in the config; identifies this master key.
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

// The key class whose commitment is in the envelope of objects of this kind.
KeyClass envelope_class(ObjectKind kind);

}  // namespace drs
