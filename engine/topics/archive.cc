#include "engine/topics/archive.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/format/manifest_texts.h"
#include "engine/pipeline/push/block_writer.h"
#include "engine/pipeline/push/reused_objects.h"
#include "engine/pipeline/push/snapshot_commit.h"
#include "engine/topics/archive_reader.h"
#include "engine/topics/catalogue_writer.h"
#include "engine/topics/cluster_error.h"
#include "engine/topics/cluster_state.h"
#include "engine/topics/consolidate.h"
#include "engine/topics/gap_check.h"
#include "engine/topics/open_topics.h"
#include "engine/topics/reuse_check.h"
#include "engine/topics/segment_writer.h"
#include "io/base/error_class.h"

namespace drs {
namespace {

// The archive of the same name that this one continues, if there is one.
struct LastArchive {
  std::unique_ptr<OpenTopics> open;
  std::unique_ptr<ReuseCheck> reuse;
  [[nodiscard]] TopicView* view() const { return open == nullptr ? nullptr : &open->view(); }
};

// One whose catalogue is damaged counts as none: everything that the brokers have is read again.
Result<LastArchive> open_last(Repository& repository, PackCatalog packs, const Snapshot* snapshot,
                              std::size_t cache_bytes, Listing listing, std::vector<std::string>& warnings) {
  LastArchive last;
  if (snapshot == nullptr) return last;
  auto open = OpenTopics::open(repository, *snapshot, std::move(packs),
                               {.cache_bytes = cache_bytes, .unreadable = PackCatalog::UnreadableCondemned::kDistrust},
                               std::move(listing));
  if (!open.ok() && !is_object_fault(open.error())) return std::move(open).error();
  if (!open.ok()) {
    warnings.push_back(open.error().message +
                       "; this run reads everything again that the brokers have, and knows neither the history of the "
                       "last archive nor its --history: give that again; run `drstream verify`");
    return last;
  }
  last.open = *std::move(open);
  last.reuse = std::make_unique<ReuseCheck>(last.open->view(), last.open->index(), last.open->packs());
  return last;
}

// The history that was asked for, or that of the last archive.
Result<History> history_of(const ArchiveOptions& options, const TopicView* last, std::vector<std::string>& warnings) {
  if (last == nullptr) return options.history.value_or(History{});
  const auto before = parse_history(last->catalogue().cluster.history);
  if (!before.ok()) return options.history.value_or(History{});
  if (!options.history) return *before;
  if (options.history->keeps_less_than(*before))
    warnings.push_back("--history " + to_string(*options.history) + " keeps less than the last archive did (" +
                       to_string(*before) + "): this snapshot drops the records that lie outside of it");
  return *options.history;
}

// Whether this is the cluster of the last archive, as far as both are known.
Result<void> check_cluster(const ArchiveOptions& options, const std::string& id, const TopicView* last,
                           std::vector<std::string>& warnings) {
  const std::string before = last == nullptr ? std::string() : last->catalogue().cluster.id;
  if (before.empty() || id.empty() || id == before) return {};
  const std::string what = "the last archive of " + options.stream + " is of cluster " + before +
                           ", and the brokers that were reached are of cluster " + id;
  if (!options.new_cluster)
    return Error(ErrorCode::kUsage, what +
                                        ": check --bootstrap; archive another cluster under another name; if this one "
                                        "has taken the place of the other, give --new-cluster once");
  warnings.push_back(what + ": --new-cluster goes on with it");
  return {};
}

Result<ArchivePlan> make_plan(const ArchiveOptions& options, const ClusterState& state, LastArchive& last,
                              const Clock& clock, std::vector<std::string>& warnings) {
  PlanInput input{.topics = state.topics,
                  .last = last.view(),
                  .is_lost = {},
                  .history = {},
                  .read_uncommitted = options.read_uncommitted,
                  .now_ms = clock.wall_ns() / 1'000'000};
  if (input.last != nullptr && input.last->catalogue().cluster.read_uncommitted && !options.read_uncommitted)
    return Error(ErrorCode::kUsage,
                 "the last archive of this name also holds records of open and aborted transactions: give "
                 "--read-uncommitted again, or archive under another name");
  DRS_RETURN_IF_ERROR(check_cluster(options, state.cluster.id, input.last, warnings));
  DRS_ASSIGN_OR_RETURN(input.history, history_of(options, input.last, warnings));
  if (last.reuse != nullptr) input.is_lost = [&](const CatalogueExtent& extent) { return last.reuse->is_lost(extent); };
  return plan_archive_run(input);
}

// Numbers the streams that the new manifest names: 0 the catalogue, then those that still hold live records.
class StreamNumbers {
 public:
  std::uint32_t of_earlier(std::uint32_t stream) {
    const auto [found, added] = numbers_.emplace(stream, 0);
    if (added) {
      used_.push_back(stream);
      found->second = static_cast<std::uint32_t>(used_.size());
    }
    return found->second;
  }
  [[nodiscard]] std::uint32_t of_this_run() const { return static_cast<std::uint32_t>(used_.size() + 1); }
  [[nodiscard]] const std::vector<std::uint32_t>& used() const { return used_; }

