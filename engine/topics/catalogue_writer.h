// Writes the catalogue of an archive: its stream 0.
#pragma once

#include <string>
#include <vector>

#include "engine/format/topic_catalogue.h"
#include "engine/pipeline/push/block_writer.h"

namespace drs {

// The label of stream 0.
inline constexpr std::string_view kCatalogueLabel = "catalogue";

struct CatalogueContent {
  TopicCatalogue catalogue;
  // For each topic and partition of `catalogue`; stream numbers are those of the new manifest.
  std::vector<std::vector<std::vector<CatalogueExtent>>> extents;
};

// Fills in what follows from the extents: places, counts, ranges and sums of each partition. Writes the stream.
// `blocks` has an empty current stream. Errors: BlockWriter's.
Result<ManifestStream> write_catalogue(BlockWriter& blocks, CatalogueContent& content);

}  // namespace drs
