// What the configuration of a topic at the target would do to restored records.
#include "engine/topics/restore_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNowMs = 20'000 * kDayMs;

class RestoreLimits : public ::testing::Test {
 protected:
  // Its records are from `oldest` to `newest` days old.
  ChosenTopic topic(std::int64_t oldest, std::int64_t newest) {
    CatalogueExtent extent;
    extent.extent.records = 10;
    extent.extent.least_ms = kNowMs - oldest * kDayMs;
    extent.extent.greatest_ms = kNowMs - newest * kDayMs;
    ChosenPartition partition;
    partition.extents = {extent};
    return {&source_, "orders.restored", {partition}};
  }
  RestorePreflight existing(const ChosenTopic& topic, const std::vector<TopicConfig>& configs) {
    RestorePreflight preflight;
    judge_existing(topic, configs, kNowMs, preflight);
    return preflight;
  }
  RestorePreflight created(const ChosenTopic& topic) {
    RestorePreflight preflight;
    judge_retention(topic, kNowMs, preflight);
    return preflight;
  }

  CatalogueTopic source_;
};

TEST_F(RestoreLimits, AnExistingTopicThatKeepsEverythingIsFine) {
  const RestorePreflight preflight = existing(topic(900, -5), {{.name = "retention.ms", .value = "-1"}});
  EXPECT_THAT(preflight.conflicts, IsEmpty());
  EXPECT_THAT(preflight.remarks, IsEmpty());
}

TEST_F(RestoreLimits, AnExistingTopicThatRewritesTimesIsRefused) {
  EXPECT_THAT(existing(topic(1, 0), {{.name = "message.timestamp.type", .value = "LogAppendTime"}}).conflicts,
              ElementsAre(HasSubstr("LogAppendTime")));
}

TEST_F(RestoreLimits, TimestampsBeyondALimitAreRefused) {
  const TopicConfig keep{.name = "retention.ms", .value = "-1"};
  const TopicConfig before{.name = "message.timestamp.before.max.ms", .value = std::to_string(3 * kDayMs)};
  const TopicConfig after{.name = "message.timestamp.after.max.ms", .value = "3600000"};
  const TopicConfig either{.name = "message.timestamp.difference.max.ms", .value = std::to_string(3 * kDayMs)};
  EXPECT_THAT(existing(topic(2, 0), {keep, before, after}).conflicts, IsEmpty());
  EXPECT_THAT(existing(topic(4, 0), {keep, before, after}).conflicts, ElementsAre(HasSubstr("before.max.ms")));
  EXPECT_THAT(existing(topic(2, -1), {keep, before, after}).conflicts, ElementsAre(HasSubstr("after.max.ms")));
  EXPECT_THAT(existing(topic(4, 0), {keep, either}).conflicts, ElementsAre(HasSubstr("difference.max.ms")));
}

TEST_F(RestoreLimits, RetentionThatDeletesAllIsRefusedAndOneThatDeletesSomeIsSaid) {
  EXPECT_THAT(existing(topic(30, 8), {}).conflicts, ElementsAre(HasSubstr("8 days old"))) << "the default, 7 days";
  const RestorePreflight some = existing(topic(30, 1), {});
  EXPECT_THAT(some.conflicts, IsEmpty());
  EXPECT_THAT(some.remarks, ElementsAre(HasSubstr("30 days old")));
  EXPECT_THAT(existing(topic(30, 8), {{.name = "cleanup.policy", .value = "compact"}}).conflicts, IsEmpty());
}

TEST_F(RestoreLimits, SmallerMessagesThanTheArchivedTopicTookAreSaid) {
  source_.configs = {{.name = "max.message.bytes", .value = "20000000"}};
  EXPECT_THAT(existing(topic(1, 0), {}).remarks, ElementsAre(HasSubstr("1048588")));
  EXPECT_THAT(existing(topic(1, 0), source_.configs).remarks, IsEmpty());
}

TEST_F(RestoreLimits, WhatTheTrueRetentionWillDeleteIsSaid) {
  EXPECT_THAT(created(topic(6, 0)).remarks, IsEmpty());
  EXPECT_THAT(created(topic(8, 0)).remarks, ElementsAre(HasSubstr("the cluster's default, and if that is shorter")));
  source_.configs = {{.name = "retention.ms", .value = std::to_string(2 * kDayMs)}};
  EXPECT_THAT(created(topic(6, 0)).remarks, ElementsAre(HasSubstr("retention.ms of 2 days")));
  source_.configs = {{.name = "retention.ms", .value = "-1"}};
  EXPECT_THAT(created(topic(600, 0)).remarks, IsEmpty());
}

TEST_F(RestoreLimits, RecordsWithoutATimeHaveNoAge) {
  ChosenTopic timeless = topic(0, 0);
  timeless.partitions[0].extents[0].extent.least_ms = -1;
  timeless.partitions[0].extents[0].extent.greatest_ms = -1;
  EXPECT_THAT(existing(timeless, {}).conflicts, IsEmpty());
  EXPECT_THAT(created(timeless).remarks, IsEmpty());
}

}  // namespace
}  // namespace drs
