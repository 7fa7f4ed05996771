#include "engine/topics/archive_plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/topics/topic_configs.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

bool is_recent(const CatalogueExtent& extent, const History& history, std::int64_t now_ms) {
  if (history.kind == History::Kind::kAll) return true;
  return history.kind == History::Kind::kSpan && extent.extent.records > 0 &&
         extent.extent.greatest_ms >= now_ms - history.span_ms;
}

// What the history keeps of a topic that is no longer in the cluster; nothing if that is no record.
std::optional<KeptTopic> kept_by_history(KeptTopic topic, const History& history, std::int64_t now_ms) {
  bool any = false;
  for (std::vector<CatalogueExtent>& extents : topic.extents) {
    std::erase_if(extents, [&](const CatalogueExtent& extent) { return !is_recent(extent, history, now_ms); });
    any = any || !extents.empty();
  }
  for (CataloguePartition& partition : topic.topic.partitions) {
    partition.state = PartitionState::kHistory;
    partition.lost_offsets = 0;  // the run that noticed them has said so
  }
  return any ? std::optional(std::move(topic)) : std::nullopt;
}

Result<KeptTopic> load_topic(TopicView& view, const CatalogueTopic& topic) {
  KeptTopic loaded{topic, {}};
  for (const CataloguePartition& partition : topic.partitions) {
    auto extents = view.extents(partition);
    if (!extents.ok()) return std::move(extents).error().with_context("topic " + topic.name);
    loaded.extents.push_back(*std::move(extents));
  }
  return loaded;
}

void add_read(PlannedPartition& partition, std::int64_t from, std::int64_t to) {
  if (from < to) partition.reads.push_back({from, to});
}

// All of a partition that no earlier archive holds.
PlannedPartition fresh_partition(std::uint32_t number, const PartitionEnds& ends, bool read_uncommitted) {
  PlannedPartition partition;
  partition.number = number;
  partition.ends = ends;
  partition.target = read_uncommitted ? ends.high_watermark : ends.last_stable;
  add_read(partition, ends.log_start, partition.target);
  return partition;
}

class Planner {
 public:
  explicit Planner(const PlanInput& input) : in_(input) {
    plan_.history = input.history;
    plan_.now_ms = input.now_ms;
    plan_.read_uncommitted = input.read_uncommitted;
  }
  Result<ArchivePlan> run();

 private:
  Result<PlannedTopic> plan_topic(const TopicNow& now);
  Result<void> continue_partition(PlannedPartition& partition, std::int64_t through,
                                  std::vector<CatalogueExtent> earlier);
  Result<CatalogueExtent> keep_before(const CatalogueExtent& extent, std::int64_t to);
  Result<void> drop_lost(const PlannedPartition& partition, std::vector<CatalogueExtent>& extents);
  void report_lost();
  void report_deletions(const TopicNow& now);
  [[nodiscard]] std::optional<std::string> why_another_topic(const TopicNow& now, const CatalogueTopic& last) const;
  Result<void> keep_the_rest();

  const PlanInput& in_;
  ArchivePlan plan_;
  std::uint64_t lost_extents_ = 0;     // that are read again
  std::uint64_t lost_offsets_ = 0;     // that the cluster no longer has, and this archive neither
  std::uint64_t damaged_offsets_ = 0;  // that the cluster no longer has, and the history keeps
};

// Why the topic of the last archive is no longer this one, as far as the ends show it.
std::optional<std::string> Planner::why_another_topic(const TopicNow& now, const CatalogueTopic& last) const {
  const Uuid& id = now.selected.topic.id;
  if (!id.is_zero() && !last.id.is_zero() && id != last.id) return "it has another id than in the last archive";
  // A catalogue may name some partitions alone.
  const std::uint64_t had = last.partitions.empty() ? 0 : std::uint64_t{last.partitions.back().number} + 1;
  if (had > now.ends.size())
    return "it has " + std::to_string(now.ends.size()) + " partitions, and had " + std::to_string(had);
  for (const CataloguePartition& partition : last.partitions)
    if (now.ends[partition.number].high_watermark < partition.to)
      return "partition " + std::to_string(partition.number) + " ends at " +
             std::to_string(now.ends[partition.number].high_watermark) + ", and was archived up to " +
             std::to_string(partition.to);
  return std::nullopt;
}

