// Finds what is wrong with a pack by reading all of it: its SHA-256 against its name, its table, and every block, which
// is opened, decompressed and compared with its XXH3 and its chunk ids. The SHA-256 alone proves little: a writer with
// faulty memory, or anyone who can write to the store, can store damaged blocks under a name that fits them. Threads:
// one. Blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/format/marks.h"
#include "engine/repository/block_mover.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/repository.h"
#include "io/base/cancel.h"

namespace drs {

struct PackFlaws {
  std::string problem;
  bool everywhere = false;           // the pack cannot be read, or its table
  std::vector<DamagedBlock> blocks;  // else: those that do not decode; none if only other bytes are wrong
};

// Empty: the pack is whole. `prover` reads from the store of `repository`. What seems damaged is read twice. Errors:
// kNotFound (there is no such pack), kFormatTooNew, kCancelled, the store's.
Result<std::optional<PackFlaws>> find_flaws(Repository& repository, BlockMover& prover, const PackInfo& pack,
                                            const CancelToken& cancel);

}  // namespace drs
