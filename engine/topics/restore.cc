#include "engine/topics/restore.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "engine/topics/cluster_error.h"
#include "engine/topics/record_pull.h"
#include "engine/topics/restore_limits.h"
#include "engine/topics/resume_check.h"
#include "engine/topics/topic_configs.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kSettleEvery{500};
constexpr int kSettledTimes = 4;  // in a row
constexpr int kSettleTries = 120;
constexpr std::chrono::milliseconds kKnownEvery{250};
constexpr int kKnownTries = 120;

// What the topic was configured with itself.
std::map<std::string, std::string> true_configs(const CatalogueTopic& topic) {
  std::map<std::string, std::string> configs;
  for (const TopicConfig& config : topic.configs)
    if (config.source == ConfigSource::kTopic && config.value) configs[config.name] = *config.value;
  return configs;
}

std::string compression_of(const CatalogueTopic& topic) {
  const std::string type = config_value(topic.configs, "compression.type").value_or("producer");
  if (type == "producer") return "zstd";
  return type == "uncompressed" ? "none" : type;
}

// Asks about topics that exist until no broker answers that it does not know them: brokers learn of a new topic one
// after the other, and each client asks another one.
template <typename Ask>
auto once_known(const CancelToken& cancel, Ask ask) -> decltype(ask()) {
  for (int attempt = 1;; ++attempt) {
    auto answer = ask();
    if (answer.ok() || answer.error().code != ErrorCode::kNotFound || attempt == kKnownTries) return answer;
    if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "the restore was cancelled");
    std::this_thread::sleep_for(kKnownEvery);
  }
}

class TopicRestore {
 public:
  TopicRestore(TopicView& view, RangeRestore& restore, const RestoreClients& clients, const RestoreOptions& options,
               RestorePlan plan, const RunControl& control)
      : view_(view),
        restore_(restore),
        clients_(clients),
        options_(options),
        control_(control),
        topics_(std::move(plan.topics)),
        preflight_(std::move(plan.preflight)) {}
  Result<RestoreReport> run();

 private:
  struct Written {
    std::uint32_t number = 0;   // in the sink
    std::uint64_t there = 0;    // records that were there when the run began
    std::uint64_t records = 0;  // written by this run
  };
  void begin();
  Result<void> create_topics();
  Result<void> lift_limits(const ChosenTopic& topic);
  Result<void> find_positions();
  Result<std::vector<PartitionEnds>> stable_ends();
  void expect_bytes();
  Result<void> open_partitions();
  Result<void> write(const PartitionIndex& at, const Record& record);
  Result<void> check_counts();
  Result<void> prove();
  Result<void> set_true_configs();
  [[nodiscard]] std::vector<TopicPartition> targets() const;

  TopicView& view_;
  RangeRestore& restore_;
  const RestoreClients& clients_;
  const RestoreOptions& options_;
  const RunControl control_;
  const std::vector<ChosenTopic> topics_;
  const RestorePreflight preflight_;
  bool begun_ = false;
  std::vector<bool> created_;  // by this restore, or by the one that it resumes
  std::vector<std::vector<Written>> written_;
  std::vector<std::int64_t> starts_;  // of targets()
  RestoreReport report_;
};

std::vector<TopicPartition> TopicRestore::targets() const {
  std::vector<TopicPartition> partitions;
  for (const ChosenTopic& topic : topics_)
    for (const ChosenPartition& partition : topic.partitions) partitions.push_back({topic.target, partition.number});
  return partitions;
}

void TopicRestore::begin() {
  if (!begun_ && options_.begins) options_.begins();
  begun_ = true;
}