// The window of a damaged extent up to `to`, or up to the record block around `to` if that cannot be read. Errors: also
// damage.
Result<CatalogueExtent> Planner::keep_before(const CatalogueExtent& extent, std::int64_t to) {
  auto kept = in_.last->clip(extent, extent.from, to);
  if (kept.ok() || !is_object_fault(kept.error())) return kept;
  DRS_ASSIGN_OR_RETURN(const ExtentIndex index, in_.last->index(extent));
  for (const RecordBlockEntry& entry : index.blocks)
    if (entry.first_offset > extent.from && entry.first_offset < to && entry.last_offset >= to)
      return in_.last->clip(extent, extent.from, entry.first_offset);
  return kept;
}

// Takes out the extents whose data is damaged or lost, as far as the cluster can replace it. The history keeps the
// rest: it is whole again once the damage is repaired.
Result<void> Planner::drop_lost(const PlannedPartition& partition, std::vector<CatalogueExtent>& extents) {
  std::vector<CatalogueExtent> good;
  for (CatalogueExtent& extent : extents) {
    DRS_ASSIGN_OR_RETURN(const bool lost, in_.is_lost(extent));
    if (!lost) {
      good.push_back(std::move(extent));
      continue;
    }
    const std::int64_t gone_to = std::min(extent.to, partition.ends.log_start);
    if (extent.to > gone_to) ++lost_extents_;
    if (gone_to <= extent.from) continue;
    std::int64_t kept_to = extent.from;
    if (is_recent(extent, in_.history, in_.now_ms)) {
      auto kept = keep_before(extent, gone_to);
      if (!kept.ok() && !is_object_fault(kept.error())) return std::move(kept).error();
      if (kept.ok()) kept_to = good.emplace_back(*std::move(kept)).to;
    }
    damaged_offsets_ += static_cast<std::uint64_t>(kept_to - extent.from);
    lost_offsets_ += static_cast<std::uint64_t>(gone_to - kept_to);
  }
  extents = std::move(good);
  return {};
}

void Planner::report_lost() {
  if (damaged_offsets_ > 0)
    plan_.warnings.push_back(
        std::to_string(damaged_offsets_) +
        " offsets of the last archive that the brokers no longer have lie in extents that are damaged, or in packs "
        "that a prune will delete: this snapshot still names them, and is damaged until these packs are repaired; run "
        "`drstream verify`");
  if (lost_extents_ == 0 && lost_offsets_ == 0) return;
  plan_.warnings.push_back(
      std::to_string(lost_extents_) +
      " extents of the last archive are damaged, or in packs that a prune will delete: they are read from the brokers "
      "again" +
      (lost_offsets_ == 0
           ? std::string()
           : ", except for " + std::to_string(lost_offsets_) + " offsets that the brokers no longer have") +
      "; run `drstream verify`");
}

// Deletions in a compacted topic are records, which vanish in their turn.
void Planner::report_deletions(const TopicNow& now) {
  if (!now.compacted) return;
  const std::int64_t kept_ms = config_number(now.configs, "delete.retention.ms").value_or(kDayMs);  // Kafka's default
  const std::int64_t since_ms = in_.now_ms - in_.last->catalogue().cluster.captured_ns / 1'000'000;
  if (since_ms - kept_ms <= kept_ms / 24) return;
  plan_.warnings.push_back(
      "topic " + now.selected.topic.name + " is compacted, and " + std::to_string(since_ms / 1000) +
      " s have passed since the last archive, more than its delete.retention.ms (" + std::to_string(kept_ms / 1000) +
      " s): keys that were deleted meanwhile may still be in the archive, and a restore brings them back; archive more "
      "often, and once under another name to have the topic as it is");
}