 private:
  std::map<std::uint32_t, std::uint32_t> numbers_;
  std::vector<std::uint32_t> used_;  // numbers in the last manifest
};

void take_earlier(std::vector<CatalogueExtent>& out, const std::vector<CatalogueExtent>& extents,
                  StreamNumbers& numbers) {
  for (CatalogueExtent extent : extents) {
    if (extent.stream != kStreamOfThisRun) extent.stream = numbers.of_earlier(extent.stream);
    out.push_back(extent);
  }
}

CataloguePartition catalogue_partition(const PlannedPartition& planned, const ReadPartition& read) {
  CataloguePartition partition;
  partition.number = planned.number;
  const bool complete = read.through >= planned.target && !read.unread;
  partition.state = complete ? PartitionState::kComplete : PartitionState::kPartial;
  partition.log_start = planned.ends.log_start;
  partition.last_stable = planned.ends.last_stable;
  partition.high_watermark = planned.ends.high_watermark;
  partition.lost_offsets = planned.lost_offsets + read.overtaken_offsets;
  partition.from = read.through;
  partition.to = read.through;
  return partition;
}

// The catalogue of the new snapshot. New extents are numbered by `of_this_run` at the end, once all earlier streams
// have their numbers.
CatalogueContent compose(const ArchivePlan& plan, const ArchiveReader& reader, const ClusterState& state,
                         StreamNumbers& numbers) {
  CatalogueContent content;
  const auto add = [&](CatalogueTopic topic, std::vector<std::vector<CatalogueExtent>> extents) {
    content.catalogue.topics.push_back(std::move(topic));
    content.extents.push_back(std::move(extents));
  };
  for (const KeptTopic& kept : plan.kept) {
    std::vector<std::vector<CatalogueExtent>> extents(kept.extents.size());
    for (std::size_t p = 0; p < extents.size(); ++p) take_earlier(extents[p], kept.extents[p], numbers);
    add(kept.topic, std::move(extents));
  }
  for (std::size_t t = 0; t < plan.topics.size(); ++t) {
    if (reader.has_vanished(t)) continue;
    const PlannedTopic& planned = plan.topics[t];
    CatalogueTopic topic{.name = planned.topic.name,
                         .generation = planned.generation,
                         .id = planned.topic.id,
                         .replication = planned.topic.replication,
                         .configs = planned.configs,
                         .partitions = {}};
    std::vector<std::vector<CatalogueExtent>> extents(planned.partitions.size());
    for (std::size_t p = 0; p < planned.partitions.size(); ++p) {
      const ReadPartition& read = reader.partitions()[t][p];
      topic.partitions.push_back(catalogue_partition(planned.partitions[p], read));
      take_earlier(extents[p], planned.partitions[p].kept, numbers);
      for (const Extent& extent : read.extents)
        extents[p].push_back({kStreamOfThisRun, extent.from, extent.to, extent.records, extent.digest, extent});
      std::ranges::sort(extents[p], {}, &CatalogueExtent::from);
    }
    add(std::move(topic), std::move(extents));
  }
  for (auto& topic : content.extents)
    for (auto& partition : topic)
      for (CatalogueExtent& extent : partition)
        if (extent.stream == kStreamOfThisRun) extent.stream = numbers.of_this_run();
  content.catalogue.groups = state.groups;
  content.catalogue.cluster = state.cluster;
  content.catalogue.cluster.history = to_string(plan.history);
  content.catalogue.cluster.read_uncommitted = plan.read_uncommitted;
  return content;
}

// By name and generation, extents in step.
void sort_topics(CatalogueContent& content) {
  std::vector<std::size_t> order(content.catalogue.topics.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const CatalogueTopic& left = content.catalogue.topics[a];
    const CatalogueTopic& right = content.catalogue.topics[b];
    return left.name != right.name ? left.name < right.name : left.generation < right.generation;
  });
  CatalogueContent sorted;
  for (const std::size_t i : order) {
    sorted.catalogue.topics.push_back(std::move(content.catalogue.topics[i]));
    sorted.extents.push_back(std::move(content.extents[i]));
  }
  content.catalogue.topics = std::move(sorted.catalogue.topics);
  content.extents = std::move(sorted.extents);
}

Result<void> refuse_loss(const ArchiveReader& reader, const ArchivePlan& plan) {
  for (std::size_t t = 0; t < plan.topics.size(); ++t)
    for (std::size_t p = 0; p < reader.partitions()[t].size(); ++p)
      if (const std::uint64_t lost = reader.partitions()[t][p].overtaken_offsets; lost > 0)
        return Error(ErrorCode::kSource, "topic " + plan.topics[t].topic.name + ", partition " + std::to_string(p) +
                                             ": retention deleted " + std::to_string(lost) +
                                             " offsets before they could be read, and --on-loss refuse is given");
  return {};
}

bool is_another(const ClusterTopic& now, const ClusterTopic& captured) {
  const bool ids_known = !now.id.is_zero() && !captured.id.is_zero();
  return (ids_known && now.id != captured.id) || now.partitions < captured.partitions;
}

// Whether the topics are still those that were captured. One that was created again may have been read in part before
// that and in part after it: unless it was named, it is left out.
Result<void> check_topics_again(TopicCluster& cluster, const ArchivePlan& plan, ArchiveReader& reader) {
  DRS_ASSIGN_OR_RETURN(const ClusterView view, cluster.look());
  for (std::size_t t = 0; t < plan.topics.size(); ++t) {
    const PlannedTopic& topic = plan.topics[t];
    if (reader.has_vanished(t)) continue;
    const auto now = std::ranges::find(view.topics, topic.topic.name, &ClusterTopic::name);
    if (now == view.topics.end()) {
      if (!topic.literal) continue;  // all that was read is its own
      return Error(ErrorCode::kSource, "topic " + topic.topic.name + " was deleted while it was being archived");
    }
    if (!is_another(*now, topic.topic)) continue;
    if (topic.literal)
      return Error(ErrorCode::kSource,
                   "topic " + topic.topic.name + " was deleted and created again while it was being archived");
    reader.leave_out(t, "was deleted and created again");
  }
  return {};
}

class Archive {
 public:
  Archive(Repository& repository, TopicCluster& cluster, RecordSource& source, const ArchiveOptions& options,
          const ArchiveBudget& budget, const RunControl& control)
      : repository_(repository),
        cluster_(cluster),
        source_(source),
        options_(options),
        budget_(budget),
        control_(control) {}
  Result<ArchiveReport> run();

