// Digests of records in fields of the format.
#pragma once

#include <string_view>

#include "codecs/record_digest.h"
#include "engine/format/corrupt.h"

namespace drs {

// A stored digest, or a stored hash of a record. Errors: kTruncated, kCorrupt (a number that no digest has).
inline Result<RecordDigest> read_record_digest(ByteReader& reader, std::string_view what) {
  const auto stored = reader.fixed<RecordDigest::kBytes>();
  DRS_RETURN_IF_ERROR(reader.check());
  const RecordDigest digest = RecordDigest::of_stored(stored);
  if (digest.stored() != stored || stored.data.back() > 0x7F)
    return corrupt(what, ": a digest of records is 2^127 - 1 or greater");
  return digest;
}

}  // namespace drs