Result<void> TopicRestore::create_topics() {
  DRS_ASSIGN_OR_RETURN(const ClusterView view, of_target(clients_.cluster.look()));
  for (const ChosenTopic& topic : topics_) {
    const NewTopic made = new_topic(topic, options_.target);
    const bool there = std::ranges::find(view.topics, topic.target, &ClusterTopic::name) != view.topics.end();
    bool created = !there;
    if (there && options_.target.resume && !options_.target.use_existing) {
      DRS_ASSIGN_OR_RETURN(const std::vector<TopicConfig> configs, of_target(clients_.cluster.configs(topic.target)));
      created = has_settings_of_restore(configs, made, *topic.source);
    }
    created_.push_back(created);
    if (there) continue;
    begin();
    DRS_RETURN_IF_ERROR(of_target(clients_.cluster.create(made)));
  }
  return {};
}

// What else keeps a topic from taking every record, in batches as large as ours: it may have had another
// max.message.bytes when it took them, and brokers since 4.0 refuse timestamps of more than an hour ahead. Which limits
// a cluster knows depends on its version, so the new topic is asked. A cluster may refuse to lift them: a record beyond
// one then ends the restore.
Result<void> TopicRestore::lift_limits(const ChosenTopic& topic) {
  const auto known = [&](auto ask) { return of_target(once_known(control_.cancel, ask)); };
  DRS_ASSIGN_OR_RETURN(const std::vector<TopicConfig> configs,
                       known([&] { return clients_.cluster.all_configs(topic.target); }));
  std::map<std::string, std::string> lifted;
  for (const TopicConfig& config : configs)
    if (const char* const none = no_limit(config.name); none != nullptr && config.value != none)
      lifted[config.name] = none;
  if (lifted.empty()) return {};
  DRS_ASSIGN_OR_RETURN(const std::vector<RefusedConfig> refused,
                       known([&] { return clients_.cluster.set_configs(topic.target, lifted); }));
  const std::int64_t archived = config_number(topic.source->configs, kMessageLimit).value_or(0);
  if (std::ranges::find(refused, kMessageLimit, &RefusedConfig::name) == refused.end()) return {};
  if (archived <= kDefaultMessageBytesMax) return {};  // our batches are as large as the default
  const auto set = known([&] {
    return clients_.cluster.set_configs(topic.target, {{std::string(kMessageLimit), std::to_string(archived)}});
  });
  return set.ok() ? Result<void>() : set.error();
}

// The ends of the targets, once they no longer change: requests of a producer that was killed may still lie in the
// sockets of a broker that was slow or stood still, which appends them one after the other.
Result<std::vector<PartitionEnds>> TopicRestore::stable_ends() {
  const std::vector<TopicPartition> partitions = targets();
  const auto capture = [&] {
    return of_target(once_known(control_.cancel, [&] { return clients_.source.capture(partitions); }));
  };
  DRS_ASSIGN_OR_RETURN(std::vector<PartitionEnds> before, capture());
  if (!options_.target.resume) return before;
  int settled = 0;
  for (int attempt = 0; attempt < kSettleTries; ++attempt) {
    if (control_.cancel.cancelled()) return Error(ErrorCode::kCancelled, "the restore was cancelled");
    std::this_thread::sleep_for(kSettleEvery);
    DRS_ASSIGN_OR_RETURN(std::vector<PartitionEnds> now, capture());
    const bool same = std::ranges::equal(before, now, [](const PartitionEnds& a, const PartitionEnds& b) {
      return a.high_watermark == b.high_watermark;
    });
    settled = same ? settled + 1 : 0;
    if (settled == kSettledTimes) return now;
    before = std::move(now);
  }
  return Error(ErrorCode::kUsage, "the topics at the target keep growing: something else writes to them");
}

// Where an interrupted restore ended: how many records each partition holds.
Result<void> TopicRestore::find_positions() {
  DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> ends, stable_ends());
  DRS_ASSIGN_OR_RETURN(const std::vector<HeldRecords> held, held_records(clients_.source, targets(), ends));
  std::size_t i = 0;
  for (const ChosenTopic& topic : topics_) {
    std::vector<Written>& partitions = written_.emplace_back(topic.partitions.size());
    for (std::size_t p = 0; p < topic.partitions.size(); ++p, ++i) {
      starts_.push_back(held[i].log_start);
      partitions[p].there = held[i].records;
      DRS_ASSIGN_OR_RETURN(const std::string why, why_not_resumable(view_, topic.partitions[p], held[i]));
      if (!why.empty())
        return Error(ErrorCode::kUsage,
                     "topic " + topic.target + ", partition " + std::to_string(p) + why + kNotOfARestore);
    }
  }
  return {};
}