 private:
  Result<void> read_and_write(WriteSession& session, ArchivePlan& plan, const ClusterState& state);
  Result<void> check_again(const ArchivePlan& plan, ArchiveReader& reader);
  void fill_manifest(const Uuid& session, const ArchivePlan& plan, const ArchiveReader& reader);
  void count(const ArchivePlan& plan, const ArchiveReader& reader);

  Repository& repository_;
  TopicCluster& cluster_;
  RecordSource& source_;
  const ArchiveOptions& options_;
  const ArchiveBudget& budget_;
  const RunControl control_;
  ArchiveReport report_;
  LastArchive last_;
  std::vector<ObjectKey> relies_on_;
};

void Archive::count(const ArchivePlan& plan, const ArchiveReader& reader) {
  report_.records_read = reader.records();
  report_.payload_bytes_read = reader.payload_bytes();
  for (const CatalogueTopic& topic : report_.catalogue.topics)
    for (const CataloguePartition& partition : topic.partitions) {
      report_.records += partition.records;
      report_.lost_offsets += partition.lost_offsets;
      if (partition.lost_offsets > 0)
        report_.warnings.push_back(
            "topic " + topic.name + ", partition " + std::to_string(partition.number) + ": retention deleted " +
            std::to_string(partition.lost_offsets) +
            " offsets before they could be archived: archive more often, or keep records longer");
      if (partition.state == PartitionState::kHistory) continue;
      if (partition.high_watermark > partition.last_stable && !options_.read_uncommitted)
        report_.warnings.push_back("topic " + topic.name + ", partition " + std::to_string(partition.number) +
                                   ": an open transaction holds back the offsets from " +
                                   std::to_string(partition.last_stable) + " on; a later archive takes them");
    }
  report_.warnings.insert(report_.warnings.end(), plan.warnings.begin(), plan.warnings.end());
}

// Asks the brokers once more about what was read. A run that was told to end does not fail if they do not answer.
Result<void> Archive::check_again(const ArchivePlan& plan, ArchiveReader& reader) {
  auto checked = read_gaps_again(source_, reader.gaps_in_doubt(), budget_.memory.window, control_.cancel);
  if (checked.ok()) checked = check_topics_again(cluster_, plan, reader);
  if (checked.ok()) return {};
  if (report_.partial.empty() && options_.stop) report_.partial = options_.stop();
  if (report_.partial.empty() || checked.error().code != ErrorCode::kUnavailable) return of_source(std::move(checked));
  report_.warnings.push_back(
      checked.error().message +
      "; this run was to end: it commits what it has read, without reading gaps again and without looking whether a "
      "topic was deleted meanwhile");
  return {};
}

void Archive::fill_manifest(const Uuid& session, const ArchivePlan& plan, const ArchiveReader& reader) {
  Manifest& manifest = report_.manifest;
  manifest.stream = options_.stream;
  manifest.session = session;
  manifest.host = keep_beginning(options_.host, kManifestHostBytesMax);
  manifest.tool_version = keep_beginning(options_.tool_version, kManifestToolBytesMax);
  manifest.content = ManifestContent::kTopics;
  manifest.tags = options_.tags;
  manifest.producer = report_.partial.empty() ? ProducerKind::kEndsReached : ProducerKind::kUnseen;
  if (!report_.partial.empty()) manifest.tags.insert_or_assign(std::string(kPartialTag), report_.partial);
  for (const ManifestStream& stream : manifest.streams) {
    manifest.bytes += stream.bytes;
    manifest.chunk_count += stream.chunk_count;
    if (stream.session == session) manifest.new_bytes += stream.bytes;
  }
  count(plan, reader);
}

Result<void> Archive::read_and_write(WriteSession& session, ArchivePlan& plan, const ClusterState& state) {
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<BlockWriter> blocks,
                       BlockWriter::open(repository_, session, {budget_.memory.push, budget_.arena}, control_,
                                         {.compression = options_.compression,
                                          .read_back = options_.read_back,
                                          .stream_sha256 = options_.stream_sha256}));
  SegmentWriter segment(*blocks);
  if (last_.view() != nullptr) {
    DRS_ASSIGN_OR_RETURN(report_.rewritten_bytes,
                         consolidate(plan, *last_.view(), *last_.reuse, segment, options_.consolidation, control_));
  }
  ArchiveReader reader(plan, source_, segment, control_,
                       {.window = budget_.memory.window, .stop = options_.stop, .bytes_max = options_.bytes_max});
  if (options_.before_reading) options_.before_reading();
  DRS_RETURN_IF_ERROR(reader.run());
  report_.partial = reader.stopped();
  DRS_RETURN_IF_ERROR(check_again(plan, reader));
  for (std::size_t t = 0; t < plan.topics.size(); ++t)
    if (reader.has_vanished(t)) keep_history_of(plan, plan.topics[t]);
  if (options_.refuse_loss) DRS_RETURN_IF_ERROR(refuse_loss(reader, plan));
  StreamNumbers numbers;
  CatalogueContent content = compose(plan, reader, state, numbers);
  sort_topics(content);
  std::optional<ManifestStream> segments;
  if (!segment.extents().empty()) {
    DRS_ASSIGN_OR_RETURN(segments, segment.finish("segments-" + session.id().hex()));
  }
  DRS_ASSIGN_OR_RETURN(ManifestStream catalogue, write_catalogue(*blocks, content));
  DRS_RETURN_IF_ERROR(blocks->finish());
  std::vector<ManifestStream>& streams = report_.manifest.streams;
  streams.push_back(std::move(catalogue));
  for (const std::uint32_t stream : numbers.used()) streams.push_back(last_.view()->manifest().streams[stream]);
  if (segments) streams.push_back(*std::move(segments));
  report_.catalogue = std::move(content.catalogue);
  fill_manifest(session.id(), plan, reader);
  const BlockWriter::Totals totals = blocks->totals();
  report_.manifest.stored_bytes = totals.stored_bytes;
  report_.packs = totals.packs.packs;
  report_.packs_bytes = totals.packs.packs_bytes;
  report_.stats = blocks->stats();
  if (repository_.store().secures()) {
    if (last_.reuse != nullptr) relies_on_ = last_.reuse->objects_of(numbers.used());
    const bool long_ago = repository_.clock().steady() - session.begun() > kSecuredFor;
    if (repository_.store().locks() && long_ago)
      relies_on_.insert(relies_on_.end(), blocks->own_objects().begin(), blocks->own_objects().end());
  }
  return {};
}

