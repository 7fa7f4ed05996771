// Writes the segment stream of a run (FORMAT.md "Segment stream"): record blocks of all partitions, in the order in
// which they fill, and what is needed to find them. Threads: one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/format/record_block.h"
#include "engine/format/segment_directory.h"
#include "engine/pipeline/push/block_filler.h"

namespace drs {

class SegmentWriter {
 public:
  // `blocks` outlives the writer; its current stream must be empty.
  explicit SegmentWriter(BlockWriter& blocks) : blocks_(blocks), filler_(blocks) {}

  // Returns the number of a topic in the topic table, to which it is added if it is new.
  std::uint32_t topic_number(const SegmentTopic& topic);
  // Encodes the records of `builder`, at least one, and empties it. Fills in place, bytes, offsets, times and count of
  // the result. Errors: BlockWriter's.
  Result<RecordBlockEntry> write(RecordBlockBuilder& builder);
  // Writes the index of an extent, and adds the extent, whose index place and bytes are filled in. Errors: as write.
  Result<void> add_extent(Extent& extent, const ExtentIndex& index);
  [[nodiscard]] const std::vector<Extent>& extents() const { return directory_.extents; }
  // Writes the tables and ends the stream. Errors: as write, and those of BlockWriter::end_stream.
  Result<ManifestStream> finish(std::string label);

 private:
  BlockWriter& blocks_;
  BlockFiller filler_;
  SegmentDirectory directory_;
  std::map<std::pair<std::string, Uuid>, std::uint32_t> topic_numbers_;
};

}  // namespace drs
