#include "engine/topics/restore.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/engine/topics/archive_fixture.h"
#include "tests/engine/topics/fake_sink.h"

namespace drs::test {
namespace {

FakeRecord numbered(std::int64_t n) {
  return {.timestamp_ms = 1'600'000'000'000 + n, .key = std::to_string(n % 5), .value = "value " + std::to_string(n)};
}

void append(FakePartition& partition, int count) {
  for (int i = 0; i < count; ++i) partition.append(numbered(partition.end));
}

// The records without what a restore does not keep.
std::vector<FakeRecord> content(std::vector<FakeRecord> records) {
  for (FakeRecord& record : records) record.offset = 0;
  return records;
}

class RestoreTest : public ArchiveTest {
 protected:
  Result<RestoreReport> restore(const RestoreOptions& options) {
    const std::unique_ptr<OpenTopics> open = this->open();
    const PullMemory memory =
        plan_pull_share({.bytes = kMemoryBytesMin, .ceiling = "the test's memory", .store = {}}, 2);
    DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
    ProgressCounters progress;
    const RunControl control{progress, cancel_};
    DRS_ASSIGN_OR_RETURN(const auto pull, RangeRestore::open(*repository_, {memory, arena}, control, {}));
    FakeSink sink(kafka_);
    DRS_ASSIGN_OR_RETURN(RestorePlan plan, plan_restore(open->view(), options, kafka_, kafka_));
    return restore_topics(open->view(), *pull, {kafka_, kafka_, sink}, options, std::move(plan), control);
  }
  // Of `orders` as `copy`.
  static RestoreOptions to_copy() {
    RestoreOptions options;
    options.choice.topics.include = {"orders"};
    options.choice.renames = {"{topic}.copy"};
    return options;
  }
  // What an interrupted restore leaves: the first records.
  void leave(std::size_t records) {
    CatalogueTopic orders;
    orders.name = "orders";
    FakeTopic& copy = kafka_.add_topic("orders.copy", 1);
    for (const auto& [name, value] : new_topic({&orders, "orders.copy", {}}, {}).configs)
      copy.configs.push_back({name, value, ConfigSource::kTopic});
    for (std::size_t i = 0; i < records; ++i) copy.partitions[0].append(everything_[i]);
  }
  FakePartition& orders() { return kafka_.partition("orders", 0); }
  std::vector<FakeRecord> copied() { return content(kafka_.partition("orders.copy", 0).log); }

