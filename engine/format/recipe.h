// Recipe parts: the ordered runs of chunks that make up a slice of one stream (FORMAT.md "Recipe part").
#pragma once

#include <vector>

#include "engine/format/kinds.h"
#include "io/base/bytes.h"
#include "io/base/result.h"

namespace drs {

struct Run {
  std::uint32_t block = 0;  // index into RecipePart::blocks
  std::uint32_t chunk_first = 0;
  std::uint32_t chunk_count = 0;
  std::uint32_t offset_bytes = 0;  // of the first chunk in the block's plaintext
  std::uint64_t bytes = 0;         // never 0
  friend bool operator==(const Run&, const Run&) = default;
};

struct RecipePart {
  std::uint64_t stream_offset_bytes = 0;
  std::uint64_t stream_bytes = 0;
  std::vector<BlockId> blocks;  // unique
  std::vector<Run> runs;
  friend bool operator==(const RecipePart&, const RecipePart&) = default;
};

// Returns the plaintext of a recipe block.
Bytes encode_recipe_part(const RecipePart& part);
// The size of an encoding: a header, and per run and per block of the dictionary the results of the functions below.
// The constants are their upper bounds (the largest run of the largest part; a session not listed before). The writer
// uses them to close a part in time.
inline constexpr std::size_t kRecipePartHeaderBytes = 28;
inline constexpr std::size_t kRunBytesMax = 5 * 3;
inline constexpr std::size_t kDictionaryEntryBytesMax = Uuid::kBytes + 3 + 10;
std::size_t recipe_run_bytes(const Run& run);
std::size_t dictionary_entry_bytes(std::uint32_t session_number, std::uint64_t counter);
// Errors: kTruncated, kCorrupt (a run outside its block, runs that do not sum to stream_bytes, a block listed twice).
Result<RecipePart> decode_recipe_part(ByteView plain);

}  // namespace drs
