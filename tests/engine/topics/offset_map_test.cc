#include "engine/topics/offset_map.h"

#include <gtest/gtest.h>

#include "tests/engine/topics/archive_fixture.h"

namespace drs::test {
namespace {

void append(FakePartition& partition, int count) {
  for (int i = 0; i < count; ++i)
    partition.append({.timestamp_ms = 1000 + i, .value = "value " + std::to_string(partition.end)});
}

class OffsetMapTest : public ArchiveTest {
 protected:
  // Archives, restores, and translates the offset of a group.
  Result<std::int64_t> translated(std::int64_t committed, std::int64_t copy_begins_at) {
    append(kafka_.add_topic("orders", 1).partitions[0], 50);
    kafka_.committed["readers"] = {{{"orders", 0}, committed, ""}};
    EXPECT_TRUE(archive(options("orders")).ok());
    // Was there before, and was emptied.
    FakePartition& copy = kafka_.add_topic("copy", 1).partitions[0];
    copy.log_start = copy.end = copy_begins_at;
    for (const FakeRecord& record : kafka_.partition("orders", 0).log) copy.append(record);
    return offset_of_the_group();
  }
  Result<std::int64_t> offset_of_the_group() {
    const std::unique_ptr<OpenTopics> open = this->open();
    TopicChoice choice;
    choice.renames = {"orders=copy"};
    DRS_ASSIGN_OR_RETURN(const std::vector<ChosenTopic> topics, choose_topics(open->view(), choice));
    DRS_ASSIGN_OR_RETURN(const auto groups, translate_offsets(open->view(), topics, "*", kafka_, kafka_));
    return groups.at(0).offsets.at(0).offset;
  }
};

TEST_F(OffsetMapTest, AGroupInTheMiddleOfATopicThatWasThereBefore) {
  EXPECT_EQ(*translated(20, 10), 30);
}

TEST_F(OffsetMapTest, AGroupAtTheEndOfATopicThatWasThereBefore) {
  EXPECT_EQ(*translated(50, 10), 60);
}

TEST_F(OffsetMapTest, AGroupAtTheEndOfATopicWhoseLogBeganWhereTheArchivedOneEnds) {
  EXPECT_EQ(*translated(50, 50), 100);
}

TEST_F(OffsetMapTest, AGroupAtTheEndOfATopicOfWhichRetentionHasLeftNothing) {
  EXPECT_EQ(*translated(50, 0), 50);
  kafka_.partition("copy", 0).delete_before(50);
  EXPECT_EQ(*offset_of_the_group(), 50);
}

TEST_F(OffsetMapTest, AGroupAtTheEndOfATopicThatIsNotTheRestoredOne) {
  append(kafka_.add_topic("orders", 1).partitions[0], 50);
  kafka_.committed["readers"] = {{{"orders", 0}, 50, ""}};
  ASSERT_TRUE(archive(options("orders")).ok());
  kafka_.add_topic("copy", 1);
  for (int i = 0; i < 70; ++i) kafka_.partition("copy", 0).append({.timestamp_ms = i, .value = "another"});
  const auto offset = offset_of_the_group();
  ASSERT_FALSE(offset.ok());
  EXPECT_EQ(offset.error().code, ErrorCode::kSinkClosed);
}

}  // namespace
}  // namespace drs::test
