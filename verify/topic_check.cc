#include "verify/topic_check.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "codecs/record_digest.h"
#include "engine/format/record_block_proof.h"
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

// The extent as a window that holds all of it.
CatalogueExtent whole_of(std::uint32_t stream, const Extent& extent) {
  return {stream, extent.from, extent.to, extent.records, extent.digest, extent};
}

Result<SegmentDirectory> read_directory(StreamRange& range, const ManifestStream& stream) {
  if (stream.bytes < kSegmentTrailerBytes)
    return Error(ErrorCode::kTruncated, "it has " + std::to_string(stream.bytes) + " bytes");
  DRS_ASSIGN_OR_RETURN(const Bytes last, range.read(stream, stream.bytes - kSegmentTrailerBytes, kSegmentTrailerBytes));
  DRS_ASSIGN_OR_RETURN(const SegmentTrailer trailer, decode_segment_trailer(last, stream.bytes));
  const std::uint64_t bytes = trailer.end_place - trailer.topics_place;
  if (bytes > kDirectoryBytesMax)
    return Error(ErrorCode::kCorrupt, "its tables have " + std::to_string(bytes) + " bytes");
  DRS_ASSIGN_OR_RETURN(const Bytes tables, range.read(stream, trailer.topics_place, bytes));
  return decode_segment_directory(trailer, tables);
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
    DRS_RETURN_IF_ERROR(check_segment_stream(view, {begin, end}));
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
    // At the ends of its window, the records themselves show how many are left.
    DRS_ASSIGN_OR_RETURN(const CatalogueExtent window,
                         view.clip(whole_of(extent.stream, extent.extent), extent.from, extent.to));
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
    RecordBlockProof proof(index, entry);
    const auto visited = view.visit_block(extent, entry, {}, [&](const Record& record) -> Result<bool> {
      proof.add(record);
      return true;
    });
    if (!visited.ok()) return visited.error();
    if (!proof.holds())
      return disagrees(
          extent, "the records of its block at " + std::to_string(entry.place) + " are others than its index states");
    records_ += proof.records();
  }
  return {};
}

Result<void> TopicCheck::check_segment_stream(TopicView& view, std::span<const Named> named) {
  const std::uint32_t number = named.front().stream;
  const ManifestStream& stream = view.manifest().streams[number];
  const std::string name = "directory of stream " + stream.label;
  auto read = read_directory(view.directories(), stream);
  if (!read.ok()) return std::move(read).error().with_context(name);
  SegmentDirectory directory = *std::move(read);
  const auto topic_of = [&](const Extent& extent) -> const std::string& { return directory.topics[extent.topic].name; };
  std::ranges::sort(directory.extents, {}, &Extent::index_place);
  for (const Named& entry : named) {
    const auto found = std::ranges::lower_bound(directory.extents, entry.index_place, {}, &Extent::index_place);
    if (found == directory.extents.end() || digest_of(*found) != entry.extent)
      return Error(ErrorCode::kCorrupt, name + ": it does not name the extent at " + std::to_string(entry.index_place) +
                                            ", which the catalogue does");
    if (topic_of(*found) != entry.topic)
      return Error(ErrorCode::kCorrupt, name + ": it names another topic than " + std::string(entry.topic) +
                                            " for the extent at " + std::to_string(entry.index_place));
  }
  const std::string identity = stream.xxh3.hex() + ":" + std::to_string(stream.bytes);
  if (checked_streams_.contains(identity)) return {};
  for (const Extent& extent : directory.extents) {
    auto checked = check_extent(view, whole_of(number, extent));
    if (!checked.ok()) return std::move(checked).error().with_context("topic " + topic_of(extent));
  }
  // Only now: what is damaged is reported for each archive that needs it.
  checked_streams_.insert(identity);
  return {};
}

}  // namespace drs