Result<ArchiveReport> Archive::run() {
  const auto started = repository_.clock().steady();
  DRS_RETURN_IF_ERROR(validate(options_));
  // The session first: a prune that begins after this keeps what is listed from here on.
  DRS_ASSIGN_OR_RETURN(const std::unique_ptr<WriteSession> session,
                       WriteSession::begin(repository_, repository_.store(),
                                           {.stream = options_.stream, .host = options_.host}, options_.heartbeats));
  DRS_ASSIGN_OR_RETURN(SnapshotCommit::Beginning begun, SnapshotCommit::begin(repository_,
                                                                              {.name = options_.stream,
                                                                               .content = ManifestContent::kTopics,
                                                                               .sequence_seen = options_.sequence_seen},
                                                                              report_.warnings));
  DRS_ASSIGN_OR_RETURN(last_,
                       open_last(repository_, std::move(begun.packs), begun.snapshot.predecessor(),
                                 budget_.memory.push.index_cache_bytes, std::move(begun.index), report_.warnings));
  DRS_ASSIGN_OR_RETURN(const ClusterState state,
                       capture_cluster(cluster_, source_, options_.topics, options_.groups, repository_.clock()));
  DRS_ASSIGN_OR_RETURN(ArchivePlan plan, make_plan(options_, state, last_, repository_.clock(), report_.warnings));
  const auto cancelling = control_.cancel.on_cancel([this] { source_.cancel(); });
  auto written = read_and_write(*session, plan, state);
  if (!written.ok()) return session->explain(std::move(written).error());
  if (control_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the archive was cancelled");
  DRS_ASSIGN_OR_RETURN(auto committed, begun.snapshot.commit(*session, report_.manifest, std::nullopt,
                                                             std::move(relies_on_), report_.warnings));
  report_.manifest_name = std::move(committed.first);
  report_.manifest_digest = committed.second;
  report_.elapsed = repository_.clock().steady() - started;
  report_.snapshots_before = std::move(begun.snapshot.snapshots());
  return std::move(report_);
}

}  // namespace

