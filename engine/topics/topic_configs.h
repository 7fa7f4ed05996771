// What the configurations of a topic say. Any thread.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/base/topic.h"

namespace drs {

// The value of a configuration; nothing if it is not among `configs`, or sensitive.
inline std::optional<std::string> config_value(std::span<const TopicConfig> configs, std::string_view name) {
  const auto found = std::ranges::find(configs, name, &TopicConfig::name);
  return found == configs.end() ? std::nullopt : found->value;
}

// Whether the brokers drop records that later ones of the same key replace.
inline bool is_compacted(std::span<const TopicConfig> configs) {
  return config_value(configs, "cleanup.policy").value_or("").find("compact") != std::string::npos;
}

}  // namespace drs
