// All decoders of the format behind one function type, for the golden, malformed and fuzz tests: each decodes an input
// and re-encodes the result. The format is canonical, so the output must equal the input.
#pragma once

#include <span>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

// Decoders that need more than the plaintext expect it in front of the input:
//   pack_table                        u64 offset of the table in the pack
//   pack_footer, index_footer         u64 bytes of the object
//   index_summary                     u64 bytes of the object
//   index_directory, index_hooks      u64 bytes of the object, u32 length and plaintext of the summary
//   chunk_list                        u32 length of the block
//   extent_page                       u32 partition, u32 count of extents
//   segment_directory, catalogue      u64 bytes of the stream, of which the rest of the input is the end
// document and slot cannot re-encode without keys and return the input. document expects u8 kind and string name in
// front, and uses the keys of the golden repository.
struct FormatDecoder {
  std::string_view name;
  Result<Bytes> (*reencode)(ByteView input);
};

std::span<const FormatDecoder> format_decoders();

// Aborts unless the decoder of that name refuses `input` or returns it unchanged.
void check_canonical(std::string_view decoder, ByteView input);
// The same, and again for `input` with its last 32 bytes replaced by the correct digest of the object that begins at
// `object_at`, which no fuzzer can guess.
void check_canonical_with_digest(std::string_view decoder, ByteView input, std::size_t object_at = 0);

// An input of segment_directory or catalogue with the correct XXH3 in its trailer, which no fuzzer can guess.
Bytes with_checksum(ByteView input, std::size_t trailer_bytes);
void check_canonical_with_checksum(std::string_view decoder, ByteView input, std::size_t trailer_bytes);

}  // namespace drs