// For the progress: of what is left to write, and of what is read back, at most.
void TopicRestore::expect_bytes() {
  std::deque<ProgressPart>& parts = control_.progress.parts;
  for (std::size_t t = 0; t < topics_.size(); ++t) {
    const RestoreSize size = size_of(topics_[t]);
    std::uint64_t there = 0;
    for (const Written& written : written_[t]) there += written.there;
    if (size.records == 0) continue;
    const double left = 1.0 - static_cast<double>(std::min(there, size.records)) / static_cast<double>(size.records);
    const std::uint64_t total = static_cast<std::uint64_t>(left * static_cast<double>(size.payload_bytes)) +
                                (options_.prove ? size.payload_bytes : 0);
    control_.progress.total_bytes += total;
    if (!parts.empty()) parts[t].total_bytes = total;
  }
}

Result<void> TopicRestore::open_partitions() {
  for (std::size_t t = 0; t < topics_.size(); ++t)
    for (std::size_t p = 0; p < topics_[t].partitions.size(); ++p) {
      const TopicPartition partition{topics_[t].target, topics_[t].partitions[p].number};
      const std::string compression = compression_of(*topics_[t].source);
      DRS_ASSIGN_OR_RETURN(
          written_[t][p].number,
          of_target(once_known(control_.cancel, [&] { return clients_.sink.open(partition, compression); })));
    }
  return {};
}

Result<void> TopicRestore::write(const PartitionIndex& at, const Record& record) {
  Written& written = written_[at.topic][at.partition];
  auto queued = clients_.sink.write(written.number, record);
  if (!queued.ok())
    return as_target_error(std::move(queued).error())
        .with_context("at record " + std::to_string(record.offset) + " of topic " + topics_[at.topic].source->name +
                      ", partition " + std::to_string(at.partition) + " of the archive");
  ++written.records;
  const std::uint64_t payload = payload_bytes(record);
  report_.payload_bytes += payload;
  count_progress(control_.progress, at.topic, payload);
  return {};
}

// Each partition must hold exactly what was there and what was written.
Result<void> TopicRestore::check_counts() {
  DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> ends, of_target(clients_.source.capture(targets())));
  std::size_t i = 0;
  for (std::size_t t = 0; t < topics_.size(); ++t)
    for (std::size_t p = 0; p < topics_[t].partitions.size(); ++p, ++i) {
      const Written& written = written_[t][p];
      const auto found = static_cast<std::uint64_t>(ends[i].high_watermark - starts_[i]);
      if (found != written.there + written.records ||
          clients_.sink.position(written.number).acknowledged != written.records)
        return Error(ErrorCode::kSinkClosed,
                     "topic " + topics_[t].target + ", partition " + std::to_string(p) + " holds " +
                         std::to_string(found) + " records, expected " +
                         std::to_string(written.there + written.records) +
                         ": something else writes to it, or a retry of the producer was stored twice; if only this "
                         "restore writes to it, delete the topic and go on with --resume, which restores it again");
    }
  return {};
}

Result<void> TopicRestore::prove() {
  auto compared = compare_topics(view_, topics_, clients_.source, {}, control_);
  // The cluster is the target here. Damage of the archive stays what it is.
  if (!compared.ok() && compared.error().code == ErrorCode::kSource)
    return as_target_error(std::move(compared).error());
  if (!compared.ok()) return std::move(compared).error();
  report_.proof = *std::move(compared);
  for (const PartitionProof& proof : report_.proof->partitions)
    if (!proof.difference.empty())
      return Error(ErrorCode::kSinkClosed, "topic " + proof.target.topic + ", partition " +
                                               std::to_string(proof.target.partition) +
                                               " does not hold what was restored: " + proof.difference);
  return {};
}

