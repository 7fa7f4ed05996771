#include "engine/topics/segment_writer.h"

#include <utility>

namespace drs {

static_assert(kRecordBlockBytesMax <= kWholeBlockBytesMax, "a record block must fit into a block");

std::uint32_t SegmentWriter::topic_number(const SegmentTopic& topic) {
  const auto next = static_cast<std::uint32_t>(directory_.topics.size());
  const auto [found, added] = topic_numbers_.emplace(std::pair(topic.name, topic.id), next);
  if (added) directory_.topics.push_back(topic);
  return found->second;
}

Result<RecordBlockEntry> SegmentWriter::write(RecordBlockBuilder& builder) {
  const RecordBlockHeader header = builder.header();
  RecordBlockEntry entry{.bytes = header.bytes,
                         .first_offset = header.first_offset,
                         .last_offset = header.last_offset,
                         .records = header.records,
                         .least_ms = header.least_ms,
                         .greatest_ms = header.greatest_ms,
                         .digest = {}};
  if (header.bytes <= kWholeBlockBytesMax) {
    DRS_ASSIGN_OR_RETURN(const MutableByteView out, filler_.take(header.bytes));
    entry.place = filler_.place() - header.bytes;
    builder.encode(out);
    return entry;
  }
  // One record that is larger than a block.
  DRS_RETURN_IF_ERROR(filler_.flush());
  entry.place = filler_.place();
  Bytes encoded(header.bytes);
  builder.encode(encoded);
  DRS_RETURN_IF_ERROR(filler_.write(encoded));
  return entry;
}

Result<void> SegmentWriter::add_extent(Extent& extent, const ExtentIndex& index) {
  const Bytes encoded = encode_extent_index(index);
  DRS_RETURN_IF_ERROR(filler_.write_together(encoded));
  extent.index_place = filler_.place() - encoded.size();
  extent.index_bytes = static_cast<std::uint32_t>(encoded.size());
  directory_.extents.push_back(extent);
  return {};
}

Result<ManifestStream> SegmentWriter::finish(std::string label) {
  DRS_RETURN_IF_ERROR(filler_.write(encode_segment_directory(directory_, filler_.place())));
  DRS_RETURN_IF_ERROR(filler_.flush());
  return blocks_.end_stream(std::move(label));
}

}  // namespace drs
