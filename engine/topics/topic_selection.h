// Which topics an archive takes: literal names, globs, and regular expressions after "re:". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"
#include "io/topic_cluster.h"

namespace drs {

struct TopicPatterns {
  std::vector<std::string> include;  // at least one
  std::vector<std::string> exclude;
};

struct SelectedTopic {
  ClusterTopic topic;
  bool literal = false;  // named itself, not matched by a pattern
  friend bool operator==(const SelectedTopic&, const SelectedTopic&) = default;
};

// Errors: kUsage (a pattern that is empty or no regular expression).
Result<void> validate(const TopicPatterns& patterns);

// Whether `name` matches one pattern. The pattern is valid.
bool matches_topic(const std::string& pattern, const std::string& name);

// Selects from `topics`, which are sorted by name. Patterns, unlike literal names, leave out the brokers' own topics.
// A literal name that is excluded too is left out. Errors: as validate; kSource (a literal topic does not exist; a
// pattern matches no topic).
Result<std::vector<SelectedTopic>> select_topics(const TopicPatterns& patterns,
                                                 const std::vector<ClusterTopic>& topics);

}  // namespace drs
