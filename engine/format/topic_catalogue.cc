#include "engine/format/topic_catalogue.h"

#include <algorithm>
#include <limits>

#include "codecs/xxh3.h"
#include "engine/format/catalogue_sections.h"
#include "engine/format/corrupt.h"
#include "engine/format/stored_digest.h"
#include "engine/format/stream_trailer.h"

namespace drs {
namespace {

constexpr std::string_view kPage = "extent page";
constexpr std::string_view kTrailer = "trailer of a catalogue";
constexpr TrailerMagic kMagic{.text = "drs-cat", .version = 1};
constexpr std::size_t kSectionEntryBytes = 24;

// Errors: kTruncated, kCorrupt.
Result<CatalogueExtent> read_catalogue_extent(ByteReader& reader) {
  CatalogueExtent entry;
  entry.stream = reader.u32();
  entry.from = reader.i64();
  entry.to = reader.i64();
  entry.records = reader.u64();
  DRS_ASSIGN_OR_RETURN(entry.digest, read_record_digest(reader, kPage));
  DRS_ASSIGN_OR_RETURN(entry.extent, read_extent(reader, kPage));
  return entry;
}

Result<void> check_window(const CatalogueExtent& entry) {
  const Extent& extent = entry.extent;
  if (entry.from < extent.from || entry.to < entry.from || entry.to > extent.to)
    return corrupt(kPage, ": a window from ", entry.from, " to ", entry.to, " of an extent from ", extent.from, " to ",
                   extent.to);
  const auto offsets = static_cast<std::uint64_t>(entry.to - entry.from);
  const std::uint64_t outside = static_cast<std::uint64_t>(extent.to - extent.from) - offsets;
  if (entry.records > offsets || entry.records > extent.records || extent.records - entry.records > outside)
    return corrupt(kPage, ": a window of ", offsets, " offsets has ", entry.records, " of the ", extent.records,
                   " records of its extent");
  if (entry.records == 0 && entry.digest != RecordDigest())
    return corrupt(kPage, ": a window without records has a digest of some");
  if (entry.from == extent.from && entry.records == extent.records && entry.digest != extent.digest)
    return corrupt(kPage, ": a window of all records has another digest than its extent");
  return {};
}

// A section of the catalogue as its table describes it.
struct SectionEntry {
  std::uint16_t kind = 0;
  ByteView bytes;
};

Result<SectionEntry> read_section_entry(ByteReader& table, ByteView sections, std::uint64_t place,
                                        std::uint64_t sections_place) {
  SectionEntry entry;
  entry.kind = table.u16();
  const std::uint16_t zero = table.u16();
  const std::uint32_t zeros = table.u32();
  const std::uint64_t stated_place = table.u64();
  const std::uint64_t bytes = table.u64();
  DRS_RETURN_IF_ERROR(table.check());
  if (zero != 0 || zeros != 0) return corrupt(kCatalogue, ": reserved bytes of section ", entry.kind, " are not zero");
  const std::uint64_t begin = place - sections_place;
  if (stated_place != place || bytes > sections.size() - begin)
    return corrupt(kCatalogue, ": section ", entry.kind, " has ", bytes, " bytes at ", stated_place,
                   ", expected at most ", sections.size() - begin, " at ", place);
  entry.bytes = sections.subspan(begin, bytes);
  return entry;
}

// The sections, sorted by kind and one after the other.
Result<std::vector<SectionEntry>> read_section_table(const CatalogueTrailer& trailer, ByteView bytes) {
  const std::uint64_t sections_bytes = trailer.table_place - trailer.sections_place;
  const ByteView sections = bytes.first(sections_bytes);
  ByteReader table(bytes.subspan(sections_bytes), kCatalogue);
  std::vector<SectionEntry> entries(trailer.sections);
  std::uint64_t place = trailer.sections_place;
  std::uint16_t kind_before = 0;
  for (SectionEntry& entry : entries) {
    DRS_ASSIGN_OR_RETURN(entry, read_section_entry(table, sections, place, trailer.sections_place));
    if (entry.kind <= kind_before) return corrupt(kCatalogue, ": section ", entry.kind, " is out of order");
    kind_before = entry.kind;
    place += entry.bytes.size();
  }
  DRS_RETURN_IF_ERROR(table.finish());
  if (place != trailer.table_place)
    return corrupt(kCatalogue, ": sections end at ", place, ", their table begins at ", trailer.table_place);
  return entries;
}

const SectionEntry* find_section(const std::vector<SectionEntry>& entries, CatalogueSection kind) {
  const auto found = std::ranges::find(entries, static_cast<std::uint16_t>(kind), &SectionEntry::kind);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

void write_catalogue_extent(ByteWriter& writer, const CatalogueExtent& extent) {
  writer.u32(extent.stream);
  writer.i64(extent.from);
  writer.i64(extent.to);
  writer.u64(extent.records);
  writer.raw(extent.digest.stored().view());
  write_extent(writer, extent.extent);
}

Result<std::vector<CatalogueExtent>> decode_extent_page(ByteView page, std::uint32_t partition) {
  if (page.size() % kCatalogueExtentBytes != 0)
    return Error(ErrorCode::kTruncated,
                 std::string(kPage) + ": " + std::to_string(page.size()) + " bytes are no whole number of extents");
  ByteReader reader(page, kPage);
  std::vector<CatalogueExtent> extents(page.size() / kCatalogueExtentBytes);
  std::int64_t end = 0;
  for (CatalogueExtent& entry : extents) {
    DRS_ASSIGN_OR_RETURN(entry, read_catalogue_extent(reader));
    if (entry.stream == 0) return corrupt(kPage, ": an extent in the catalogue's own stream");
    if (entry.extent.partition != partition)
      return corrupt(kPage, ": an extent of partition ", entry.extent.partition, ", expected ", partition);
    DRS_RETURN_IF_ERROR(check_window(entry));
    if (entry.from < end) return corrupt(kPage, ": a window from ", entry.from, " after one to ", end);
    end = entry.to;
  }
  return extents;
}

Bytes encode_catalogue_end(const TopicCatalogue& catalogue, std::uint64_t place) {
  const std::vector<EncodedSection> sections = encode_catalogue_sections(catalogue);
  Bytes out;
  ByteWriter writer(out);
  for (const EncodedSection& section : sections) writer.raw(section.bytes);
  const std::uint64_t table_place = place + out.size();
  std::uint64_t section_place = place;
  for (const EncodedSection& section : sections) {
    writer.u16(static_cast<std::uint16_t>(section.kind));
    writer.u16(0);
    writer.u32(0);
    writer.u64(section_place);
    writer.u64(section.bytes.size());
    section_place += section.bytes.size();
  }
  const std::uint64_t end_place = place + out.size();
  const Xxh3Digest xxh3 = xxh3_128(out);
  kMagic.write(writer);
  writer.u64(place);
  writer.u64(table_place);
  writer.u64(end_place);
  writer.u32(static_cast<std::uint32_t>(sections.size()));
  writer.u32(0);
  writer.u64(0);
  writer.raw(xxh3.view());
  return out;
}

Result<CatalogueTrailer> decode_catalogue_trailer(ByteView bytes, std::uint64_t stream_bytes) {
  ByteReader reader(bytes, kTrailer);
  DRS_RETURN_IF_ERROR(kMagic.read(reader, kTrailer));
  CatalogueTrailer trailer;
  trailer.sections_place = reader.u64();
  trailer.table_place = reader.u64();
  trailer.end_place = reader.u64();
  trailer.sections = reader.u32();
  const std::uint32_t zero = reader.u32();
  const std::uint64_t zeros = reader.u64();
  trailer.xxh3 = reader.fixed<16>();
  DRS_RETURN_IF_ERROR(reader.finish());
  if (zero != 0 || zeros != 0) return corrupt(kTrailer, ": reserved bytes are not zero");
  DRS_RETURN_IF_ERROR(check_trailer_place(trailer.end_place, stream_bytes, kCatalogueTrailerBytes, kTrailer));
  if (trailer.sections_place > trailer.table_place || trailer.table_place > trailer.end_place ||
      trailer.end_place - trailer.table_place != std::uint64_t{trailer.sections} * kSectionEntryBytes)
    return corrupt(kTrailer, ": the table of ", trailer.sections, " sections from ", trailer.sections_place,
                   " on lies at ", trailer.table_place, " to ", trailer.end_place);
  return trailer;
}

Result<TopicCatalogue> decode_catalogue(const CatalogueTrailer& trailer, ByteView bytes) {
  DRS_RETURN_IF_ERROR(check_trailed(bytes, trailer.end_place - trailer.sections_place, trailer.xxh3, kCatalogue));
  DRS_ASSIGN_OR_RETURN(const std::vector<SectionEntry> entries, read_section_table(trailer, bytes));
  const SectionEntry* topics = find_section(entries, CatalogueSection::kTopics);
  const SectionEntry* groups = find_section(entries, CatalogueSection::kGroups);
  const SectionEntry* cluster = find_section(entries, CatalogueSection::kCluster);
  if (topics == nullptr || cluster == nullptr)
    return corrupt(kCatalogue, ": it has no section of topics, or none of the cluster");
  TopicCatalogue catalogue;
  DRS_ASSIGN_OR_RETURN(catalogue.topics, decode_catalogue_topics(topics->bytes, trailer.sections_place));
  if (groups != nullptr) {
    DRS_ASSIGN_OR_RETURN(catalogue.groups, decode_catalogue_groups(groups->bytes));
  }
  DRS_ASSIGN_OR_RETURN(catalogue.cluster, decode_catalogue_cluster(cluster->bytes));
  return catalogue;
}

}  // namespace drs
