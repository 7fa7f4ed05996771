#include "tests/engine/format/topic_decoders.h"

#include "engine/format/record_block.h"
#include "engine/format/topic_catalogue.h"

namespace drs {
namespace {

// The last bytes of a stream, after its length.
struct StreamEnd {
  ByteView input;
  std::uint64_t stream_bytes = 0;
  ByteView bytes;

  static Result<StreamEnd> read(ByteView input, std::size_t trailer_bytes) {
    ByteReader reader(input, "test input");
    StreamEnd end{.input = input, .stream_bytes = reader.u64(), .bytes = input.last(reader.remaining())};
    DRS_RETURN_IF_ERROR(reader.check());
    if (end.bytes.size() < trailer_bytes || end.bytes.size() > end.stream_bytes)
      return Error(ErrorCode::kTruncated, "test input: shorter than a trailer, or longer than the stream");
    return end;
  }
  // The bytes between two places of the stream.
  [[nodiscard]] Result<ByteView> between(std::uint64_t begin, std::uint64_t end) const {
    const std::uint64_t first = stream_bytes - bytes.size();
    if (begin < first) return Error(ErrorCode::kTruncated, "test input: it begins behind the tables");
    return bytes.subspan(begin - first, end - begin);
  }
  // The input with other bytes from `place` on.
  [[nodiscard]] Bytes with(std::uint64_t place, const Bytes& rest) const {
    const ByteView front = input.first(input.size() - (stream_bytes - place));
    Bytes out(front.begin(), front.end());
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
  }
};

}  // namespace

Result<Bytes> reencode_record_block(ByteView input) {
  DRS_ASSIGN_OR_RETURN(RecordBlockReader reader, RecordBlockReader::open(input));
  RecordBlockBuilder builder;
  builder.begin(reader.header().topic, reader.header().partition);
  while (true) {
    DRS_ASSIGN_OR_RETURN(const Record* record, reader.next());
    if (record == nullptr) break;
    builder.add(*record);
  }
  Bytes out(builder.header().bytes);
  builder.encode(out);
  return out;
}

Result<Bytes> reencode_extent_index(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const ExtentIndex decoded, decode_extent_index(input));
  return encode_extent_index(decoded);
}

Result<Bytes> reencode_extent_page(ByteView input) {
  ByteReader reader(input, "test input");
  const std::uint32_t partition = reader.u32();
  const std::uint32_t count = reader.u32();
  const ByteView page = reader.raw(std::size_t{count} * kCatalogueExtentBytes);
  DRS_RETURN_IF_ERROR(reader.finish());
  DRS_ASSIGN_OR_RETURN(const auto decoded, decode_extent_page(page, partition));
  Bytes out;
  ByteWriter writer(out);
  writer.u32(partition);
  writer.u32(count);
  for (const CatalogueExtent& extent : decoded) write_catalogue_extent(writer, extent);
  return out;
}

Result<Bytes> reencode_segment_directory(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const StreamEnd end, StreamEnd::read(input, kSegmentTrailerBytes));
  DRS_ASSIGN_OR_RETURN(const SegmentTrailer trailer,
                       decode_segment_trailer(end.bytes.last(kSegmentTrailerBytes), end.stream_bytes));
  DRS_ASSIGN_OR_RETURN(const ByteView tables, end.between(trailer.topics_place, trailer.end_place));
  DRS_ASSIGN_OR_RETURN(const SegmentDirectory decoded, decode_segment_directory(trailer, tables));
  return end.with(trailer.topics_place, encode_segment_directory(decoded, trailer.topics_place));
}

Result<Bytes> reencode_catalogue(ByteView input) {
  DRS_ASSIGN_OR_RETURN(const StreamEnd end, StreamEnd::read(input, kCatalogueTrailerBytes));
  DRS_ASSIGN_OR_RETURN(const CatalogueTrailer trailer,
                       decode_catalogue_trailer(end.bytes.last(kCatalogueTrailerBytes), end.stream_bytes));
  DRS_ASSIGN_OR_RETURN(const ByteView sections, end.between(trailer.sections_place, trailer.end_place));
  DRS_ASSIGN_OR_RETURN(const TopicCatalogue decoded, decode_catalogue(trailer, sections));
  const Bytes again = encode_catalogue_end(decoded, trailer.sections_place);
  const auto trailer_again =
      decode_catalogue_trailer(ByteView(again).last(kCatalogueTrailerBytes), trailer.sections_place + again.size());
  if (trailer_again.ok() && trailer_again->sections == trailer.sections) return end.with(trailer.sections_place, again);
  return Bytes(input.begin(), input.end());
}

}  // namespace drs
