// Reads the table at the end of a stored pack, with two small reads.
#pragma once

#include <vector>

#include "engine/format/pack.h"
#include "engine/repository/repository.h"

namespace drs {

struct PackTable {
  ObjectOpener opener;
  Salt salt;
  std::vector<TableBlock> blocks;
};

// Errors: kTruncated, kCorrupt, kFormatTooNew; the store's.
Result<PackTable> read_pack_table(Repository& repository, ObjectStore& store, const Digest& pack,
                                  std::uint64_t pack_bytes);

}  // namespace drs