Result<void> validate(const ArchiveOptions& options) {
  DRS_RETURN_IF_ERROR(check_stream_name_bytes(options.stream));
  DRS_RETURN_IF_ERROR(check_tags_bytes(options.tags, kManifestTagsBytesMax - kAnomalyTagBytesMax));
  return validate(options.topics);
}

Result<ArchiveReport> archive(Repository& repository, TopicCluster& cluster, RecordSource& source,
                              const ArchiveOptions& options, const ArchiveBudget& budget, const RunControl& control) {
  return Archive(repository, cluster, source, options, budget, control).run();
}

Result<ArchivePreview> preview_archive(Repository& repository, TopicCluster& cluster, RecordSource& source,
                                       const ArchiveOptions& options, std::size_t index_cache_bytes) {
  DRS_RETURN_IF_ERROR(validate(options));
  std::vector<std::string> warnings;
  DRS_ASSIGN_OR_RETURN(PackCatalog packs, PackCatalog::load(repository));
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog snapshots, load_snapshots(repository, options.stream));
  DRS_ASSIGN_OR_RETURN(LastArchive last, open_last(repository, std::move(packs), snapshots.latest(options.stream),
                                                   index_cache_bytes, {}, warnings));
  DRS_ASSIGN_OR_RETURN(const ClusterState state,
                       capture_cluster(cluster, source, options.topics, options.groups, repository.clock()));
  DRS_ASSIGN_OR_RETURN(ArchivePlan plan, make_plan(options, state, last, repository.clock(), warnings));
  plan.warnings.insert(plan.warnings.begin(), warnings.begin(), warnings.end());
  return ArchivePreview{std::move(plan), state.groups};
}

}  // namespace drs
