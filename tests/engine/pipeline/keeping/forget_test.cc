#include "engine/pipeline/keeping/forget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/pipeline/keeping/removal_marks.h"
#include "engine/repository/needs.h"
#include "tests/engine/pipeline/keeping/local_zone.h"

namespace drs {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallNs kDay = WallNs{24} * 3600 * 1'000'000'000;
const std::string kStream = "pg/app";

Uuid id_of(std::uint32_t number) {
  Uuid id;
  for (std::size_t i = 0; i < 4; ++i) id.data[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return id;
}

std::string name_of(std::uint32_t number) {
  return manifest_name(StreamTag(), id_of(number));
}

class ForgetTest : public testing::Test {
 protected:
  // Adds the snapshot `number` of the stream, made and stored at the end of the day of this number.
  Snapshot& add(std::uint32_t number, const std::string& stream = kStream) {
    Snapshot snapshot;
    snapshot.name = name_of(number);
    snapshot.stored_ns = number * kDay;
    snapshot.manifest.stream = stream;
    snapshot.manifest.sequence = number;
    snapshot.manifest.session = id_of(number);
    snapshot.manifest.snapshot_ns = snapshot.manifest.started_ns = number * kDay;
    const auto place = std::ranges::upper_bound(
        catalog_.live, std::pair(stream, std::uint64_t{number}), {},
        [](const Snapshot& one) { return std::pair(one.manifest.stream, one.manifest.sequence); });
    return *catalog_.live.insert(place, snapshot);
  }
  void add_days(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t number = first; number <= last; ++number) add(number);
  }
  Snapshot& at(std::uint32_t number) {
    return *std::ranges::find(catalog_.live, number, [](const Snapshot& one) { return one.manifest.sequence; });
  }
  void hold(std::uint32_t number) { holds_[name_of(number)].reason = "trial"; }
  // An earlier forget at the end of this day.
  void forget_on(std::uint32_t day) {
    Removal mark;
    mark.stream = kStream;
    mark.stored_ns = day * kDay + 1;
    catalog_.removed.push_back(mark);
  }

  std::vector<PlannedStream> plan(const KeepRules& rules, ForgetGuards guards = ForgetGuards::kOff) {
    std::map<std::string, const KeepRules*> of_streams;
    for (const Snapshot& snapshot : catalog_.live) of_streams[snapshot.manifest.stream] = &rules;
    return plan_by_rules(sources(), of_streams, filter_, guards);
  }
  std::vector<PlannedStream> plan_named(const std::vector<std::uint32_t>& numbers) {
    std::vector<const Snapshot*> named;
    for (const std::uint32_t number : numbers) named.push_back(&at(number));
    return plan_by_name(sources(), named, filter_);
  }
  [[nodiscard]] ForgetSources sources() const { return {catalog_, holds_, 100'000 * kDay, given_up_}; }

  static std::vector<std::uint64_t> removed(const std::vector<PlannedStream>& plan) {
    std::vector<std::uint64_t> numbers;
    for (const RemovedMark& mark : removal_marks(plan, 0, "")) numbers.push_back(mark.sequence);
    return numbers;
  }
  std::vector<std::uint64_t> removed_by(const KeepRules& rules) { return removed(plan(rules)); }
  static std::vector<Shield> shields_of(const std::vector<PlannedStream>& plan, std::uint64_t number) {
    for (const PlannedStream& stream : plan)
      for (const PlannedSnapshot& planned : stream.snapshots)
        if (planned.snapshot->manifest.sequence == number) return planned.shields;
    return {};
  }

  const test::LocalZone zone_{"UTC"};
  std::vector<std::string> given_up_;
  SnapshotCatalog catalog_;
  Holds holds_;
  ForgetFilter filter_;
  const KeepRules tag_alone_ = {.tags = {{"release", std::nullopt}}};
};

TEST_F(ForgetTest, RulesDecideOnEachStreamAlone) {
  add_days(1, 5);
  add(6, "pg/other");
  EXPECT_THAT(removed_by({.last = 2}), ElementsAre(1, 2, 3));
  EXPECT_THAT(removed_by({.last = 9}), IsEmpty());
}

TEST_F(ForgetTest, NeverDropsTheNewestOfAStream) {
  add_days(1, 3);
  const auto planned = plan(tag_alone_);
  EXPECT_THAT(removed(planned), ElementsAre(1, 2));
  EXPECT_THAT(shields_of(planned, 3), ElementsAre(Shield::kNewest));
}

TEST_F(ForgetTest, NeverDropsWhatTheStoreReceivedLast) {
  add_days(1, 4);
  at(2).stored_ns = 9 * kDay;  // a number can be invented
  EXPECT_THAT(removed_by(tag_alone_), ElementsAre(1, 3));
}

TEST_F(ForgetTest, NeverDropsTheNewestThatIsProven) {
  add_days(1, 6);
  at(2).manifest.producer = ProducerKind::kFileEnd;
  at(3).manifest.producer = ProducerKind::kExitStatus;
  EXPECT_THAT(removed_by(tag_alone_), ElementsAre(1, 2, 4, 5));
  EXPECT_THAT(shields_of(plan(tag_alone_), 3), ElementsAre(Shield::kNewestProven));
}

TEST_F(ForgetTest, ASnapshotWithAnAnomalyIsNotTheNewestProven) {
  add_days(1, 6);
  at(3).manifest.producer = at(4).manifest.producer = ProducerKind::kExitStatus;
  at(4).manifest.tags[kAnomalyTag] = "bytes";
  EXPECT_THAT(removed_by(tag_alone_), ElementsAre(1, 2, 4, 5));
}

TEST_F(ForgetTest, NeverDropsWhatIsHeld) {
  add_days(1, 4);
  hold(2);
  EXPECT_THAT(removed_by({.last = 1}), ElementsAre(1, 3));
  EXPECT_THAT(shields_of(plan({.last = 1}), 2), ElementsAre(Shield::kHeld));
}

TEST_F(ForgetTest, NeverDropsWhatAHeldOneNeeds) {
  add_days(1, 8);
  hold(4);
  at(4).manifest.tags["needs"] = id_of(2).hex() + ", " + id_of(3).hex().substr(0, 8);
  at(3).manifest.tags["needs"] = id_of(1).hex();
  at(6).manifest.tags["needs"] = id_of(5).hex();  // goes itself
  EXPECT_THAT(removed_by({.last = 1}), ElementsAre(5, 6, 7)) << "3 needs 1";
  EXPECT_THAT(shields_of(plan({.last = 1}), 1), ElementsAre(Shield::kNeeded));
}

TEST_F(ForgetTest, NeverDropsWhatOneOfAnotherStreamNeeds) {
  add_days(1, 4);
  add(9, "pg/wal").manifest.tags["needs"] = id_of(2).hex();
  EXPECT_THAT(removed_by({.last = 1}), ElementsAre(1, 3));
  at(9).manifest.tags["needs"] = "0000";  // too short to be an id
  EXPECT_THAT(removed_by({.last = 1}), ElementsAre(1, 2, 3));
}

TEST_F(ForgetTest, WhatWasBroughtBackUnderANewIdIsStillNeeded) {
  add_days(1, 4);
  hold(3);
  at(3).manifest.tags["needs"] = id_of(77).hex();  // the id of 2 before an unforget
  EXPECT_THAT(unmet_needs(catalog_, at(3).manifest), ElementsAre(id_of(77).hex()));
  Removal mark;
  mark.manifest_name = name_of(77);
  mark.stream = kStream;
  mark.sequence = 2;
  catalog_.removed.push_back(mark);
  EXPECT_THAT(unmet_needs(catalog_, at(3).manifest), IsEmpty());
  EXPECT_THAT(shields_of(plan({.last = 1}), 2), ElementsAre(Shield::kNeeded));
}

TEST_F(ForgetTest, TwoThatNeedEachOtherGoTogether) {
  add_days(1, 4);
  at(1).manifest.tags["needs"] = id_of(2).hex();
  at(2).manifest.tags["needs"] = id_of(1).hex();
  EXPECT_THAT(removed_by({.last = 1}), ElementsAre(1, 2, 3));
}

TEST_F(ForgetTest, WhatTheFilterLeavesOutStaysAndCountsForNothing) {
  add_days(1, 6);
  for (const std::uint32_t number : {1U, 3U, 5U}) at(number).manifest.tags["env"] = "test";
  filter_.concerns = [](const Snapshot& snapshot) { return snapshot.manifest.tags.contains("env"); };
  const auto planned = plan({.last = 1});
  EXPECT_THAT(removed(planned), ElementsAre(1, 3));
  EXPECT_EQ(planned[0].snapshots.size(), 3U);
}

TEST_F(ForgetTest, DropsOnlyWhatTheOtherRepositoryHas) {
  add_days(1, 5);
  filter_.has_copy = [](const Snapshot& snapshot) { return snapshot.manifest.sequence % 2 == 0; };
  EXPECT_THAT(removed_by({.last = 1}), ElementsAre(2, 4));
  EXPECT_THAT(shields_of(plan({.last = 1}), 3), ElementsAre(Shield::kNoCopy));
  EXPECT_THAT(removed(plan_named({4, 5})), ElementsAre(4));
}

TEST_F(ForgetTest, DamagedManifestsCountForNothingAndAreNamed) {
  add_days(1, 4);
  catalog_.broken.push_back({name_of(5), Error(ErrorCode::kCorrupt, "rotten"), {}, kStream, false, std::nullopt});
  catalog_.broken.push_back({name_of(6), Error(ErrorCode::kCorrupt, "rotten"), {}, "other", false, std::nullopt});
  const auto planned = plan({.last = 2});
  EXPECT_THAT(removed(planned), ElementsAre(1, 2));
  EXPECT_THAT(planned[0].warnings, ElementsAre(HasSubstr(name_of(5))));
}

TEST_F(ForgetTest, RefusesAStreamOfWhichNoRuleKeepsASnapshot) {
  add_days(1, 5);
  add(6, "pg/tagged").manifest.tags["release"] = "1";
  add(7, "pg/tagged");
  add(8, "pg/tagged").manifest.tags["release"] = "2";
  const auto planned = plan(tag_alone_, ForgetGuards::kOn);
  ASSERT_TRUE(planned[0].refusal);
  EXPECT_EQ(planned[0].refusal->code, ErrorCode::kLimitMissed);
  EXPECT_THAT(planned[0].refusal->message, HasSubstr("a tag may be mistyped"));
  EXPECT_THAT(shields_of(planned, 1), ElementsAre(Shield::kRefused));
  EXPECT_FALSE(planned[1].refusal);
  EXPECT_THAT(removed(planned), ElementsAre(7)) << "of the other stream";
}

TEST_F(ForgetTest, RefusesToLeaveOneOfSeveralInAStreamThatWasNeverForgotten) {
  add_days(1, 3);
  EXPECT_TRUE(plan({.last = 1}, ForgetGuards::kOn)[0].refusal);
  EXPECT_FALSE(plan({.last = 2}, ForgetGuards::kOn)[0].refusal);
  EXPECT_THAT(removed(plan({.last = 1}, ForgetGuards::kOff)), ElementsAre(1, 2));
  forget_on(3);
  add(4);
  catalog_.live.erase(catalog_.live.begin(), catalog_.live.begin() + 2);
  EXPECT_THAT(removed(plan({.last = 1}, ForgetGuards::kOn)), ElementsAre(3)) << "one night after the other";
}

TEST_F(ForgetTest, RefusesToDropHalfOfWhatAnEarlierForgetKept) {
  add_days(1, 10);
  forget_on(10);
  EXPECT_FALSE(plan({.last = 5}, ForgetGuards::kOn)[0].refusal);
  const auto planned = plan({.last = 4}, ForgetGuards::kOn);
  ASSERT_TRUE(planned[0].refusal);
  EXPECT_THAT(planned[0].refusal->message, HasSubstr("of 10 snapshots that an earlier forget had kept, 6"));
  EXPECT_THAT(removed(planned), IsEmpty());
}

TEST_F(ForgetTest, WhatNewerSnapshotsReplaceGoesWithoutForce) {
  add_days(1, 7);
  forget_on(7);
  add_days(8, 14);  // a week later, all 7 are replaced
  const auto planned = plan({.daily = 7}, ForgetGuards::kOn);
  EXPECT_FALSE(planned[0].refusal);
  EXPECT_THAT(removed(planned), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_TRUE(plan({.daily = 3}, ForgetGuards::kOn)[0].refusal) << "of the 7 that were kept, 4 go by other rules";
}

TEST_F(ForgetTest, WhatIsNamedGoesAlsoTheNewest) {
  add_days(1, 5);
  EXPECT_THAT(removed(plan_named({5, 2})), ElementsAre(2, 5));
  EXPECT_THAT(removed(plan_named({1, 2, 3, 4, 5})), ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(ForgetTest, OnlyHoldsStopWhatIsNamed) {
  add_days(1, 5);
  hold(5);
  at(5).manifest.tags["needs"] = id_of(3).hex();
  at(4).manifest.tags["needs"] = id_of(1).hex();
  const auto planned = plan_named({1, 3, 5});
  EXPECT_THAT(removed(planned), ElementsAre(1));
  EXPECT_THAT(shields_of(planned, 5), ElementsAre(Shield::kHeld));
  EXPECT_THAT(shields_of(planned, 3), ElementsAre(Shield::kNeeded));
  EXPECT_THAT(planned[0].warnings, ElementsAre(HasSubstr(id_of(4).hex() + " of pg/app needs " + id_of(1).hex())));
}

TEST_F(ForgetTest, AMarkNamesItsManifest) {
  add_days(1, 2);
  at(1).digest.data[3] = 9;
  const auto marks = removal_marks(plan_named({1}), 77, std::string(2000, 'x'));
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_EQ(marks[0],
            (RemovedMark{name_of(1), at(1).digest, kStream, 1, 77, std::string(kRemovalReasonBytesMax, 'x')}));
}

// Only the one that names it shows that it is lost.
TEST_F(ForgetTest, ALostSnapshotKeepsItsStreamAndTheOneThatNamesIt) {
  add_days(2, 6);
  const std::string lost = manifest_name({}, Uuid{});
  catalog_.missing.push_back({.stream = kStream, .name = lost, .named_by = at(3).name, .before_sequence = 3});
  KeepRules rules;
  rules.last = 2;
  const auto by_rules = plan(rules);
  EXPECT_THAT(removed(by_rules), IsEmpty());
  ASSERT_TRUE(by_rules.front().refusal);
  EXPECT_EQ(by_rules.front().refusal->code, ErrorCode::kLimitMissed);
  EXPECT_THAT(by_rules.front().refusal->message, HasSubstr("forget --damaged " + lost));
  EXPECT_THAT(removed(plan_named({3, 4})), ElementsAre(4U));
  given_up_ = {lost};
  EXPECT_THAT(removed(plan_named({3, 4})), ElementsAre(3U, 4U));
}

}  // namespace
}  // namespace drs
