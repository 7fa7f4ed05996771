#include "engine/topics/consolidate.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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

// The part of `bytes`, of a whole extent, that belongs to its window, by the number of records.
std::uint64_t live_part(const CatalogueExtent& extent, std::uint64_t bytes) {
  const Extent& whole = extent.extent;
  if (whole.records == 0) return bytes;
  return static_cast<std::uint64_t>(static_cast<double>(bytes) * static_cast<double>(extent.records) /
                                    static_cast<double>(whole.records));
}

std::uint64_t live_bytes(const CatalogueExtent& extent) {
  return live_part(extent, extent.extent.payload_bytes);
}

// About what an extent takes of its stream: of one with few or small records, most is no payload.
std::uint64_t stream_bytes(const Extent& extent) {
  constexpr std::uint64_t kRecordBytesMin = 6;  // timestamp, lengths, and what the run of offsets takes
  return extent.payload_bytes + extent.records * kRecordBytesMin + kRecordBlockHeaderBytes + extent.index_bytes +
         kExtentBytes;
}

// What the plan still needs of a segment stream.
struct LiveStream {
  std::uint64_t payload_bytes = 0;
  std::uint64_t bytes = 0;
  bool damaged = false;  // in part
  bool lost = false;     // also what is needed of it, in part
  // Whether all that is needed can be rewritten, and the damage left behind.
  [[nodiscard]] bool can_be_healed() const { return damaged && !lost; }
};

