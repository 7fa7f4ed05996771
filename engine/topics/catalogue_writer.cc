#include "engine/topics/catalogue_writer.h"

#include "engine/pipeline/push/block_filler.h"

namespace drs {

Result<ManifestStream> write_catalogue(BlockWriter& blocks, CatalogueContent& content) {
  BlockFiller filler(blocks);
  Bytes page;
  for (std::size_t t = 0; t < content.catalogue.topics.size(); ++t) {
    CatalogueTopic& topic = content.catalogue.topics[t];
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const std::vector<CatalogueExtent>& extents = content.extents[t][p];
      CataloguePartition& partition = topic.partitions[p];
      page.clear();
      ByteWriter writer(page);
      partition.records = 0;
      for (const CatalogueExtent& extent : extents) {
        write_catalogue_extent(writer, extent);
        partition.records += extent.records;
      }
      partition.extents = static_cast<std::uint32_t>(extents.size());
      if (!extents.empty()) {
        partition.from = extents.front().from;
        partition.to = extents.back().to;
      }
      DRS_RETURN_IF_ERROR(filler.write_together(page));
      partition.extents_place = filler.place() - page.size();
    }
  }
  DRS_RETURN_IF_ERROR(filler.write_together(encode_catalogue_end(content.catalogue, filler.place())));
  DRS_RETURN_IF_ERROR(filler.flush());
  return blocks.end_stream(std::string(kCatalogueLabel));
}

}  // namespace drs
