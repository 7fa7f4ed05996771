// What the configurations of a topic say. Any thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
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

// The same as a number; nothing if it is none.
inline std::optional<std::int64_t> config_number(std::span<const TopicConfig> configs, std::string_view name) {
  const std::optional<std::string> text = config_value(configs, name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

// Whether the brokers drop records that later ones of the same key replace.
inline bool is_compacted(std::span<const TopicConfig> configs) {
  return config_value(configs, "cleanup.policy").value_or("").find("compact") != std::string::npos;
}

}  // namespace drs
