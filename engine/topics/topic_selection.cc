#include "engine/topics/topic_selection.h"

#include <algorithm>

#include "io/base/pattern.h"

namespace drs {
namespace {

constexpr std::string_view kRegexPrefix = "re:";

bool is_literal(const std::string& pattern) {
  return !pattern.starts_with(kRegexPrefix) && !is_glob(pattern);
}

Result<void> check_pattern(const std::string& pattern) {
  if (pattern.empty() || pattern == kRegexPrefix)
    return Error(ErrorCode::kUsage, "an empty name of a topic is not accepted");
  if (!pattern.starts_with(kRegexPrefix)) return {};
  const auto compiled = Pattern::compile(pattern.substr(kRegexPrefix.size()));
  return compiled.ok() ? Result<void>() : compiled.error();
}

bool is_excluded(const TopicPatterns& patterns, const std::string& name) {
  return std::ranges::any_of(patterns.exclude,
                             [&](const std::string& pattern) { return matches_topic(pattern, name); });
}

}  // namespace

Result<void> validate(const TopicPatterns& patterns) {
  if (patterns.include.empty()) return Error(ErrorCode::kUsage, "--topics is missing: '*' takes all topics");
  for (const auto* list : {&patterns.include, &patterns.exclude})
    for (const std::string& pattern : *list) DRS_RETURN_IF_ERROR(check_pattern(pattern));
  return {};
}

bool matches_topic(const std::string& pattern, const std::string& name) {
  if (!pattern.starts_with(kRegexPrefix)) return is_literal(pattern) ? pattern == name : matches_glob(pattern, name);
  const auto compiled = Pattern::compile(pattern.substr(kRegexPrefix.size()));
  return compiled.ok() && compiled->matches(name);
}

Result<std::vector<SelectedTopic>> select_topics(const TopicPatterns& patterns,
                                                 const std::vector<ClusterTopic>& topics) {
  DRS_RETURN_IF_ERROR(validate(patterns));
  std::vector<int> chosen(topics.size(), 0);  // 1: by a pattern, 2: literally
  for (const std::string& pattern : patterns.include) {
    const bool literal = is_literal(pattern);
    bool found = false;
    for (std::size_t i = 0; i < topics.size(); ++i) {
      if ((topics[i].internal && !literal) || !matches_topic(pattern, topics[i].name)) continue;
      found = true;
      chosen[i] = std::max(chosen[i], literal ? 2 : 1);
    }
    if (!found && literal)
      return Error(ErrorCode::kSource, "the cluster has no topic '" + pattern +
                                           "', or the rights of this client do not show it (they need Describe on it)");
    if (!found)
      return Error(ErrorCode::kSource, "no topic of the cluster matches '" + pattern + "'; it shows " +
                                           std::to_string(topics.size()) + " topics to this client");
  }
  std::vector<SelectedTopic> selected;
  for (std::size_t i = 0; i < topics.size(); ++i)
    if (chosen[i] != 0 && !is_excluded(patterns, topics[i].name)) selected.push_back({topics[i], chosen[i] == 2});
  if (selected.empty()) return Error(ErrorCode::kSource, "every topic that --topics selects is excluded by --exclude");
  return selected;
}

}  // namespace drs
