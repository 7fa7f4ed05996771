#include "engine/topics/topic_selection.h"

#include <gmock/gmock.h>

#include "engine/topics/archive_plan.h"

namespace drs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<ClusterTopic> topics() {
  std::vector<ClusterTopic> topics;
  for (const char* const name : {"__consumer_offsets", "_schemas", "events.a", "events.b", "orders"}) {
    topics.emplace_back().name = name;
    topics.back().internal = std::string_view(name).starts_with("__");
  }
  return topics;
}

std::vector<std::string> names(const TopicPatterns& patterns) {
  std::vector<std::string> names;
  const auto selected = select_topics(patterns, topics());
  if (!selected.ok()) return {selected.error().message};
  for (const SelectedTopic& topic : *selected) names.push_back(topic.topic.name + (topic.literal ? "!" : ""));
  return names;
}

TEST(TopicSelection, TakesNamesGlobsAndWholeRegularExpressions) {
  EXPECT_THAT(names({{"orders"}, {}}), ElementsAre("orders!"));
  EXPECT_THAT(names({{"*"}, {}}), ElementsAre("_schemas", "events.a", "events.b", "orders"));
  EXPECT_THAT(names({{"events.*", "orders"}, {"*.b"}}), ElementsAre("events.a", "orders!"));
  EXPECT_THAT(names({{"re:events\\.[ab],?"}, {}}), ElementsAre("events.a", "events.b"));
  EXPECT_THAT(names({{"re:order"}, {}}), ElementsAre(HasSubstr("no topic of the cluster matches")));
  EXPECT_THAT(names({{"__consumer_offsets"}, {}}), ElementsAre("__consumer_offsets!"));
}

TEST(TopicSelection, RefusesWhatSelectsNothing) {
  EXPECT_THAT(names({{"absent"}, {}}), ElementsAre(HasSubstr("no topic 'absent'")));
  EXPECT_THAT(names({{"*"}, {"*"}}), ElementsAre(HasSubstr("excluded")));
  EXPECT_EQ(validate(TopicPatterns{{"re:("}, {}}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(validate(TopicPatterns{{""}, {}}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(validate(TopicPatterns{}).error().code, ErrorCode::kUsage);
}

TEST(History, IsReadAndOrdered) {
  for (const char* const text : {"live", "all", "90d", "12h"}) EXPECT_EQ(to_string(*parse_history(text)), text);
  for (const char* const text : {"", "d", "0d", "-1d", "9", "9x", "1.5d"})
    EXPECT_FALSE(parse_history(text).ok()) << text;
  EXPECT_TRUE(parse_history("live")->keeps_less_than(*parse_history("1h")));
  EXPECT_TRUE(parse_history("2d")->keeps_less_than(*parse_history("49h")));
  EXPECT_FALSE(parse_history("all")->keeps_less_than(*parse_history("1000d")));
}

}  // namespace
}  // namespace drs