  std::vector<FakeRecord> everything_;
};

TEST_F(RestoreTest, ResumesWhereAPartitionHasSeveralExtentsInAStream) {
  kafka_.add_topic("orders", 1);
  ArchiveOptions all = options("orders");
  all.history = History{History::Kind::kAll, 0};
  append(orders(), 1000);
  everything_ = orders().log;
  ASSERT_TRUE(archive(all).ok());
  orders().skip(500);
  orders().delete_before(1500);
  append(orders(), 100);
  everything_.insert(everything_.end(), orders().log.begin(), orders().log.end());
  ASSERT_TRUE(archive(all).ok());
  all.consolidation.streams_max = 1;
  ASSERT_TRUE(archive(all).ok());
  leave(950);
  RestoreOptions options = to_copy();
  options.target.resume = true;
  const auto report = restore(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 150U);
  EXPECT_EQ(copied(), content(everything_));
}

TEST_F(RestoreTest, KeepsTheOrderOfWhatWasRewrittenAndOfWhatWasReadAgain) {
  kafka_.add_topic("orders", 1);
  std::vector<std::string> packs;
  for (int run = 0; run < 3; ++run) {
    append(orders(), 100);
    ASSERT_TRUE(archive(options("orders")).ok());
    const std::vector<ObjectInfo> listed = *repository_->list(ObjectKind::kPack);
    for (const ObjectInfo& pack : listed)
      if (std::ranges::find(packs, pack.key) == packs.end()) packs.push_back(pack.key);
  }
  ASSERT_EQ(packs.size(), 3U);
  ASSERT_TRUE(objects_->erase(packs[1]));
  ArchiveOptions few = options("orders");
  few.consolidation.streams_max = 1;
  ASSERT_TRUE(archive(few).ok());
  const auto report = restore(to_copy());
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(copied(), content(orders().log));
}

TEST_F(RestoreTest, TimestampZeroIsWrittenAndComparedAsOne) {
  kafka_.add_topic("orders", 1);
  append(orders(), 10);
  orders().append({.timestamp_ms = 0, .value = "at the beginning of time"});
  append(orders(), 10);
  orders().append({.timestamp_ms = 0, .value = "and again"});
  ASSERT_TRUE(archive(options("orders")).ok());
  RestoreOptions options = to_copy();
  options.choice.timestamp_zero_as_one = true;
  const auto report = restore(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  std::vector<FakeRecord> expected = content(orders().log);
  expected[10].timestamp_ms = expected[21].timestamp_ms = 1;
  EXPECT_EQ(copied(), expected);
  options.target.resume = true;
  const auto again = restore(options);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->records, 0U);
}

TEST_F(RestoreTest, MoreRecordsThanWereChosenAreNoInterruptedRestore) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  everything_ = orders().log;
  ASSERT_TRUE(archive(options("orders")).ok());
  leave(80);
  RestoreOptions options = to_copy();
  options.choice.until_ms = numbered(50).timestamp_ms;
  options.target.resume = true;
  const auto report = restore(options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUsage);
  EXPECT_THAT(report.error().message, ::testing::HasSubstr("not what an interrupted restore"));
}

TEST_F(RestoreTest, SaysWhenItBeginsToChangeTheTarget) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  ASSERT_TRUE(archive(options("orders")).ok());
  RestoreOptions options = to_copy();
  int begun = 0;
  options.begins = [&] {
    ++begun;
    EXPECT_FALSE(kafka_.topics.contains("orders.copy"));
  };
  ASSERT_TRUE(restore(options).ok());
  EXPECT_EQ(begun, 1);
  // The topic is in the way.
  ASSERT_FALSE(restore(options).ok());
  EXPECT_EQ(begun, 1);
}

TEST_F(RestoreTest, WritesNoTopicOfTheBrokers) {
  kafka_.add_topic("__consumer_offsets", 1);
  kafka_.partition("__consumer_offsets", 0).append(numbered(1));
  ASSERT_TRUE(archive(options("__consumer_offsets")).ok());
  kafka_.topics.clear();
  RestoreOptions options;
  const auto refused = restore(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_TRUE(kafka_.topics.empty());
  options.choice.renames = {"__consumer_offsets=offsets"};
  const auto report = restore(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->records, 1U);
}

TEST_F(RestoreTest, NewNamesThatCollideForKafkaAreConflicts) {
  for (const char* name : {"e.x", "e-x", "f"}) kafka_.add_topic(name, 1);
  ASSERT_TRUE(archive(options()).ok());
  kafka_.topics.clear();
  kafka_.add_topic("g_1.y", 1);
  const std::unique_ptr<OpenTopics> open = this->open();
  RestoreOptions options;
  options.choice.renames = {"e-x=e_x", "f=g.1_y"};
  const auto plan = plan_restore(open->view(), options, kafka_, kafka_);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(plan->preflight.conflicts, ::testing::UnorderedElementsAre(
                                             ::testing::AllOf(::testing::HasSubstr("e.x"), ::testing::HasSubstr("e_x")),
                                             ::testing::HasSubstr("g_1.y")));
}

TEST_F(RestoreTest, DoesNotConfigureATopicThatSomethingElseFilled) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  ASSERT_TRUE(archive(options("orders")).ok());
  FakeTopic& other = kafka_.add_topic("orders.copy", 1);
  other.configs = {{"max.message.bytes", "1000", ConfigSource::kTopic}};
  other.partitions[0].append(numbered(7));
  RestoreOptions options = to_copy();
  options.target.resume = true;
  const auto report = restore(options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUsage);
  EXPECT_EQ(kafka_.topics.at("orders.copy").configs,
            (std::vector<TopicConfig>{{"max.message.bytes", "1000", ConfigSource::kTopic}}));
}

