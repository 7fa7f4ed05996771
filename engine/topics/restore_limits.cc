#include "engine/topics/restore_limits.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/topics/topic_configs.h"

namespace drs {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::int64_t kDefaultRetentionMs = 7 * kDayMs;  // Kafka's default

// The timestamps of the chosen records lie in [least, greatest]. Records without one (-1) do not count.
struct TimeSpan {
  std::int64_t least_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t greatest_ms = -1;
  [[nodiscard]] bool empty() const { return greatest_ms < 0; }
};

TimeSpan times_of(const ChosenTopic& topic) {
  TimeSpan times;
  for (const ChosenPartition& partition : topic.partitions)
    for (const CatalogueExtent& chosen : partition.extents) {
      const Extent& extent = chosen.extent;
      if (extent.records == 0 || extent.greatest_ms < 0) continue;
      times.least_ms = std::min(times.least_ms, std::max<std::int64_t>(extent.least_ms, 0));
      times.greatest_ms = std::max(times.greatest_ms, extent.greatest_ms);
      if (partition.window.since_ms) times.least_ms = std::max(times.least_ms, *partition.window.since_ms);
      if (partition.window.until_ms) times.greatest_ms = std::min(times.greatest_ms, *partition.window.until_ms - 1);
    }
  return times;
}

// "3 days", "5 hours".
std::string span_text(std::int64_t ms) {
  const bool days = ms >= 2 * kDayMs;
  const std::int64_t count = days ? ms / kDayMs : ms / kHourMs;
  return std::to_string(count) + (days ? " day" : " hour") + (count == 1 ? "" : "s");
}

// How long records are kept; absent: for ever.
std::optional<std::int64_t> retention_of(std::span<const TopicConfig> configs) {
  const std::string policy = config_value(configs, "cleanup.policy").value_or("delete");
  if (policy.find("delete") == std::string::npos) return std::nullopt;
  const std::int64_t retention_ms = config_number(configs, "retention.ms").value_or(kDefaultRetentionMs);
  return retention_ms < 0 ? std::nullopt : std::optional(retention_ms);
}

}  // namespace

const char* no_limit(std::string_view config) {
  if (config == kMessageLimit) return "2147483647";
  const bool of_timestamps = std::ranges::find(kTimestampLimits, config) != std::end(kTimestampLimits);
  return of_timestamps ? "9223372036854775807" : nullptr;
}

void judge_existing(const ChosenTopic& topic, std::span<const TopicConfig> there, std::int64_t now_ms,
                    RestorePreflight& preflight) {
  const auto conflict = [&](const std::string& text) { preflight.add_conflict(topic.target, text); };
  const auto remark = [&](const std::string& text) { preflight.add_remark(topic.target, text); };
  if (config_value(there, "message.timestamp.type") == "LogAppendTime")
    conflict(
        "its message.timestamp.type is LogAppendTime, so that every record would get the time of the restore: set "
        "CreateTime, or restore under another name");
  const std::int64_t archived_max =
      config_number(topic.source->configs, kMessageLimit).value_or(kDefaultMessageBytesMax);
  const std::int64_t there_max = config_number(there, kMessageLimit).value_or(kDefaultMessageBytesMax);
  preflight.batch_bytes =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(there_max - there_max / 8, 1, preflight.batch_bytes));
  if (there_max < archived_max)
    remark("its max.message.bytes is " + std::to_string(there_max) + ", that of the archived topic was " +
           std::to_string(archived_max) + ": a larger record ends the restore");
  const TimeSpan times = times_of(topic);
  if (times.empty()) return;
  const std::int64_t oldest_age = now_ms - times.least_ms;
  const std::int64_t newest_age = now_ms - times.greatest_ms;
  const auto refuses = [&](std::string_view limit_name, std::int64_t distance_ms) {
    const std::optional<std::int64_t> limit = config_number(there, limit_name);
    if (limit && distance_ms > *limit)
      conflict("its " + std::string(limit_name) + " is " + std::to_string(*limit) +
               ", and it would refuse records whose timestamps lie " + span_text(distance_ms) +
               " from now: raise it, or restore under another name");
  };
  refuses(kTimestampLimits[0], -newest_age);
  refuses(kTimestampLimits[1], oldest_age);
  if (!config_number(there, kTimestampLimits[1])) refuses(kTimestampLimits[2], std::max(oldest_age, -newest_age));
  const std::optional<std::int64_t> retention_ms = retention_of(there);
  if (!retention_ms || oldest_age <= *retention_ms) return;
  if (newest_age > *retention_ms)
    conflict("its retention.ms is " + std::to_string(*retention_ms) + ", and the newest record is " +
             span_text(newest_age) + " old: all would be deleted at once; raise it, or restore under another name");
  else
    remark("its retention.ms is " + std::to_string(*retention_ms) + ", and the oldest record is " +
           span_text(oldest_age) + " old: old ones may be deleted while it is being written; raise it first");
}

void judge_retention(const ChosenTopic& topic, std::int64_t now_ms, RestorePreflight& preflight) {
  const TimeSpan times = times_of(topic);
  std::vector<TopicConfig> own;
  for (const TopicConfig& config : topic.source->configs)
    if (config.source == ConfigSource::kTopic) own.push_back(config);
  const std::optional<std::int64_t> retention_ms = retention_of(own);
  if (times.empty() || !retention_ms || now_ms - times.least_ms <= *retention_ms) return;
  const bool stated = config_number(own, "retention.ms").has_value();
  preflight.add_remark(
      topic.target,
      "the oldest record is " + span_text(now_ms - times.least_ms) +
          " old; once the restore has proven the records, it sets the topic's " +
          (stated
               ? "retention.ms of " + span_text(*retention_ms) + ", and the cluster deletes what is older"
               : std::string("retention to the cluster's default, and if that is shorter, the cluster deletes what is "
                             "older")) +
          ": raise retention.ms right after the restore to keep them");
}

}  // namespace drs