// Keeps of the earlier extents what the history says, and plans to read the rest. `through`: where the last archive
// ends.
Result<void> Planner::continue_partition(PlannedPartition& partition, std::int64_t through,
                                         std::vector<CatalogueExtent> earlier) {
  const std::int64_t log_start = partition.ends.log_start;
  const std::int64_t readable_to = partition.target;  // what lies behind it, the brokers do not return yet
  if (!earlier.empty()) through = std::max(through, earlier.back().to);
  partition.reads.clear();
  if (in_.is_lost) DRS_RETURN_IF_ERROR(drop_lost(partition, earlier));
  // What the cluster has and no extent holds: it is lost in the repository, an earlier run ended before it read that
  // again, or the history has dropped it while the topic was not selected.
  std::int64_t held_to = log_start;
  for (const CatalogueExtent& extent : earlier) {
    add_read(partition, held_to, extent.from);
    held_to = std::max(held_to, extent.to);
  }
  add_read(partition, held_to, through);
  const auto with_records =
      std::find_if(earlier.rbegin(), earlier.rend(), [](const CatalogueExtent& e) { return e.extent.records > 0; });
  if (with_records != earlier.rend() && with_records->extent.last_offset >= log_start &&
      with_records->to == with_records->extent.to && with_records->extent.last_offset < readable_to)
    partition.expected = LastRecord{with_records->extent.last_offset, with_records->extent.last_hash};
  partition.target = std::max(partition.target, through);
  if (log_start > through) partition.lost_offsets = static_cast<std::uint64_t>(log_start - through);
  for (CatalogueExtent& extent : earlier) {
    if (extent.to <= log_start) {
      if (is_recent(extent, in_.history, in_.now_ms)) partition.kept.push_back(std::move(extent));
      continue;
    }
    if (extent.from < log_start && in_.history.kind == History::Kind::kLive) {
      DRS_ASSIGN_OR_RETURN(extent, in_.last->clip(extent, log_start));
    }
    partition.kept.push_back(std::move(extent));
  }
  const std::int64_t position = std::max(through, log_start);
  // From the last archived record on: it shows that the topic is still the same one. Nothing to read again lies behind
  // it, unless it is the end of an extent that was lost.
  if (partition.expected && !partition.reads.empty() && partition.reads.back().to > partition.expected->offset)
    partition.expected.reset();
  const std::int64_t from = partition.expected ? partition.expected->offset : position;
  add_read(partition, from, std::max(partition.target, partition.expected ? from + 1 : from));
  for (OffsetSpan& span : partition.reads) span.to = std::min(span.to, readable_to);
  std::erase_if(partition.reads, [](const OffsetSpan& span) { return span.from >= span.to; });
  return {};
}

Result<PlannedTopic> Planner::plan_topic(const TopicNow& now) {
  PlannedTopic topic;
  topic.topic = now.selected.topic;
  topic.literal = now.selected.literal;
  topic.configs = now.configs;
  topic.compacted = now.compacted;
  for (std::size_t i = 0; i < now.ends.size(); ++i)
    topic.partitions.push_back(fresh_partition(static_cast<std::uint32_t>(i), now.ends[i], in_.read_uncommitted));
  const CatalogueTopic* const last = in_.last == nullptr ? nullptr : in_.last->find(topic.topic.name);
  if (last == nullptr) return topic;
  topic.generation = last->generation;
  DRS_ASSIGN_OR_RETURN(topic.before, load_topic(*in_.last, *last));
  if (const auto why = why_another_topic(now, *last)) {
    begin_new_generation(plan_, topic, *why);
    return topic;
  }
  report_deletions(now);
  for (std::size_t i = 0; i < last->partitions.size(); ++i)
    DRS_RETURN_IF_ERROR(continue_partition(topic.partitions[last->partitions[i].number], last->partitions[i].to,
                                           topic.before->extents[i]));
  return topic;
}

