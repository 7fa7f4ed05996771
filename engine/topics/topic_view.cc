#include "engine/topics/topic_view.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/format/record_block_proof.h"

namespace drs {
namespace {

// More than any archive needs: 2,000 partitions take 200 kB, 8,192 topics with long configurations some MiB.
constexpr std::uint64_t kCatalogueEndBytesMax = 256 * kMiB;
constexpr std::uint64_t kExtentPageBytesMax = 64 * kMiB;

Error not_the_indexed_block(const CatalogueExtent& extent, const RecordBlockEntry& entry) {
  return {ErrorCode::kCorrupt, "the record block at " + std::to_string(entry.place) + " of stream " +
                                   std::to_string(extent.stream) + " is not the one that its index describes"};
}

void add_gap(PartitionDetail& detail, std::int64_t from, std::int64_t to, GapCause cause) {
  if (from < to) detail.gaps.push_back({from, static_cast<std::uint64_t>(to - from), cause});
}

// Of offsets that lie between two extents. The brokers no longer have those before the start of the log.
void add_hole(PartitionDetail& detail, std::int64_t from, std::int64_t to, std::int64_t log_start) {
  if (from >= to) return;
  detail.missing_offsets += static_cast<std::uint64_t>(to - from);
  ++detail.gaps_count;
  add_gap(detail, from, to, to <= log_start ? GapCause::kRetention : GapCause::kUnknown);
}

void add_extent(PartitionDetail& detail, const CatalogueExtent& extent, const ExtentIndex& index) {
  const Extent& stored = extent.extent;
  if (extent.records == stored.records) {
    detail.payload_bytes += stored.payload_bytes;
  } else {
    const double share = static_cast<double>(extent.records) / static_cast<double>(stored.records);
    detail.payload_bytes += static_cast<std::uint64_t>(share * static_cast<double>(stored.payload_bytes));
    detail.payload_is_estimated = true;
  }
  detail.missing_offsets += static_cast<std::uint64_t>(extent.to - extent.from) - extent.records;
  const std::size_t before = detail.gaps.size();
  for (const Gap& gap : index.gaps)
    add_gap(detail, std::max(gap.from, extent.from),
            std::min(gap.from + static_cast<std::int64_t>(gap.offsets), extent.to), gap.cause);
  const bool whole = extent.from == extent.extent.from && extent.to == extent.extent.to;
  detail.gaps_count += whole ? extent.extent.gaps : detail.gaps.size() - before;
}

}  // namespace

bool RecordWindow::meets(std::int64_t first_offset, std::int64_t last_offset, std::int64_t least_ms,
                         std::int64_t greatest_ms) const {
  return last_offset >= from && first_offset < to && (!since_ms || greatest_ms >= *since_ms) &&
         (!until_ms || least_ms < *until_ms);
}

bool RecordWindow::meets(const RecordBlockEntry& entry) const {
  return meets(entry.first_offset, entry.last_offset, entry.least_ms, entry.greatest_ms);
}

bool RecordWindow::holds(const Record& record) const {
  return meets(record.offset, record.offset, record.timestamp_ms, record.timestamp_ms);
}

bool RecordWindow::holds_all_of(const RecordBlockEntry& entry) const {
  const bool may_change = zero_as_one && entry.least_ms <= 0 && entry.greatest_ms >= 0;
  return !by_time() && !may_change && entry.first_offset >= from && entry.last_offset < to;
}

RecordWindow RecordWindow::within(const CatalogueExtent& extent) const {
  RecordWindow window = *this;
  window.from = std::max(from, extent.from);
  window.to = std::min(to, extent.to);
  return window;
}

Result<bool> visit_records(ByteView block, const RecordWindow& window, const VisitRecord& visit) {
  DRS_ASSIGN_OR_RETURN(RecordBlockReader records, RecordBlockReader::open(block));
  for (;;) {
    DRS_ASSIGN_OR_RETURN(const Record* const record, records.next());
    if (record == nullptr) return true;
    if (!window.holds(*record)) continue;
    const Record* wanted = record;
    Record changed;
    if (window.zero_as_one && record->timestamp_ms == 0) {
      changed = *record;
      changed.timestamp_ms = 1;
      wanted = &changed;
    }
    DRS_ASSIGN_OR_RETURN(const bool more, visit(*wanted));
    if (!more) return false;
  }
}

TopicView::TopicView(BlockIndex& index, BlockReader reader, Manifest manifest)
    : reader_(std::make_unique<BlockReader>(std::move(reader))),
      directories_(index, *reader_),
      data_(directories_.beside()),
      manifest_(std::move(manifest)) {}

Result<std::unique_ptr<TopicView>> TopicView::open(Repository& repository, ObjectStore& store, BlockIndex& index,
                                                   const Snapshot& snapshot) {
  const ManifestContent content = snapshot.manifest.content;
  if (content != ManifestContent::kTopics)
    return Error(ErrorCode::kUsage, "snapshot " + snapshot.id() + " of " + snapshot.manifest.stream + " holds " +
                                        std::string(content_name(content)) + ", not topics");
  DRS_ASSIGN_OR_RETURN(Manifest manifest, read_manifest(repository, store, snapshot));
  DRS_ASSIGN_OR_RETURN(BlockReader reader, BlockReader::make(repository, store));
  std::unique_ptr<TopicView> view(new TopicView(index, std::move(reader), std::move(manifest)));
  auto loaded = view->load_catalogue();
  if (!loaded.ok())
    return std::move(loaded).error().with_context("catalogue of snapshot " + snapshot.id() + " of " +
                                                  snapshot.manifest.stream);
  return view;
}

Result<void> TopicView::load_catalogue() {
  const ManifestStream& stream = manifest_.streams.front();
  if (stream.bytes < kCatalogueTrailerBytes)
    return Error(ErrorCode::kTruncated, "it has " + std::to_string(stream.bytes) + " bytes");
  const std::uint64_t trailer_place = stream.bytes - kCatalogueTrailerBytes;
  DRS_ASSIGN_OR_RETURN(const Bytes last, directories_.read(stream, trailer_place, kCatalogueTrailerBytes));
  DRS_ASSIGN_OR_RETURN(const CatalogueTrailer trailer, decode_catalogue_trailer(last, stream.bytes));
  const std::uint64_t bytes = trailer.end_place - trailer.sections_place;
  if (bytes > kCatalogueEndBytesMax)
    return Error(ErrorCode::kCorrupt, "its sections have " + std::to_string(bytes) + " bytes");
  DRS_ASSIGN_OR_RETURN(const Bytes sections, directories_.read(stream, trailer.sections_place, bytes));
  DRS_ASSIGN_OR_RETURN(catalogue_, decode_catalogue(trailer, sections));
  return {};
}

const CatalogueTopic* TopicView::find(std::string_view topic) const {
  const auto& topics = catalogue_.topics;
  // Sorted by name and generation: the last of the name is the newest.
  const auto after = std::ranges::upper_bound(topics, topic, {}, &CatalogueTopic::name);
  if (after == topics.begin() || std::prev(after)->name != topic) return nullptr;
  return &*std::prev(after);
}

Result<std::vector<CatalogueExtent>> TopicView::extents(const CataloguePartition& partition) {
  const std::uint64_t bytes = std::uint64_t{partition.extents} * kCatalogueExtentBytes;
  if (bytes > kExtentPageBytesMax)
    return Error(ErrorCode::kCorrupt, "partition " + std::to_string(partition.number) + " has " +
                                          std::to_string(partition.extents) + " extents");
  DRS_ASSIGN_OR_RETURN(const Bytes page, directories_.read(manifest_.streams.front(), partition.extents_place, bytes));
  DRS_ASSIGN_OR_RETURN(std::vector<CatalogueExtent> extents, decode_extent_page(page, partition.number));
  for (const CatalogueExtent& extent : extents)
    if (extent.stream >= manifest_.streams.size())
      return Error(ErrorCode::kCorrupt, "an extent lies in stream " + std::to_string(extent.stream) +
                                            ", the snapshot has " + std::to_string(manifest_.streams.size()));
  return extents;
}

Result<ExtentIndex> TopicView::index(const CatalogueExtent& extent) {
  const ManifestStream& stream = manifest_.streams[extent.stream];
  DRS_ASSIGN_OR_RETURN(const Bytes bytes,
                       directories_.read(stream, extent.extent.index_place, extent.extent.index_bytes));
  auto index = decode_extent_index(bytes);
  if (!index.ok()) return std::move(index).error().with_context("stream " + stream.label);
  return index;
}

// Reads the indexes of one segment stream after the other: those of a short one lie in one block.
Result<std::vector<PartitionDetail>> TopicView::details(const CatalogueTopic& topic) {
  std::vector<PartitionDetail> details(topic.partitions.size());
  std::vector<std::pair<CatalogueExtent, PartitionDetail*>> all;
  for (std::size_t i = 0; i < details.size(); ++i) {
    DRS_ASSIGN_OR_RETURN(const std::vector<CatalogueExtent> extents, this->extents(topic.partitions[i]));
    for (std::size_t e = 0; e < extents.size(); ++e) {
      if (e > 0) add_hole(details[i], extents[e - 1].to, extents[e].from, topic.partitions[i].log_start);
      all.emplace_back(extents[e], &details[i]);
    }
  }
  std::ranges::sort(all, {},
                    [](const auto& entry) { return std::pair(entry.first.stream, entry.first.extent.index_place); });
  for (const auto& [extent, detail] : all) {
    DRS_ASSIGN_OR_RETURN(const ExtentIndex blocks, index(extent));
    add_extent(*detail, extent, blocks);
  }
  for (PartitionDetail& detail : details) std::ranges::sort(detail.gaps, {}, &Gap::from);
  return details;
}

Result<Bytes> TopicView::record_block(const CatalogueExtent& extent, const RecordBlockEntry& entry) {
  DRS_ASSIGN_OR_RETURN(Bytes bytes, data_.read(manifest_.streams[extent.stream], entry.place, entry.bytes));
  DRS_ASSIGN_OR_RETURN(const RecordBlockHeader header, decode_record_block_header(bytes));
  if (!is_described_by(header, extent.extent, entry)) return not_the_indexed_block(extent, entry);
  return bytes;
}

Result<bool> TopicView::visit_block(const CatalogueExtent& extent, const RecordBlockEntry& entry,
                                    const RecordWindow& window, const VisitRecord& visit) {
  DRS_ASSIGN_OR_RETURN(const Bytes bytes, record_block(extent, entry));
  return visit_records(bytes, window, visit);
}

Result<CatalogueExtent> TopicView::clip(CatalogueExtent extent, std::int64_t from, std::int64_t to) {
  if (from <= extent.from && to >= extent.to) return extent;
  DRS_ASSERT(from < extent.to && to > extent.from, "a window is clipped inside");
  DRS_ASSIGN_OR_RETURN(const ExtentIndex blocks, index(extent));
  const RecordWindow window = RecordWindow{.from = from, .to = to}.within(extent);
  extent.from = window.from;
  extent.to = window.to;
  extent.records = 0;
  extent.digest = {};
  Bytes row;
  const auto count = [&](const Record& record) -> Result<bool> {
    ++extent.records;
    extent.digest.add(record_hash(record, row));
    return true;
  };
  for (const RecordBlockEntry& entry : blocks.blocks) {
    if (!window.meets(entry)) continue;
    if (window.holds_all_of(entry)) {
      extent.records += entry.records;
      extent.digest.append(entry.digest, entry.records);
      continue;
    }
    const auto counted = visit_block(extent, entry, window, count);
    if (!counted.ok()) return counted.error();
  }
  return extent;
}

Result<void> TopicView::visit(const CataloguePartition& partition, const RecordWindow& window,
                              const VisitRecord& visit) {
  DRS_ASSIGN_OR_RETURN(const std::vector<CatalogueExtent> extents, this->extents(partition));
  for (const CatalogueExtent& extent : extents) {
    const Extent& whole = extent.extent;
    // Behind the last record there may be a gap.
    const std::int64_t last_offset = std::min(extent.to - 1, whole.last_offset);
    if (whole.records == 0 || !window.meets(extent.from, last_offset, whole.least_ms, whole.greatest_ms)) continue;
    const RecordWindow within = window.within(extent);
    DRS_ASSIGN_OR_RETURN(const ExtentIndex blocks, index(extent));
    for (const RecordBlockEntry& entry : blocks.blocks) {
      if (!within.meets(entry)) continue;
      DRS_ASSIGN_OR_RETURN(const bool more, visit_block(extent, entry, within, visit));
      if (!more) return {};
    }
  }
  return {};
}

}  // namespace drs
