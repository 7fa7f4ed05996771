// Whether a new snapshot may name a stream of an earlier one again: its blocks must all lie in packs that exist and
// that no prune has condemned.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/format/manifest.h"
#include "engine/repository/block_index.h"
#include "engine/repository/pack_catalog.h"
#include "engine/repository/stream_range.h"
#include "sinks/object_store.h"

namespace drs {

// Bytes [begin, end) of a stream.
struct StreamSpan {
  std::uint64_t begin_bytes = 0;
  std::uint64_t end_bytes = 0;
};

// The parts of a stream that are lost, or that a prune may delete; a recipe block takes all with it that it describes.
// Reads nothing as long as every pack of the stream's session is good. Errors: the store's.
Result<std::vector<StreamSpan>> lost_ranges(const ManifestStream& stream, BlockIndex& index, const PackCatalog& packs,
                                            StreamRange& reader);

// The packs and index objects that hold and locate the blocks of a session: to be secured before a snapshot is
// committed that names its streams again.
std::vector<ObjectKey> objects_of_session(const Uuid& session, const BlockIndex& index, const PackCatalog& packs);

}  // namespace drs
