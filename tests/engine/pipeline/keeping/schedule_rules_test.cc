// Schedules that lose data, or call something damaged, where one rule of the protocol is missing: the counterexamples
// of docs/decisions/0006-deletion-is-modelled.md with the real commands. Each must be harmless.
#include <gtest/gtest.h>

#include "tests/engine/pipeline/keeping/schedule_search.h"
#include "tests/engine/pipeline/keeping/schedule_starts.h"

namespace drs::test {
namespace {

// The actors, in this order.
constexpr std::size_t kWriter = 0;
constexpr std::size_t kPrune = 1;

Event switch_before(const Point& at) {
  return {at, {.next = 1 - at.actor}};
}

void expect_harmless(const Start& start, const std::vector<Actor>& actors, std::size_t first,
                     const std::vector<Event>& events) {
  FixedSchedule schedule(events);
  const Played played = play(start, actors, schedule, first);
  EXPECT_TRUE(schedule.all_reached()) << to_text(played, actors);
  EXPECT_TRUE(played.complaints.empty()) << to_text(played, actors);
}

TEST(ScheduleRules, SessionsAreListedAfterTheRecordIsDurable) {
  const DeadStart dead;
  // The push lists records before there is one, and packs, and sleeps until the prunes have ended. Meanwhile the
  // store's clock is set back: its times do not show that the session is older than the record.
  Event sleeps = switch_before({kWriter, "put", "packs/", 1});
  sleeps.what.passes = -std::chrono::hours(3);
  expect_harmless(dead.start, {pushes("c", dead.removed.stream), prunes(prune_at_once(), 3)}, kPrune,
                  {switch_before({kPrune, "put", "condemned/", 1}), sleeps});
}

TEST(ScheduleRules, ManifestsAreListedAfterSessionsHaveEnded) {
  const DeadStart dead;
  // The push commits, and removes its session, while the second run looks whether its session has ended.
  expect_harmless(dead.start, {pushes("c", dead.removed.stream), prunes(prune_at_once(), 3)}, kWriter,
                  {switch_before({kWriter, "put", "packs/", 1}), switch_before({kPrune, "list", "sessions/", 3})});
}

TEST(ScheduleRules, AFenceNeverReplacesAManifest) {
  const DeadStart dead;
  // The push commits between the prune's look at manifests and its fence.
  expect_harmless(dead.start, {pushes("c", dead.removed.stream), prunes(without_patience(), 3)}, kWriter,
                  {switch_before({kWriter, "put", "manifests/", 1}), switch_before({kPrune, "put", "manifests/", 1})});
}

TEST(ScheduleRules, AFencedPushDoesNotCommit) {
  const DeadStart dead;
  expect_harmless(dead.start, {pushes("c", dead.removed.stream), prunes(without_patience(), 3)}, kWriter,
                  {switch_before({kWriter, "put", "manifests/", 1})});
}

TEST(ScheduleRules, ASessionBeginsBeforeItListsPacks) {
  DeadStart dead;
  SpooledStream spooled = dead.start.spool("c", dead.removed.stream);
  dead.start.forget_sessions();
  // A resume that sleeps before its session object is there.
  expect_harmless(dead.start, {resumes(spooled), prunes(prune_at_once(), 3)}, kWriter,
                  {switch_before({kWriter, "put", "sessions/", 1})});
}

TEST(ScheduleRules, AStoppedPushIsFencedBeforeItsPacksGo) {
  const DeadStart dead;
  // Its manifest arrives after everything else.
  expect_harmless(dead.start, {pushes("c", dead.removed.stream), prunes(without_patience(), 3)}, kWriter,
                  {{{kWriter, "put", "packs/", 1}, {.next = kPrune}},
                   {{kPrune, "list", "sessions/", 2}, {.next = kWriter}},
                   {{kWriter, "put", "manifests/", 1}, {.next = kPrune, .fault = Fault::kLate}}});
}

TEST(ScheduleRules, AReaderFindsWhatIsMovedMeanwhile) {
  const PartlyDeadStart dead;
  expect_harmless(dead.start, {reads(), prunes(prune_at_once(), 3)}, kWriter,
                  {switch_before({kWriter, "get", "packs/", 1})});
}

}  // namespace
}  // namespace drs::test
