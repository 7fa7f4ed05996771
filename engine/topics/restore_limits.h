// What the configuration of a topic at the target would do to the records that a restore writes into it. Any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/topics/restore_plan.h"
#include "io/base/topic.h"

namespace drs {

// Configurations of a topic that refuse records by the distance of their timestamps from the broker's clock. Brokers
// know the first two since 3.6, when the third became their old name.
inline constexpr std::string_view kTimestampLimits[] = {
    "message.timestamp.after.max.ms", "message.timestamp.before.max.ms", "message.timestamp.difference.max.ms"};

inline constexpr std::string_view kMessageLimit = "max.message.bytes";
inline constexpr std::int64_t kDefaultMessageBytesMax = 1'048'588;  // Kafka's default

// The value of a configuration that limits which records a topic takes, with which it takes all; null: it is no such
// configuration.
const char* no_limit(std::string_view config);

// Of an existing topic, whose configuration stays. Adds a conflict where records would be refused, changed or deleted
// at once, a remark where some may be. `there`: all its configurations, with the defaults.
void judge_existing(const ChosenTopic& topic, std::span<const TopicConfig> there, std::int64_t now_ms,
                    RestorePreflight& preflight);
// Of a topic that the restore creates: a remark if retention will delete records once its true configuration is set.
void judge_retention(const ChosenTopic& topic, std::int64_t now_ms, RestorePreflight& preflight);

}  // namespace drs