TEST_F(RestoreTest, ResumesNoTopicThatLacksRecordsAndTheSettingsOfARestore) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  everything_ = orders().log;
  ASSERT_TRUE(archive(options("orders")).ok());
  RestoreOptions options = to_copy();
  options.target.resume = true;
  const std::vector<TopicConfig> own = {{"max.message.bytes", "2147483647", ConfigSource::kTopic},
                                        {"retention.ms", "-1", ConfigSource::kTopic}};
  for (const std::size_t records : {0U, 30U}) {
    leave(records);
    kafka_.topics.at("orders.copy").configs = own;
    const std::unique_ptr<OpenTopics> open = this->open();
    const auto plan = plan_restore(open->view(), options, kafka_, kafka_);
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_THAT(plan->preflight.conflicts, ::testing::ElementsAre(::testing::HasSubstr("unfinished restore")));
    const auto report = restore(options);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kUsage);
    EXPECT_EQ(copied().size(), records);
    EXPECT_EQ(kafka_.topics.at("orders.copy").configs, own);
  }
  // Someone says that it is to be filled.
  options.target.use_existing = true;
  const auto report = restore(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(copied(), content(everything_));
  EXPECT_EQ(kafka_.topics.at("orders.copy").configs, own);
}

TEST_F(RestoreTest, ALiveTopicIsNotConfiguredIfNoneOfItsRecordsIsChosen) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  kafka_.add_topic("others", 1);
  kafka_.partition("others", 0).append({.timestamp_ms = 1, .value = "old"});
  ASSERT_TRUE(archive(options()).ok());
  const std::vector<TopicConfig> live = {{"retention.ms", "-1", ConfigSource::kTopic}};
  kafka_.topics.at("orders").configs = live;
  RestoreOptions options;
  options.choice.until_ms = 1000;
  options.target.resume = true;
  const std::unique_ptr<OpenTopics> open = this->open();
  const auto plan = plan_restore(open->view(), options, kafka_, kafka_);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_THAT(plan->preflight.conflicts, ::testing::ElementsAre(::testing::HasSubstr("more than there are")));
  ASSERT_FALSE(restore(options).ok());
  EXPECT_EQ(kafka_.topics.at("orders").configs, live);
}

TEST_F(RestoreTest, DoesNotConfigureATopicThatNoRestoreHasCreated) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  everything_ = orders().log;
  ASSERT_TRUE(archive(options("orders")).ok());
  leave(100);
  const std::vector<TopicConfig> longer = {{"retention.ms", "9000000000", ConfigSource::kTopic}};
  kafka_.topics.at("orders.copy").configs = longer;
  RestoreOptions options = to_copy();
  options.target.resume = true;
  const auto report = restore(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(kafka_.topics.at("orders.copy").configs, longer);
}

TEST_F(RestoreTest, ConfiguresWhatAnInterruptedRestoreHasCreated) {
  kafka_.add_topic("orders", 1).configs = {{"retention.ms", "9000000000", ConfigSource::kTopic}};
  append(orders(), 100);
  ASSERT_TRUE(archive(options("orders")).ok());
  kafka_.before_poll = [&] { kafka_.partition("orders.copy", 0).end = 50; };
  ASSERT_FALSE(restore(to_copy()).ok());
  kafka_.before_poll = nullptr;
  kafka_.partition("orders.copy", 0).end = 100;
  RestoreOptions options = to_copy();
  options.target.resume = true;
  const auto report = restore(options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(kafka_.topics.at("orders.copy").configs, kafka_.topics.at("orders").configs);
}

TEST_F(RestoreTest, ASelectionThatSelectsNothingIsAMistake) {
  kafka_.add_topic("orders", 1);
  kafka_.add_topic("empty", 1);
  append(orders(), 100);
  ASSERT_TRUE(archive(options()).ok());
  const std::unique_ptr<OpenTopics> open = this->open();
  const auto code_of = [&](const auto& change) -> std::optional<ErrorCode> {
    TopicChoice choice;
    change(choice);
    const auto chosen = choose_topics(open->view(), choice);
    return chosen.ok() ? std::nullopt : std::optional(chosen.error().code);
  };
  const auto renamed = [&](std::vector<std::string> renames) {
    return code_of([&](TopicChoice& choice) { choice.renames = renames; });
  };
  EXPECT_EQ(renamed({"orders=x", "{topic}.r"}), std::nullopt);
  EXPECT_EQ(renamed({"odrers=x"}), ErrorCode::kUsage);
  EXPECT_EQ(renamed({"orders=x", "orders=y"}), ErrorCode::kUsage);
  EXPECT_EQ(renamed({"{topic}.a", "{topic}.b"}), ErrorCode::kUsage);
  const auto timed = [&](std::optional<std::int64_t> since, std::optional<std::int64_t> until) {
    return code_of([&](TopicChoice& choice) { choice.since_ms = since, choice.until_ms = until; });
  };
  const std::int64_t first_ms = numbered(0).timestamp_ms;
  EXPECT_EQ(timed({}, first_ms + 1), std::nullopt);
  EXPECT_EQ(timed({}, first_ms), ErrorCode::kUsage);
  EXPECT_EQ(timed(first_ms + 50, first_ms + 40), ErrorCode::kUsage);
  EXPECT_EQ(code_of([](TopicChoice& choice) { choice.from_offsets[{"orders", 0}] = 100; }), ErrorCode::kUsage);
  // What is empty in the archive has no records to select.
  const auto of_empty = [&](TopicChoice& choice) {
    choice.topics.include = {"empty"};
    choice.until_ms = first_ms;
  };
  EXPECT_EQ(code_of(of_empty), std::nullopt);
}

TEST_F(RestoreTest, DamageNamesTheRecordsThatAreLost) {
  kafka_.add_topic("orders", 2);
  append(orders(), 100);
  ASSERT_TRUE(archive(options("orders")).ok());
  append(kafka_.partition("orders", 1), 70);
  const std::vector<ObjectInfo> before = *repository_->list(ObjectKind::kPack);
  ASSERT_TRUE(archive(options("orders")).ok());
  for (const ObjectInfo& pack : before) ASSERT_TRUE(objects_->erase(pack.key));
  const auto report = restore(to_copy());
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, ::testing::HasSubstr("topic orders, partition 0, offsets 0 to 99"));
  EXPECT_THAT(report.error().message, ::testing::Not(::testing::HasSubstr("partition 1")));
}

