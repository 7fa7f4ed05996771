// Packs that were read to their end, but whose tables are damaged. Their blocks can be restored all the same where an
// index object says where they lie; only reading them tells.
#pragma once

#include <cstdint>

#include "engine/repository/block_index.h"
#include "engine/repository/block_reader.h"
#include "verify/check_context.h"

namespace drs {

struct TablelessCounts {
  std::uint64_t blocks = 0, decoded_bytes = 0;
};

// Reads what `index` locates in `context.tableless`: the damage map, which has all of these packs, learns which blocks
// are whole. What the findings say of the packs is completed. Errors: those that are not about stored objects;
// kCancelled.
Result<TablelessCounts> check_tableless_packs(CheckContext& context, BlockIndex& index, BlockReader& reader);

}  // namespace drs
