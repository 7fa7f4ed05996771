#include "tools/commands/status_verdict.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/repository/verified_arcs.h"
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
    EXPECT_EQ(judge(streams, {}), ExitCode::kOk);
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
  EXPECT_EQ(judge(streams, {}), ExitCode::kLimitMissed);
}

TEST_F(StatusVerdict, TheWorstDecides) {
  add("late", 30, 1);
  add("damaged", 1, 1);
  EXPECT_EQ(judge(judged(newest_within(hours(25))), {}), ExitCode::kLimitMissed);
  lost_ = {{"gone", 2}};
  EXPECT_EQ(judge(judged(newest_within(hours(25))), {}), ExitCode::kRollback);
  catalog_.broken.push_back(
      {manifest_name(StreamTag(), Uuid()), Error(ErrorCode::kCorrupt, "rotten"), {}, "damaged", false, std::nullopt});
  const auto streams = judged(newest_within(hours(25)));
  EXPECT_EQ(judge(streams, {}), ExitCode::kDamage);
  EXPECT_EQ(streams.front().status, StreamStatus::kDamaged);
  EXPECT_EQ(judge({}, {.damaged_packs = 1}), ExitCode::kDamage);
  EXPECT_EQ(judge({}, {}), ExitCode::kOk);
}

TEST_F(StatusVerdict, NagiosGetsOneLineAndItsOwnExitCodes) {
  StatusReport report;
  add("s", 30, 100);
  report.streams = judged();
  EXPECT_EQ(nagios_answer(report, kStatusNow).line,
            "DRSTREAM OK - 1 stream: 1 ok | 's age'=108000s;;;0 's size'=100B;;;0 damaged_packs=0;;0;0");
  EXPECT_EQ(nagios_answer(report, kStatusNow).exit_status, 0);
  report.streams = judged(newest_within(hours(25)));
  EXPECT_EQ(nagios_answer(report, kStatusNow).exit_status, 2);
  EXPECT_TRUE(
      nagios_answer(report, kStatusNow).line.starts_with("DRSTREAM CRITICAL - 1 stream: 1 late; s: the newest good"));
  catalog_ = {};
  add("s", 2, 100);
  add("s", 1, 200);
  report.streams = judged();
  EXPECT_EQ(nagios_answer(report, kStatusNow).exit_status, 1);
  const NagiosAnswer unknown = nagios_answer(Error(ErrorCode::kUnavailable, "a | b\nc"));
  EXPECT_EQ(unknown.line, "DRSTREAM UNKNOWN - a / b\\nc");
  EXPECT_EQ(unknown.exit_status, 3);
}

TEST_F(StatusVerdict, WhatASweepFoundMissingIsDamageOfTheRepository) {
  StatusReport report;
  add("s", 1, 100);
  report.streams = judged();
  report.faults.structure_failed_ns = kStatusNow - 3 * kHourNs;
  EXPECT_EQ(report.exit_code(), ExitCode::kDamage);
  const std::string problem =
      "a sweep found 3 h 00 min ago that snapshots lack stored blocks: `drstream verify` says which";
  EXPECT_EQ(status_problems_text(report, kStatusNow), problem + "\n");
  EXPECT_NE(status_text(report, 0, kStatusNow).find(problem + "\n"), std::string::npos);
  const NagiosAnswer answer = nagios_answer(report, kStatusNow);
  EXPECT_EQ(answer.exit_status, 2);
  EXPECT_TRUE(answer.line.starts_with("DRSTREAM CRITICAL - 1 stream: 1 ok; " + problem)) << answer.line;
  const auto document = status_json(report, kStatusNow);
  EXPECT_EQ(document["problems"], nlohmann::ordered_json::array({problem}));
  EXPECT_TRUE(document.contains("structure_failed_time"));
  report.proof.emplace(Evidence(kStatusNow), std::vector<PackInfo>(), kStatusNow);
  EXPECT_NE(status_metrics(report, "r", 0).text().find("drstream_verify_structure_failed{repository=\"r\"} 1\n"),
            std::string::npos);
  report.faults.structure_failed_ns = 0;
  EXPECT_EQ(report.exit_code(), ExitCode::kOk);
  EXPECT_FALSE(status_json(report, kStatusNow).contains("structure_failed_time"));
  EXPECT_NE(status_metrics(report, "r", 0).text().find("drstream_verify_structure_failed{repository=\"r\"} 0\n"),
            std::string::npos);
}

TEST_F(StatusVerdict, NoStreamAtAllMissesALimit) {
  StatusReport report;
  EXPECT_EQ(report.exit_code(), ExitCode::kOk);
  EXPECT_EQ(status_text(report, 0, kStatusNow), "no snapshots\n");
  EXPECT_EQ(nagios_answer(report, kStatusNow).exit_status, 0);
  report.faults.is_empty_under_limit = true;
  EXPECT_EQ(report.exit_code(), ExitCode::kLimitMissed);
  EXPECT_EQ(status_text(report, 0, kStatusNow), "no snapshots: a limit was given and there is nothing that meets it\n");
  EXPECT_EQ(nagios_answer(report, kStatusNow).exit_status, 2);
}