TEST_F(RestoreTest, AComparisonSaysThatTheTargetItselfRemovesRecords) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  ASSERT_TRUE(archive(options("orders")).ok());
  const auto difference = [&] {
    const std::unique_ptr<OpenTopics> open = this->open();
    ProgressCounters progress;
    auto proof = compare_topics(open->view(), *choose_topics(open->view(), {}), kafka_, {}, {progress, cancel_});
    EXPECT_TRUE(proof.ok());
    explain_by_compaction(*proof, kafka_);
    return proof->partitions[0].difference;
  };
  EXPECT_EQ(difference(), "");
  orders().delete_before(80);
  EXPECT_THAT(difference(), ::testing::HasSubstr("the target's log starts at offset 80"));
  orders().log_start = 0;
  kafka_.topics.at("orders").configs = {{"cleanup.policy", "compact", ConfigSource::kTopic}};
  EXPECT_THAT(difference(), ::testing::AllOf(::testing::HasSubstr("is compacted there"),
                                             ::testing::Not(::testing::HasSubstr("log starts"))));
}

TEST_F(RestoreTest, SaysThatTheArchiveIsPartial) {
  kafka_.add_topic("orders", 3);
  for (FakePartition& partition : kafka_.topics.at("orders").partitions) append(partition, 100);
  ArchiveOptions limited = options("orders");
  limited.bytes_max = 1;
  const auto remarks = [&] {
    const std::unique_ptr<OpenTopics> open = this->open();
    return check_target(*choose_topics(open->view(), to_copy().choice), {}, kafka_, kafka_)->remarks;
  };
  ASSERT_TRUE(archive(limited).ok());
  EXPECT_THAT(remarks(), ::testing::Contains(::testing::HasSubstr("2 of its 3 partitions in part")));
  ASSERT_TRUE(archive(options("orders")).ok());
  EXPECT_THAT(remarks(), ::testing::Not(::testing::Contains(::testing::HasSubstr("in part"))));
}

TEST_F(RestoreTest, ATargetThatFailsWhileItIsReadBackIsAnIncompleteRestore) {
  kafka_.add_topic("orders", 1);
  append(orders(), 100);
  ASSERT_TRUE(archive(options("orders")).ok());
  kafka_.before_poll = [&] { kafka_.partition("orders.copy", 0).end = 50; };
  const auto report = restore(to_copy());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kSinkClosed) << report.error().message;
}

}  // namespace
}  // namespace drs::test