// The streams to rewrite.
std::set<std::uint32_t> choose(const std::map<std::uint32_t, LiveStream>& live, const Manifest& manifest,
                               const ConsolidationLimits& limits) {
  // Those to heal first.
  std::vector<std::tuple<bool, std::uint64_t, std::uint32_t>> by_size;
  for (const auto& [stream, needed] : live) by_size.emplace_back(!needed.can_be_healed(), needed.payload_bytes, stream);
  std::ranges::sort(by_size);
  const std::size_t wanted = live.size() > limits.streams_max ? limits.streams_max / 4 * 3 : live.size();
  std::set<std::uint32_t> chosen;
  std::uint64_t bytes_left = limits.bytes_max;
  for (const auto& [sound, bytes, stream] : by_size) {
    const std::size_t remaining = live.size() - chosen.size();
    const bool full = remaining >= limits.streams_full;
    const bool dead = static_cast<double>(live.at(stream).bytes) * 100 <
                      static_cast<double>(manifest.streams[stream].bytes) * limits.live_percent_min;
    if (!full && sound && !dead && remaining <= wanted) continue;
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

// Writes the records of a partition's extents anew. Those that follow each other become one extent, or as many as it
// takes.
class ExtentRewriter {
 public:
  // Appends the new extents to `out`.
  ExtentRewriter(const Owner& owner, TopicView& last, SegmentWriter& segment, std::vector<CatalogueExtent>& out)
      : owner_(owner), last_(last), segment_(segment), out_(out) {}

  // Takes the window of the next extent.
  Result<void> add(const CatalogueExtent& extent) {
    if (writer_ && to_ != extent.from) DRS_RETURN_IF_ERROR(finish());
    if (!writer_)
      writer_.emplace(segment_, segment_.topic_number({owner_.topic, owner_.id}), owner_.partition, extent.from,
                      owner_.cause);
    const std::uint64_t records_before = writer_->records();
    DRS_ASSIGN_OR_RETURN(const ExtentIndex index, last_.index(extent));
    const auto add_record = [&](const Record& record) -> Result<bool> {
      auto added = skip_to(record.offset, index);
      if (added.ok()) added = writer_->add(record);
      if (!added.ok()) return std::move(added).error();
      return true;
    };
    const RecordWindow window = RecordWindow().within(extent);
    for (const RecordBlockEntry& entry : index.blocks) {
      if (!window.meets(entry)) continue;
      const auto added = last_.visit_block(extent, entry, window, add_record);
      if (!added.ok()) return added.error();
    }
    DRS_RETURN_IF_ERROR(skip_to(extent.to, index));
    to_ = extent.to;
    if (const std::uint64_t records = writer_->records() - records_before; records != extent.records)
      return Error(ErrorCode::kCorrupt, "topic " + owner_.topic + ", partition " + std::to_string(owner_.partition) +
                                            ": an extent has " + std::to_string(records) +
                                            " records, its catalogue says " + std::to_string(extent.records));
    return {};
  }
  // What follows begins another extent.
  Result<void> finish() {
    if (!writer_) return {};
    DRS_RETURN_IF_ERROR(writer_->finish(to_));
    for (const Extent& made : writer_->extents())
      out_.push_back({kStreamOfThisRun, made.from, made.to, made.records, made.digest, made});
    writer_.reset();
    return {};
  }

 private:
  Result<void> skip_to(std::int64_t offset, const ExtentIndex& index) {
    return offset > writer_->position() ? writer_->skip(offset, cause_at(index.gaps, writer_->position(), owner_.cause))
                                        : Result<void>();
  }

  const Owner& owner_;
  TopicView& last_;
  SegmentWriter& segment_;
  std::vector<CatalogueExtent>& out_;
  std::optional<ExtentWriter> writer_;
  std::int64_t to_ = 0;  // of the last extent
};

Result<std::map<std::uint32_t, LiveStream>> live_streams(const std::vector<Owner>& owners, ReuseCheck& reuse) {
  std::map<std::uint32_t, LiveStream> live;
  for (const Owner& owner : owners)
    for (const CatalogueExtent& extent : *owner.extents) {
      LiveStream& stream = live[extent.stream];
      stream.payload_bytes += live_bytes(extent);
      stream.bytes += live_part(extent, stream_bytes(extent.extent));
      DRS_ASSIGN_OR_RETURN(stream.damaged, reuse.has_damage(extent.stream));
      if (!stream.damaged || stream.lost) continue;
      DRS_ASSIGN_OR_RETURN(stream.lost, reuse.is_lost(extent));
    }
  return live;
}

void warn_of_damage_left(ArchivePlan& plan, const std::map<std::uint32_t, LiveStream>& live,
                         const std::set<std::uint32_t>& chosen) {
  std::uint64_t bytes = 0;
  for (const auto& [stream, needed] : live)
    if (needed.can_be_healed() && !chosen.contains(stream)) bytes += needed.payload_bytes;
  if (bytes > 0)
    plan.warnings.push_back(
        "streams of earlier runs are damaged where this archive does not need them, and what it needs of them, " +
        std::to_string(bytes) +
        " bytes, is more than --consolidate lets a run rewrite: verify and copy call this snapshot damaged until a run "
        "with a larger --consolidate has rewritten it");
}

}  // namespace

Result<std::uint64_t> consolidate(ArchivePlan& plan, TopicView& last, ReuseCheck& reuse, SegmentWriter& segment,
                                  const ConsolidationLimits& limits, const RunControl& control) {
  const std::vector<Owner> owners = owners_of(plan);
  DRS_ASSIGN_OR_RETURN(const auto live, live_streams(owners, reuse));
  const std::set<std::uint32_t> chosen = choose(live, last.manifest(), limits);
  warn_of_damage_left(plan, live, chosen);
  std::uint64_t bytes = 0;
  for (const Owner& owner : owners) {
    std::vector<CatalogueExtent> extents;
    ExtentRewriter rewriter(owner, last, segment, extents);
    for (const CatalogueExtent& extent : *owner.extents) {
      bool stays = !chosen.contains(extent.stream);
      if (!stays && live.at(extent.stream).lost) {
        DRS_ASSIGN_OR_RETURN(stays, reuse.is_lost(extent));
      }
      if (stays) {
        DRS_RETURN_IF_ERROR(rewriter.finish());
        extents.push_back(extent);
        continue;
      }
      if (control.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the archive was cancelled");
      DRS_RETURN_IF_ERROR(rewriter.add(extent));
      bytes += live_bytes(extent);
    }
    DRS_RETURN_IF_ERROR(rewriter.finish());
    *owner.extents = std::move(extents);
  }
  return bytes;
}

}  // namespace drs
