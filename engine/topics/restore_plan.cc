#include "engine/topics/restore_plan.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "engine/topics/offset_map.h"
#include "engine/topics/restore_limits.h"
#include "engine/topics/topic_configs.h"

namespace drs {
namespace {

constexpr std::string_view kTopicMark = "{topic}";
constexpr std::size_t kTopicNameMax = 249;

bool is_template(const std::string& rename) {
  return rename.find(kTopicMark) != std::string::npos && rename.find('=') == std::string::npos;
}

// Kafka's own rule for the names of topics.
bool is_topic_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= kTopicNameMax && name != "." && name != ".." &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string renamed(const std::string& topic, const std::vector<std::string>& renames) {
  for (const std::string& rename : renames)
    if (!is_template(rename) && rename.starts_with(topic + "=")) return rename.substr(topic.size() + 1);
  for (const std::string& rename : renames) {
    if (!is_template(rename)) continue;
    std::string name = rename;
    name.replace(name.find(kTopicMark), kTopicMark.size(), topic);
    return name;
  }
  return topic;
}

Result<std::vector<const CatalogueTopic*>> select(const TopicView& view, const TopicPatterns& patterns) {
  std::vector<ClusterTopic> names;
  for (const CatalogueTopic& topic : view.catalogue().topics)
    if (view.find(topic.name) == &topic) names.emplace_back().name = topic.name;
  TopicPatterns all = patterns;
  if (all.include.empty()) all.include = {"*"};
  auto selected = select_topics(all, names);
  if (!selected.ok())
    return Error(ErrorCode::kUsage, "the archive has no topic that --topics selects; `drstream show` lists its topics");
  std::vector<const CatalogueTopic*> topics;
  for (const SelectedTopic& topic : *selected) topics.push_back(view.find(topic.topic.name));
  return topics;
}

template <typename T>
std::optional<T> value_of(const std::map<TopicPartition, T>& map, const TopicPartition& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

Result<ChosenPartition> choose_partition(TopicView& view, const TopicChoice& choice, const std::string& topic,
                                         const CataloguePartition& partition) {
  const TopicPartition name{topic, partition.number};
  ChosenPartition chosen;
  chosen.number = partition.number;
  chosen.window.since_ms = choice.since_ms;
  chosen.window.until_ms = choice.until_ms;
  chosen.window.zero_as_one = choice.timestamp_zero_as_one;
  if (const auto from = value_of(choice.from_offsets, name)) chosen.window.from = *from;
  if (const auto to = value_of(choice.until_offsets, name)) chosen.window.to = *to;
  DRS_ASSIGN_OR_RETURN(std::vector<CatalogueExtent> extents, view.extents(partition));
  for (CatalogueExtent& extent : extents) {
    const Extent& whole = extent.extent;
    if (whole.records == 0 || !chosen.window.meets(extent.from, extent.to - 1, whole.least_ms, whole.greatest_ms))
      continue;
    DRS_ASSIGN_OR_RETURN(extent, view.clip(extent, chosen.window.from, chosen.window.to));
    chosen.records += extent.records;
    if (extent.records > 0) chosen.extents.push_back(std::move(extent));
  }
  return chosen;
}

Result<void> check_partitions(const std::map<TopicPartition, std::int64_t>& offsets,
                              const std::vector<ChosenTopic>& topics) {
  for (const auto& [partition, offset] : offsets) {
    const auto of = [&](const ChosenTopic& topic) {
      return topic.source->name == partition.topic && partition.partition < topic.partitions.size();
    };
    if (std::ranges::none_of(topics, of))
      return Error(ErrorCode::kUsage, "the selected topics have no partition " + partition.topic + "/" +
                                          std::to_string(partition.partition));
  }
  return {};
}

Result<void> check_renames(const std::vector<std::string>& renames, const std::vector<ChosenTopic>& topics) {
  for (const std::string& rename : renames) {
    const auto is_of = [&](const ChosenTopic& topic) { return rename.starts_with(topic.source->name + "="); };
    if (!is_template(rename) && std::ranges::none_of(topics, is_of))
      return Error(ErrorCode::kUsage, "--rename " + rename + " names none of the selected topics");
  }
  return {};
}

// A window in which no record lies is a mistake, unless the topics are empty.
Result<void> check_window(TopicView& view, const TopicChoice& choice, const std::vector<ChosenTopic>& topics) {
  if (!choice.by_time() && choice.from_offsets.empty() && choice.until_offsets.empty()) return {};
  bool empty = true;
  for (const ChosenTopic& topic : topics)
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      empty = empty && topic.source->partitions[p].records == 0;
      DRS_ASSIGN_OR_RETURN(const std::optional<RecordHash> first, hash_of_record(view, topic.partitions[p], 1));
      if (first) return {};
    }
  if (empty) return {};
  return Error(ErrorCode::kUsage,
               "no record of the selected topics lies in the window of --since, --until, --from-offset and "
               "--until-offset; `drstream show --topic` shows the offsets, `drstream kafka cat` the timestamps");
}

Result<void> check_names(const std::vector<ChosenTopic>& topics) {
  std::set<std::string> names;
  for (const ChosenTopic& topic : topics) {
    if (!is_topic_name(topic.target)) return Error(ErrorCode::kUsage, "'" + topic.target + "' is no name for a topic");
    if (!names.insert(topic.target).second)
      return Error(ErrorCode::kUsage, "two topics would be restored as '" + topic.target + "': change --rename");
  }
  return {};
}

// Names that differ by '.' and '_' alone: Kafka refuses the second, since their metrics would have one name.
bool collide(std::string_view a, std::string_view b) {
  const auto same = [](char one, char other) { return (one == '.' ? '_' : one) == (other == '.' ? '_' : other); };
  return a != b && std::ranges::equal(a, b, same);
}

// The topic with whose name that of new topic number `t` collides: one that exists, or an earlier one of the restore.
std::string colliding(const std::vector<ChosenTopic>& topics, std::size_t t, const ClusterView& view) {
  const std::string& name = topics[t].target;
  for (const ClusterTopic& there : view.topics)
    if (collide(there.name, name)) return there.name;
  for (const ChosenTopic& before : std::span(topics).first(t))
    if (collide(before.target, name)) return before.target;
  return "";
}

const ClusterTopic* find_topic(const ClusterView& view, const std::string& name) {
  const auto found = std::ranges::find(view.topics, name, &ClusterTopic::name);
  return found == view.topics.end() ? nullptr : &*found;
}

void remark_on_partial(const ChosenTopic& topic, RestorePreflight& preflight) {
  const auto is_partial = [](const CataloguePartition& one) { return one.state == PartitionState::kPartial; };
  const auto partial = std::ranges::count_if(topic.source->partitions, is_partial);
  if (partial > 0)
    preflight.add_remark(topic.target,
                         "the archive holds " + std::to_string(partial) + " of its " +
                             std::to_string(topic.source->partitions.size()) +
                             " partitions in part, since its run ended before it had read them; `drstream show "
                             "--topic` says how far");
}

// Adds why an existing topic cannot be written to, or what it would do to the records.
Result<void> check_existing(const ChosenTopic& topic, const ClusterTopic& there, const RestoreTarget& target,
                            TopicCluster& cluster, RecordSource& ends, RestorePreflight& preflight) {
  const auto conflict = [&](const std::string& why) -> Result<void> {
    preflight.add_conflict(topic.target, why);
    return {};
  };
  if (!target.use_existing && !target.resume)
    return conflict("it exists: choose another name by --rename, or --existing-topics use for an empty topic");
  if (there.partitions != topic.partitions.size())
    return conflict("it has " + std::to_string(there.partitions) + " partitions, the archived one " +
                    std::to_string(topic.partitions.size()));
  DRS_ASSIGN_OR_RETURN(const std::vector<TopicConfig> configs, cluster.all_configs(topic.target));
  if (is_compacted(configs) && target.resume && !target.use_existing)
    return conflict(
        "it is compacted: if a restore made it, its records were compared before that was set, and it is complete; "
        "leave it out by --topics or --exclude, or restore under another name");
  if (is_compacted(configs))
    return conflict(
        "it is compacted, so that records could disappear while it is being written: restore under another name");
  if (!target.resume) {
    std::vector<TopicPartition> partitions;
    for (std::uint32_t i = 0; i < there.partitions; ++i) partitions.push_back({topic.target, i});
    DRS_ASSIGN_OR_RETURN(const std::vector<PartitionEnds> found, ends.capture(partitions));
    for (std::size_t i = 0; i < found.size(); ++i)
      if (found[i].high_watermark > found[i].log_start)
        return conflict("partition " + std::to_string(i) + " holds records: only empty topics can be written to");
  }
  if (target.use_existing) judge_existing(topic, configs, target.now_ms, preflight);
  return {};
}

// Adds why a topic cannot be created: the cluster judges the user's rights and its own rules for new topics.
Result<void> check_new(const NewTopic& topic, std::uint32_t brokers, TopicCluster& cluster,
                       RestorePreflight& preflight) {
  const auto conflict = [&](const std::string& why) -> Result<void> {
    preflight.add_conflict(topic.name, why);
    return {};
  };
  if (topic.replication > static_cast<std::int64_t>(brokers))
    return conflict(std::to_string(topic.replication) + " replicas need as many brokers, and the cluster has " +
                    std::to_string(brokers) + ": give --replication-factor " + std::to_string(brokers) + " or less");
  const Result<void> tried = cluster.try_create(topic);
  if (tried.ok()) return {};
  switch (tried.error().code) {
    case ErrorCode::kUsage:
    case ErrorCode::kDenied: return conflict(tried.error().message);
    case ErrorCode::kAlreadyExists: return conflict("it exists, and this user may not see it: grant Describe on it");
    default: return tried.error();
  }
}

}  // namespace

RestoreSize size_of(const ChosenTopic& topic) {
  RestoreSize size;
  for (const ChosenPartition& partition : topic.partitions) {
    size.records += partition.records;
    for (const CatalogueExtent& extent : partition.extents) size.payload_bytes += extent.extent.payload_bytes;
  }
  return size;
}

Result<void> validate(const TopicChoice& choice) {
  if (!choice.topics.include.empty()) DRS_RETURN_IF_ERROR(validate(choice.topics));
  if (choice.since_ms && choice.until_ms && *choice.since_ms >= *choice.until_ms)
    return Error(ErrorCode::kUsage, "--since is not before --until, so that no record is selected");
  std::set<std::string> renamed;  // "": by a text for all others
  for (const std::string& rename : choice.renames) {
    const std::size_t equals = rename.find('=');
    const bool pair = equals != std::string::npos && equals > 0 && equals + 1 < rename.size();
    if (!pair && !is_template(rename))
      return Error(
          ErrorCode::kUsage,
          "'" + rename + "' renames nothing: give OLD=NEW, or a text with {topic}, such as '{topic}.restored'");
    const std::string old = is_template(rename) ? "" : rename.substr(0, equals);
    if (!renamed.insert(old).second)
      return Error(ErrorCode::kUsage, old.empty() ? "two texts of --rename have {topic}: give one"
                                                  : "--rename names topic " + old + " twice");
  }
  return {};
}

Result<std::vector<ChosenTopic>> choose_topics(TopicView& view, const TopicChoice& choice) {
  DRS_RETURN_IF_ERROR(validate(choice));
  DRS_ASSIGN_OR_RETURN(const std::vector<const CatalogueTopic*> selected, select(view, choice.topics));
  std::vector<ChosenTopic> topics;
  for (const CatalogueTopic* const source : selected) {
    ChosenTopic topic{source, renamed(source->name, choice.renames), {}};
    for (const CataloguePartition& partition : source->partitions) {
      auto chosen = choose_partition(view, choice, source->name, partition);
      if (!chosen.ok()) return std::move(chosen).error().with_context("topic " + source->name);
      topic.partitions.push_back(*std::move(chosen));
    }
    topics.push_back(std::move(topic));
  }
  DRS_RETURN_IF_ERROR(check_partitions(choice.from_offsets, topics));
  DRS_RETURN_IF_ERROR(check_partitions(choice.until_offsets, topics));
  DRS_RETURN_IF_ERROR(check_renames(choice.renames, topics));
  DRS_RETURN_IF_ERROR(check_names(topics));
  DRS_RETURN_IF_ERROR(check_window(view, choice, topics));
  return topics;
}

NewTopic new_topic(const ChosenTopic& topic, const RestoreTarget& target) {
  return {.name = topic.target,
          .partitions = static_cast<std::uint32_t>(topic.partitions.size()),
          .replication = target.replication.value_or(topic.source->replication),
          .configs = {{"cleanup.policy", "delete"},
                      {"retention.ms", "-1"},
                      {"retention.bytes", "-1"},
                      {"message.timestamp.type", "CreateTime"}}};
}

Result<RestorePreflight> check_target(const std::vector<ChosenTopic>& topics, const RestoreTarget& target,
                                      TopicCluster& cluster, RecordSource& ends) {
  RestorePreflight preflight;
  DRS_ASSIGN_OR_RETURN(const ClusterView view, cluster.look());
  for (std::size_t t = 0; t < topics.size(); ++t) {
    const ChosenTopic& topic = topics[t];
    remark_on_partial(topic, preflight);
    if (is_internal_topic(topic.target)) {  // the brokers fail where a client has created it
      preflight.add_conflict(topic.target,
                             "the brokers keep their own state in it: leave it out by --exclude, or restore it under "
                             "another name by --rename; `drstream kafka offsets` moves groups");
      continue;
    }
    if (const ClusterTopic* const there = find_topic(view, topic.target); there != nullptr) {
      const std::size_t conflicts = preflight.conflicts.size();
      DRS_RETURN_IF_ERROR(check_existing(topic, *there, target, cluster, ends, preflight));
      if (target.resume && preflight.conflicts.size() == conflicts) preflight.resumed.push_back(t);
      continue;
    }
    if (const std::string other = colliding(topics, t, view); !other.empty()) {
      preflight.add_conflict(topic.target, "for Kafka its name collides with that of " + other +
                                               ", where '.' and '_' are the same: change --rename");
      continue;
    }
    judge_retention(topic, target.now_ms, preflight);
    DRS_RETURN_IF_ERROR(check_new(new_topic(topic, target), view.brokers, cluster, preflight));
  }
  return preflight;
}

}  // namespace drs