TEST_F(StatusVerdict, AnIgnoredStreamHasNoAge) {
  const std::vector<Expectation> expectations = {{{"scratch"}, {}, {}, true, ""}};
  add("scratch", 900, 1);
  StatusReport report;
  report.streams = judged({{}, {}, expectations});
  const std::string text = status_text(report, 0, kStatusNow);
  EXPECT_NE(text.find("scratch"), std::string::npos);
  EXPECT_EQ(text.find("0.0 s"), std::string::npos) << text;
}

// One pack, and a snapshot whose rebuild failed ten hours ago.
class FailedRebuild : public StatusVerdict {
 protected:
  static constexpr WallNs kFailed = kStatusNow - 10 * kHourNs;
  FailedRebuild() {
    add("s", 50, 100).digest.data[0] = 7;
    rebuilt(kFailed, false);
  }
  void rebuilt(WallNs at, bool well) {
    Verified record;
    record.ended_ns = at;
    record.rebuilt = {{catalog_.live.front().digest, well, at}};
    evidence_.add(record, 0);
  }
  void read_all(WallNs at, ProofLevel level) {
    Verified record;
    record.ended_ns = at;
    record.arcs = arcs_of({.packs = packs_,
                           .proven = {true},
                           .bounds = {},
                           .listed_ns = packs_.front().stored_ns,
                           .proven_ns = at,
                           .level = level});
    evidence_.add(record, 0);
  }
  void looked(WallNs at, bool whole) {
    Verified record;
    record.ended_ns = record.structure_ns = at;
    record.structure_whole = whole;
    evidence_.add(record, 0);
  }
  StreamVerdict proven(const StatusLimits& limits = {}) {
    auto streams = judged(limits);
    judge_proofs(streams, catalog_, StatusProof(evidence_, packs_, kStatusNow), limits, kStatusNow);
    return streams.front();
  }

  std::vector<PackInfo> packs_ = {{.name = {}, .bytes = 100, .stored_ns = kStatusNow - 60 * kHourNs}};
  Evidence evidence_{kStatusNow};
};

TEST_F(FailedRebuild, IsDamageUntilAllIsDecodedAndNothingIsMissing) {
  read_all(kFailed - kHourNs, ProofLevel::kDecoded);
  looked(kFailed, true);
  EXPECT_EQ(proven().status, StreamStatus::kDamaged) << "the proofs are older";
  EXPECT_NE(proven().problems.front().find("drstream sweep --level rebuild"), std::string::npos);
  looked(kFailed + kHourNs, true);
  read_all(kFailed + kHourNs, ProofLevel::kDigest);
  EXPECT_EQ(proven().status, StreamStatus::kDamaged) << "a digest says nothing of the blocks";
  read_all(kFailed + 2 * kHourNs, ProofLevel::kDecoded);
  const StreamVerdict unproven = proven();
  EXPECT_EQ(unproven.status, StreamStatus::kUnproven);
  EXPECT_TRUE(unproven.is_unproven);
  EXPECT_NE(unproven.problems.front().find("drstream sweep --level rebuild"), std::string::npos);
  packs_.push_back({.name = {}, .bytes = 100, .stored_ns = kStatusNow - kHourNs});
  packs_.back().name.data[0] = 9;
  EXPECT_EQ(proven().status, StreamStatus::kDamaged) << "a pack of today was not read";
  packs_.back().condemned = true;
  EXPECT_EQ(proven().status, StreamStatus::kUnproven);
  rebuilt(kFailed + 3 * kHourNs, true);
  EXPECT_EQ(proven().status, StreamStatus::kOk);
  EXPECT_FALSE(proven().is_unproven);
}

TEST_F(FailedRebuild, IsDamageWhereTheLastLookAtTheStructureIsOlder) {
  looked(kFailed, true);
  read_all(kFailed + kHourNs, ProofLevel::kDecoded);
  EXPECT_EQ(proven().status, StreamStatus::kDamaged);
}

TEST_F(FailedRebuild, IsDamageWhereSomethingIsMissingSince) {
  read_all(kFailed + kHourNs, ProofLevel::kDecoded);
  looked(kFailed + kHourNs, true);
  EXPECT_EQ(proven().status, StreamStatus::kUnproven);
  looked(kFailed + 2 * kHourNs, false);
  EXPECT_EQ(proven().status, StreamStatus::kDamaged);
  looked(kFailed + 3 * kHourNs, true);
  EXPECT_EQ(proven().status, StreamStatus::kUnproven);
}

TEST_F(FailedRebuild, OfAnotherSnapshotProvesNothingOfThisStream) {
  catalog_.live.front().digest.data[0] = 8;
  EXPECT_EQ(proven().status, StreamStatus::kOk);
  const StatusLimits limits{{}, hours(20), {}};
  const StreamVerdict stream = proven(limits);
  EXPECT_EQ(stream.status, StreamStatus::kUnproven);
  EXPECT_EQ(stream.problems.front(),
            "not proven within 20 h 00 min: 1 pack of the repository was not read by a sweep within that time, and no "
            "snapshot of the stream was rebuilt");
  read_all(kFailed, ProofLevel::kDigest);
  EXPECT_EQ(proven(limits).status, StreamStatus::kOk);
}

}  // namespace
}  // namespace drs
