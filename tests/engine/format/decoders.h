// Every decoder of the format behind one shape, for the golden, malformed and fuzz tests: an input goes in, and what
// the decoder read comes out encoded again. The format is canonical, so it must be the input.
#pragma once

#include <span>
#include <string_view>

#include "io/bytes.h"
#include "io/result.h"

namespace drs {

// Decoders that need to know more than a plaintext take it in front of the input:
//   pack_table                        u64 offset of the table in the pack
//   pack_footer, index_footer         u64 bytes of the object
//   index_summary                     u64 bytes of the object
//   index_directory, index_hooks      u64 bytes of the object, u32 length and plaintext of the summary
//   chunk_list                        u32 length of the block
// document and slot have no key to encode again with and give back the input; document takes u8 kind and string name
// in front, and the keys of the golden repository.
struct FormatDecoder {
  std::string_view name;
  Result<Bytes> (*reencode)(ByteView input);
};

std::span<const FormatDecoder> format_decoders();

// Aborts unless the decoder of that name either refuses `input` or gives it back.
void check_canonical(std::string_view decoder, ByteView input);
// The same, also for `input` with its last 32 bytes replaced by the digest that they should be, of the object that
// begins at `object_at`: no fuzzer guesses it.
void check_canonical_with_digest(std::string_view decoder, ByteView input, std::size_t object_at = 0);

}  // namespace drs
