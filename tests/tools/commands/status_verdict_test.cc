#include "tools/commands/status_verdict.h"

#include <gtest/gtest.h>

#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "tools/commands/status_results.h"

namespace drs {
namespace {

using std::chrono::hours;

constexpr WallNs kHourNs = 3'600'000'000'000;
constexpr WallNs kStatusNow = 1'000'000 * kHourNs;

// The snapshots of some streams.
class StatusVerdict : public testing::Test {
 protected:
  // `hours_ago` of its time, and of the store's.
  Snapshot& add(const std::string& stream, WallNs hours_ago, std::uint64_t bytes,
                ProducerKind producer = ProducerKind::kExitStatus) {
    Snapshot& snapshot = catalog_.live.emplace_back();
    snapshot.manifest.session.data[0] = static_cast<std::uint8_t>(catalog_.live.size());
    snapshot.name = manifest_name(StreamTag(), snapshot.manifest.session);
    snapshot.manifest.stream = stream;
    snapshot.manifest.sequence = catalog_.live.size();
    snapshot.manifest.snapshot_ns = snapshot.manifest.started_ns = kStatusNow - hours_ago * kHourNs;
    snapshot.stored_ns = snapshot.manifest.snapshot_ns;
    snapshot.manifest.bytes = bytes;
    snapshot.manifest.producer = producer;
    return snapshot;
  }
  static StatusLimits newest_within(std::chrono::milliseconds age) { return {age, {}, {}}; }
  std::vector<StreamVerdict> judged(const StatusLimits& limits = {}) {
    return judge_streams(stream_states(catalog_), lost_, limits, kStatusNow);
  }
  StreamVerdict only(const StatusLimits& limits = {}) {
    const auto streams = judged(limits);
    EXPECT_EQ(streams.size(), 1U);
    return streams.front();
  }

  SnapshotCatalog catalog_;
  std::vector<LostStream> lost_;
};

TEST_F(StatusVerdict, AgeIsThatOfTheNewestGoodSnapshot) {
  add("s", 50, 100);
  add("s", 30, 100).manifest.tags[kAnomalyTag] = "much less than before";
  add("s", 1, 100, ProducerKind::kUnseen);
  EXPECT_EQ(only().status, StreamStatus::kOk);
  const StreamVerdict late = only(newest_within(hours(25)));
  EXPECT_EQ(late.status, StreamStatus::kLate);
  EXPECT_EQ(late.age, hours(50));
  EXPECT_NE(late.problems.front().find("03000000"), std::string::npos) << late.problems.front();
  EXPECT_EQ(only(newest_within(hours(50))).status, StreamStatus::kOk);
}

TEST_F(StatusVerdict, OfAStreamWithoutSeenProducersTheNewestCounts) {
  add("s", 50, 100, ProducerKind::kUnseen);
  add("s", 1, 100, ProducerKind::kUnseen);
  EXPECT_EQ(only(newest_within(hours(25))).status, StreamStatus::kOk);
}

TEST_F(StatusVerdict, ATimeAheadOfTheStoresMakesNoSnapshotYounger) {
  Snapshot& snapshot = add("s", -1000, 100);
  snapshot.stored_ns = kStatusNow - 40 * kHourNs;
  EXPECT_EQ(only(newest_within(hours(25))).age, hours(40));
}

TEST_F(StatusVerdict, SizesThatChangeMuchAreShownAndAreNoFailure) {
  for (const auto& [bytes, status] : {std::pair{89U, StreamStatus::kChanged},
                                      {91U, StreamStatus::kOk},
                                      {149U, StreamStatus::kOk},
                                      {151U, StreamStatus::kChanged}}) {
    catalog_ = {};
    add("s", 2, 100);
    add("s", 1, bytes);
    const auto streams = judged();
    EXPECT_EQ(streams.front().status, status) << bytes;
    EXPECT_EQ(judge(streams, 0), ExitCode::kOk);
  }
}

TEST_F(StatusVerdict, WhatIsExpectedAndAbsentIsToldAndTheFirstTableCounts) {
  const std::vector<Expectation> expectations = {{{"pg/app"}, hours(2), {}, false, ""},
                                                 {{"pg/"}, hours(100), {}, false, ""},
                                                 {{"neo4j", "kafka/"}, {}, {}, false, ""},
                                                 {{"scratch/"}, {}, {}, true, ""}};
  add("pg/app", 3, 1);
  add("pg/other", 3, 1);
  add("scratch/a", 900, 1);
  const auto streams = judged({{}, {}, expectations});
  std::vector<std::pair<std::string, StreamStatus>> found;
  for (const StreamVerdict& stream : streams) found.emplace_back(stream.state.stream, stream.status);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, StreamStatus>>{{"kafka/", StreamStatus::kAbsent},
                                                                      {"neo4j", StreamStatus::kAbsent},
                                                                      {"pg/app", StreamStatus::kLate},
                                                                      {"pg/other", StreamStatus::kOk},
                                                                      {"scratch/a", StreamStatus::kIgnored}}));
  EXPECT_EQ(judge(streams, 0), ExitCode::kLimitMissed);
}

TEST_F(StatusVerdict, TheWorstDecides) {
  add("late", 30, 1);
  add("damaged", 1, 1);
  EXPECT_EQ(judge(judged(newest_within(hours(25))), 0), ExitCode::kLimitMissed);
  lost_ = {{"gone", 2}};
  EXPECT_EQ(judge(judged(newest_within(hours(25))), 0), ExitCode::kRollback);
  catalog_.broken.push_back(
      {manifest_name(StreamTag(), Uuid()), Error(ErrorCode::kCorrupt, "rotten"), {}, "damaged", false, std::nullopt});
  const auto streams = judged(newest_within(hours(25)));
  EXPECT_EQ(judge(streams, 0), ExitCode::kDamage);
  EXPECT_EQ(streams.front().status, StreamStatus::kDamaged);
  EXPECT_EQ(judge({}, 1), ExitCode::kDamage);
  EXPECT_EQ(judge({}, 0), ExitCode::kOk);
}

TEST_F(StatusVerdict, NagiosGetsOneLineAndItsOwnExitCodes) {
  StatusReport report;
  add("s", 30, 100);
  report.streams = judged();
  EXPECT_EQ(nagios_answer(report).line, "DRSTREAM OK - 1 stream: 1 ok | 's age'=108000s;;;0 's size'=100B;;;0");
  EXPECT_EQ(nagios_answer(report).exit_status, 0);
  report.streams = judged(newest_within(hours(25)));
  EXPECT_EQ(nagios_answer(report).exit_status, 2);
  EXPECT_TRUE(nagios_answer(report).line.starts_with("DRSTREAM CRITICAL - 1 stream: 1 late; s: the newest good"));
  catalog_ = {};
  add("s", 2, 100);
  add("s", 1, 200);
  report.streams = judged();
  EXPECT_EQ(nagios_answer(report).exit_status, 1);
  const NagiosAnswer unknown = nagios_answer(Error(ErrorCode::kUnavailable, "a | b\nc"));
  EXPECT_EQ(unknown.line, "DRSTREAM UNKNOWN - a / b\\nc");
  EXPECT_EQ(unknown.exit_status, 3);
}

}  // namespace
}  // namespace drs
