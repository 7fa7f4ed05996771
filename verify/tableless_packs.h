// Packs that were read to their end, but whose tables are damaged. A block of such a pack can still be restored if an
// index object locates it; whether it decodes is found out by reading it.
#pragma once

#include <cstdint>

#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"
#include "verify/check_context.h"

namespace drs {

struct TablelessCounts {
  std::uint64_t blocks = 0, decoded_bytes = 0;
};

// Reads the blocks that `index` locates in the packs of `context.tableless`. The damage map has these packs; this adds
// their intact blocks to it, and completes the findings about the packs. Errors: those that do not concern stored
// objects; kCancelled.
Result<TablelessCounts> check_tableless_packs(CheckContext& context, BlockIndex& index, BlockReader& reader);

}  // namespace drs