Result<void> TopicRestore::set_true_configs() {
  for (std::size_t t = 0; t < topics_.size(); ++t) {
    if (!created_[t]) continue;
    std::map<std::string, std::string> wanted = true_configs(*topics_[t].source);
    const std::map<std::string, std::string> safe = new_topic(topics_[t], options_.target).configs;
    DRS_ASSIGN_OR_RETURN(const std::vector<TopicConfig> there, of_target(clients_.cluster.configs(topics_[t].target)));
    std::vector<std::string> unset;
    for (const TopicConfig& config : there) {
      const bool ours = safe.contains(config.name) || no_limit(config.name) != nullptr;
      if (ours && config.source == ConfigSource::kTopic && !wanted.contains(config.name)) unset.push_back(config.name);
    }
    DRS_ASSIGN_OR_RETURN(report_.topics[t].refused, of_target(clients_.cluster.set_configs(topics_[t].target, wanted)));
    DRS_ASSIGN_OR_RETURN(const std::vector<RefusedConfig> kept,
                         of_target(clients_.cluster.unset_configs(topics_[t].target, unset)));
    report_.topics[t].refused.insert(report_.topics[t].refused.end(), kept.begin(), kept.end());
  }
  return {};
}

Result<RestoreReport> TopicRestore::run() {
  if (!preflight_.conflicts.empty()) {
    std::string text = "the target does not fit:";
    for (const std::string& conflict : preflight_.conflicts) text += "\n" + conflict;
    return Error(ErrorCode::kUsage, text);
  }
  DRS_RETURN_IF_ERROR(create_topics());
  DRS_RETURN_IF_ERROR(find_positions());
  begin();
  // Now that what is there is known to be ours. An interrupted restore may have ended before this.
  for (std::size_t t = 0; t < topics_.size(); ++t)
    if (created_[t]) DRS_RETURN_IF_ERROR(lift_limits(topics_[t]));
  expect_bytes();
  DRS_RETURN_IF_ERROR(open_partitions());
  std::vector<std::vector<std::uint64_t>> skips;
  for (const std::vector<Written>& partitions : written_) {
    skips.emplace_back();
    for (const Written& written : partitions) skips.back().push_back(written.there);
  }
  RecordPull pull(restore_, view_, topics_, std::move(skips));
  DRS_RETURN_IF_ERROR(pull.run([this](const PartitionIndex& at, const Record& record) { return write(at, record); }));
  DRS_RETURN_IF_ERROR(of_target(clients_.sink.flush()));
  for (std::size_t t = 0; t < topics_.size(); ++t) {
    RestoredTopic topic{topics_[t].source->name, topics_[t].target, 0, 0, {}};
    for (const Written& written : written_[t]) {
      topic.records += written.records;
      topic.records_there += written.there;
    }
    report_.records += topic.records;
    report_.topics.push_back(std::move(topic));
  }
  DRS_RETURN_IF_ERROR(check_counts());
  if (options_.prove) DRS_RETURN_IF_ERROR(prove());
  DRS_RETURN_IF_ERROR(set_true_configs());
  return std::move(report_);
}

}  // namespace

Result<RestorePlan> plan_restore(TopicView& view, const RestoreOptions& options, TopicCluster& cluster,
                                 RecordSource& source) {
  RestorePlan plan;
  DRS_ASSIGN_OR_RETURN(plan.topics, choose_topics(view, options.choice));
  DRS_ASSIGN_OR_RETURN(plan.preflight, of_target(check_target(plan.topics, options.target, cluster, source)));
  DRS_RETURN_IF_ERROR(check_resumed(view, plan.topics, options.target, cluster, source, plan.preflight));
  return plan;
}

Result<RestoreReport> restore_topics(TopicView& view, RangeRestore& restore, const RestoreClients& clients,
                                     const RestoreOptions& options, RestorePlan plan, const RunControl& control) {
  return TopicRestore(view, restore, clients, options, std::move(plan), control).run();
}

}  // namespace drs
