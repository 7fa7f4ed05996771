// Recipe parts: the ordered runs of chunks that rebuild a slice of one stream (FORMAT.md "Recipe part").
#pragma once

#include <vector>

#include "engine/format/kinds.h"
#include "io/bytes.h"
#include "io/result.h"

namespace drs {

struct Run {
  std::uint32_t block = 0;  // place in RecipePart::blocks
  std::uint32_t chunk_first = 0;
  std::uint32_t chunk_count = 0;
  std::uint32_t offset_bytes = 0;  // of the first chunk in the block's plaintext
  std::uint64_t bytes = 0;         // never 0
  friend bool operator==(const Run&, const Run&) = default;
};

struct RecipePart {
  std::uint64_t stream_offset_bytes = 0;
  std::uint64_t stream_bytes = 0;
  std::vector<BlockId> blocks;  // each once
  std::vector<Run> runs;
  friend bool operator==(const RecipePart&, const RecipePart&) = default;
};

// Plaintext of a recipe block.
Bytes encode_recipe_part(const RecipePart& part);
// What an encoding takes: a header, and for each run and each block of the dictionary this much, at most the bounds
// below (the largest run of the largest part; a session that was not listed before). For closing a part in time.
inline constexpr std::size_t kRecipePartHeaderBytes = 28;
inline constexpr std::size_t kRunBytesMax = 5 * 3;
inline constexpr std::size_t kDictionaryEntryBytesMax = Uuid::kBytes + 3 + 10;
std::size_t recipe_run_bytes(const Run& run);
std::size_t dictionary_entry_bytes(std::uint32_t session_number, std::uint64_t counter);
// Errors: kTruncated, kCorrupt (runs outside a block, sum of bytes is not stream_bytes, a block listed twice).
Result<RecipePart> decode_recipe_part(ByteView plain);

}  // namespace drs
