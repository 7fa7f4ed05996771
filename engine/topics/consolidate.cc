#include "engine/topics/consolidate.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "engine/format/manifest_bounds.h"
#include "engine/topics/extent_writer.h"

namespace drs {
namespace {

// A partition of the plan whose extents may move.
struct Owner {
  std::string topic;
  Uuid id;
  std::uint32_t partition = 0;
  std::vector<CatalogueExtent>* extents = nullptr;
  GapCause cause = GapCause::kUnknown;  // of gaps that an index does not keep
};

std::vector<Owner> owners_of(ArchivePlan& plan) {
  std::vector<Owner> owners;
  for (PlannedTopic& topic : plan.topics)
    for (PlannedPartition& partition : topic.partitions)
      owners.push_back({topic.topic.name, topic.topic.id, partition.number, &partition.kept, usual_gap_cause(topic)});
  for (KeptTopic& topic : plan.kept)
    for (std::size_t i = 0; i < topic.extents.size(); ++i)
      owners.push_back(
          {topic.topic.name, topic.topic.id, topic.topic.partitions[i].number, &topic.extents[i], GapCause::kUnknown});
  return owners;
}

// The part of an extent's payload that lies in its window, by the number of records.
std::uint64_t live_bytes(const CatalogueExtent& extent) {
  const Extent& whole = extent.extent;
  if (whole.records == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(whole.payload_bytes) * static_cast<double>(extent.records) /
                                    static_cast<double>(whole.records));
}

// The streams to rewrite.
std::set<std::uint32_t> choose(const std::map<std::uint32_t, std::uint64_t>& live, const Manifest& manifest,
                               const ConsolidationLimits& limits) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> by_size;
  for (const auto& [stream, bytes] : live) by_size.emplace_back(bytes, stream);
  std::ranges::sort(by_size);
  const std::size_t wanted = live.size() > limits.streams_max ? limits.streams_max / 4 * 3 : live.size();
  std::set<std::uint32_t> chosen;
  std::uint64_t bytes_left = limits.bytes_max;
  for (const auto& [bytes, stream] : by_size) {
    const std::size_t remaining = live.size() - chosen.size();
    const bool full = remaining >= kManifestStreamsMax - 2;
    const bool dead = static_cast<double>(bytes) * 100 <
                      static_cast<double>(manifest.streams[stream].bytes) * limits.live_percent_min;
    if (!full && !dead && remaining <= wanted) continue;
    if (!full && bytes > bytes_left) continue;
    bytes_left -= std::min(bytes, bytes_left);
    chosen.insert(stream);
  }
  return chosen;
}

GapCause cause_at(const std::vector<Gap>& gaps, std::int64_t offset, GapCause usual) {
  const auto after = std::ranges::upper_bound(gaps, offset, {}, &Gap::from);
  if (after == gaps.begin()) return usual;
  const Gap& gap = *std::prev(after);
  return offset < gap.from + static_cast<std::int64_t>(gap.offsets) ? gap.cause : usual;
}

// Writes the records of one extent's window anew; appends the new extents to `out`.
Result<void> rewrite(const Owner& owner, const CatalogueExtent& extent, TopicView& last, SegmentWriter& segment,
                     std::vector<CatalogueExtent>& out) {
  DRS_ASSIGN_OR_RETURN(const ExtentIndex index, last.index(extent));
  ExtentWriter writer(segment, segment.topic_number({owner.topic, owner.id}), owner.partition, extent.from,
                      owner.cause);
  const auto skip_to = [&](std::int64_t offset) -> Result<void> {
    return offset > writer.position() ? writer.skip(offset, cause_at(index.gaps, writer.position(), owner.cause))
                                      : Result<void>();
  };
  const auto add = [&](const Record& record) -> Result<bool> {
    auto added = skip_to(record.offset);
    if (added.ok()) added = writer.add(record);
    if (!added.ok()) return std::move(added).error();
    return true;
  };
  const RecordWindow window = RecordWindow().within(extent);
  for (const RecordBlockEntry& entry : index.blocks) {
    if (!window.meets(entry)) continue;
    const auto added = last.visit_block(extent, entry, window, add);
    if (!added.ok()) return added.error();
  }
  DRS_RETURN_IF_ERROR(skip_to(extent.to));
  DRS_RETURN_IF_ERROR(writer.finish(extent.to));
  if (writer.records() != extent.records)
    return Error(ErrorCode::kCorrupt, "topic " + owner.topic + ", partition " + std::to_string(owner.partition) +
                                          ": an extent has " + std::to_string(writer.records()) +
                                          " records, its catalogue says " + std::to_string(extent.records));
  for (const Extent& made : writer.extents())
    out.push_back({kStreamOfThisRun, made.from, made.to, made.records, made.digest, made});
  return {};
}

}  // namespace

Result<std::uint64_t> consolidate(ArchivePlan& plan, TopicView& last, SegmentWriter& segment,
                                  const ConsolidationLimits& limits, const RunControl& control) {
  const std::vector<Owner> owners = owners_of(plan);
  std::map<std::uint32_t, std::uint64_t> live;
  for (const Owner& owner : owners)
    for (const CatalogueExtent& extent : *owner.extents) live[extent.stream] += live_bytes(extent);
  const std::set<std::uint32_t> chosen = choose(live, last.manifest(), limits);
  std::uint64_t bytes = 0;
  for (const Owner& owner : owners) {
    std::vector<CatalogueExtent> extents;
    for (const CatalogueExtent& extent : *owner.extents) {
      if (!chosen.contains(extent.stream)) {
        extents.push_back(extent);
        continue;
      }
      if (control.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the archive was cancelled");
      DRS_RETURN_IF_ERROR(rewrite(owner, extent, last, segment, extents));
      bytes += live_bytes(extent);
    }
    *owner.extents = std::move(extents);
  }
  return bytes;
}

}  // namespace drs
