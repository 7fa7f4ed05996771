#include "verify/topic_check.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "codecs/record_digest.h"
#include "io/base/error_class.h"
#include "verify/recipe_check.h"

namespace drs {
namespace {

// As many times as a prune may take away, during the check of one archive, what the lists name.
constexpr int kAttemptsMax = 3;
constexpr std::uint64_t kDirectoryBytesMax = 256 * kMiB;

Error disagrees(const CatalogueExtent& extent, const std::string& what) {
  return {ErrorCode::kCorrupt, "extent of partition " + std::to_string(extent.extent.partition) + " at " +
                                   std::to_string(extent.extent.index_place) + " of stream " +
                                   std::to_string(extent.stream) + ": " + what};
}

Xxh3Digest digest_of(const Extent& extent) {
  Bytes stored;
  ByteWriter writer(stored);
  write_extent(writer, extent);
  return xxh3_128(stored);
}

// An extent in any snapshot: streams with equal contents have equal extents.
std::string identity_of(const ManifestStream& stream, const Extent& extent) {
  return stream.xxh3.hex() + ":" + std::to_string(stream.bytes) + ":" + std::to_string(extent.index_place);
}

}  // namespace

Result<void> TopicCheck::check(const Snapshot& snapshot) {
  for (int attempt = 1;; ++attempt) {
    const auto checked = [&]() -> Result<void> {
      DRS_ASSIGN_OR_RETURN(const auto view,
                           TopicView::open(context_.repository, context_.repository.store(), index_.index(), snapshot));
      return check_archive(*view);
    }();
    if (checked.ok()) return {};
    bool changed = false;
    if (is_absent(checked.error()) && attempt < kAttemptsMax) {
      DRS_ASSIGN_OR_RETURN(changed, index_.list_again());
    }
    if (!changed) return report_lost_manifest(context_, snapshot, checked.error());
  }
}

Result<void> TopicCheck::check_archive(TopicView& view) {
  std::vector<Named> named;
  for (const CatalogueTopic& topic : view.catalogue().topics) {
    for (const CataloguePartition& partition : topic.partitions) {
      auto checked = check_partition(view, topic, partition, named);
      if (!checked.ok()) return std::move(checked).error().with_context("topic " + topic.name);
    }
  }
  std::ranges::sort(named, {}, [](const Named& entry) { return std::tuple(entry.stream, entry.index_place); });
  for (auto begin = named.begin(); begin != named.end();) {
    const auto end =
        std::find_if(begin, named.end(), [&](const Named& entry) { return entry.stream != begin->stream; });
    auto checked = check_directory(view, {begin, end});
    if (!checked.ok())
      return std::move(checked).error().with_context("directory of stream " +
                                                     view.manifest().streams[begin->stream].label);
    begin = end;
  }
  return {};
}

Result<void> TopicCheck::check_partition(TopicView& view, const CatalogueTopic& topic,
                                         const CataloguePartition& partition, std::vector<Named>& named) {
  DRS_ASSIGN_OR_RETURN(const std::vector<CatalogueExtent> extents, view.extents(partition));
  std::uint64_t records = 0;
  for (const CatalogueExtent& extent : extents) {
    if (context_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
    named.push_back({extent.stream, extent.extent.index_place, digest_of(extent.extent), topic.name});
    const std::string identity = identity_of(view.manifest().streams[extent.stream], extent.extent);
    if (!checked_.contains(identity)) {
      DRS_RETURN_IF_ERROR(check_extent(view, extent));
      checked_.insert(identity);
    }
    // The window: as the index and, at its ends, the records show it.
    const Extent& whole = extent.extent;
    DRS_ASSIGN_OR_RETURN(
        const CatalogueExtent window,
        view.clip({extent.stream, whole.from, whole.to, whole.records, whole.digest, whole}, extent.from, extent.to));
    if (window.records != extent.records || window.digest != extent.digest)
      return disagrees(extent, "its window has " + std::to_string(window.records) + " records, or others, expected " +
                                   std::to_string(extent.records));
    records += extent.records;
  }
  if (records != partition.records)
    return Error(ErrorCode::kCorrupt, "partition " + std::to_string(partition.number) + " has " +
                                          std::to_string(records) + " records, the catalogue says " +
                                          std::to_string(partition.records));
  return {};
}

Result<void> TopicCheck::check_extent(TopicView& view, const CatalogueExtent& extent) {
  DRS_ASSIGN_OR_RETURN(const ExtentIndex index, view.index(extent));
  std::uint64_t records = 0;
  RecordDigest digest;
  for (const RecordBlockEntry& entry : index.blocks) {
    if (entry.first_offset < extent.extent.from || entry.last_offset >= extent.extent.to)
      return disagrees(extent, "a record block lies outside");
    records += entry.records;
    digest.append(entry.digest, entry.records);
  }
  if (records != extent.extent.records || digest != extent.extent.digest)
    return disagrees(extent, "its index names " + std::to_string(records) + " records, or others, expected " +
                                 std::to_string(extent.extent.records));
  return context_.options.read_data ? check_blocks(view, extent, index) : Result<void>();
}

Result<void> TopicCheck::check_blocks(TopicView& view, const CatalogueExtent& extent, const ExtentIndex& index) {
  for (const RecordBlockEntry& entry : index.blocks) {
    if (context_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "asked to stop");
    std::uint64_t records = 0;
    RecordDigest digest;
    const auto visited = view.visit_block(extent, entry, {}, [&](const Record& record) -> Result<bool> {
      ++records;
      digest.add(record_hash(record, row_));
      return true;
    });
    if (!visited.ok()) return visited.error();
    if (records != entry.records || digest != entry.digest)
      return disagrees(
          extent, "the records of its block at " + std::to_string(entry.place) + " are others than its index states");
    records_ += records;
  }
  return {};
}

Result<void> TopicCheck::check_directory(TopicView& view, std::span<const Named> named) {
  const ManifestStream& stream = view.manifest().streams[named.front().stream];
  if (stream.bytes < kSegmentTrailerBytes)
    return Error(ErrorCode::kTruncated, "it has " + std::to_string(stream.bytes) + " bytes");
  StreamRange& range = view.directories();
  DRS_ASSIGN_OR_RETURN(const Bytes last, range.read(stream, stream.bytes - kSegmentTrailerBytes, kSegmentTrailerBytes));
  DRS_ASSIGN_OR_RETURN(const SegmentTrailer trailer, decode_segment_trailer(last, stream.bytes));
  const std::uint64_t bytes = trailer.end_place - trailer.topics_place;
  if (bytes > kDirectoryBytesMax)
    return Error(ErrorCode::kCorrupt, "its tables have " + std::to_string(bytes) + " bytes");
  DRS_ASSIGN_OR_RETURN(const Bytes tables, range.read(stream, trailer.topics_place, bytes));
  DRS_ASSIGN_OR_RETURN(SegmentDirectory directory, decode_segment_directory(trailer, tables));
  std::ranges::sort(directory.extents, {}, &Extent::index_place);
  for (const Named& entry : named) {
    const auto found = std::ranges::lower_bound(directory.extents, entry.index_place, {}, &Extent::index_place);
    if (found == directory.extents.end() || digest_of(*found) != entry.extent)
      return Error(ErrorCode::kCorrupt, "it does not name the extent at " + std::to_string(entry.index_place) +
                                            ", which the catalogue does");
    if (found->topic >= directory.topics.size() || directory.topics[found->topic].name != entry.topic)
      return Error(ErrorCode::kCorrupt, "it names another topic than " + std::string(entry.topic) +
                                            " for the extent at " + std::to_string(entry.index_place));
  }
  return {};
}

}  // namespace drs