// Topics of the last archive that are not read now, and earlier generations.
Result<void> Planner::keep_the_rest() {
  if (in_.last == nullptr) return {};
  const auto name_of = [](const PlannedTopic& topic) -> const std::string& { return topic.topic.name; };
  for (const CatalogueTopic& topic : in_.last->catalogue().topics) {
    const bool newest = in_.last->find(topic.name) == &topic;
    const bool planned = std::ranges::binary_search(plan_.topics, topic.name, {}, name_of);
    if (newest && planned) continue;
    DRS_ASSIGN_OR_RETURN(KeptTopic loaded, load_topic(*in_.last, topic));
    auto kept = kept_by_history(std::move(loaded), in_.history, in_.now_ms);
    if (newest)
      plan_.warnings.push_back("topic " + topic.name + " of the last archive is no longer selected, or gone: " +
                               (kept ? "the history keeps its records" : "this snapshot does not hold it") +
                               "; earlier snapshots do, as long as they are kept");
    if (kept) plan_.kept.push_back(*std::move(kept));
  }
  return {};
}

Result<ArchivePlan> Planner::run() {
  for (const TopicNow& now : in_.topics) {
    DRS_ASSIGN_OR_RETURN(PlannedTopic topic, plan_topic(now));
    plan_.topics.push_back(std::move(topic));
  }
  DRS_RETURN_IF_ERROR(keep_the_rest());
  report_lost();
  return std::move(plan_);
}

}  // namespace

bool History::keeps_less_than(const History& other) const {
  if (kind != other.kind) return kind < other.kind;
  return kind == Kind::kSpan && span_ms < other.span_ms;
}

std::string to_string(const History& history) {
  switch (history.kind) {
    case History::Kind::kLive: return "live";
    case History::Kind::kAll: return "all";
    case History::Kind::kSpan: break;
  }
  return history.span_ms % kDayMs == 0 ? std::to_string(history.span_ms / kDayMs) + "d"
                                       : std::to_string(history.span_ms / kHourMs) + "h";
}

Result<History> parse_history(std::string_view text) {
  const Error wrong(ErrorCode::kUsage, "'" + std::string(text) +
                                           "' is no history: accepted are all, live, and a span in days or hours, such "
                                           "as 90d or 12h");
  if (text == "all") return History{History::Kind::kAll, 0};
  if (text == "live") return History{};
  if (text.size() < 2) return wrong;
  const std::int64_t unit = text.back() == 'd' ? kDayMs : text.back() == 'h' ? kHourMs : 0;
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data(), end, count);
  if (unit == 0 || parsed.ec != std::errc() || parsed.ptr != end || count <= 0 || count > 1'000'000) return wrong;
  return History{History::Kind::kSpan, count * unit};
}

GapCause usual_gap_cause(const PlannedTopic& topic) {
  return topic.compacted ? GapCause::kCompactionOrTransaction : GapCause::kTransaction;
}

std::uint64_t ArchivePlan::offsets_to_read() const {
  std::uint64_t offsets = 0;
  for (const PlannedTopic& topic : topics)
    for (const PlannedPartition& partition : topic.partitions)
      for (const OffsetSpan& span : partition.reads) offsets += static_cast<std::uint64_t>(span.to - span.from);
  return offsets;
}

void begin_new_generation(ArchivePlan& plan, PlannedTopic& topic, const std::string& why) {
  DRS_ASSERT(topic.before.has_value(), "a first generation has nothing before it");
  auto kept = kept_by_history(std::move(*topic.before), plan.history, plan.now_ms);
  topic.before.reset();
  ++topic.generation;
  for (PlannedPartition& partition : topic.partitions)
    partition = fresh_partition(partition.number, partition.ends, plan.read_uncommitted);
  plan.warnings.push_back("topic " + topic.topic.name + " was deleted and created again since the last archive (" +
                          why + "): it is archived from its start, as generation " + std::to_string(topic.generation) +
                          (kept ? "; the history keeps the earlier one" : "; earlier snapshots hold the earlier one"));
  if (kept) plan.kept.push_back(*std::move(kept));
}

void keep_history_of(ArchivePlan& plan, PlannedTopic& topic) {
  if (!topic.before) return;
  auto kept = kept_by_history(std::move(*topic.before), plan.history, plan.now_ms);
  topic.before.reset();
  if (kept) plan.kept.push_back(*std::move(kept));
}

Result<ArchivePlan> plan_archive_run(const PlanInput& input) {
  return Planner(input).run();
}

}  // namespace drs
