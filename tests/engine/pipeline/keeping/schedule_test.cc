// The model test: real pushes, resumes, copies, prunes, removals and readers over one store that lets one operation
// pass at a time. A violation prints the schedule that leads to it.
//
//     DRSTREAM_TEST_FULL=1   the campaign: all schedules of two actors with at most 3 preemptions, 100,000 random ones
//     DRSTREAM_TEST_SCHEDULE=N   repeats the random schedule N
//     DRSTREAM_TEST_SEED, DRSTREAM_TEST_PART   as for every campaign (tests/campaign.h)
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/campaign.h"
#include "tests/engine/pipeline/keeping/schedule_search.h"
#include "tests/engine/pipeline/keeping/schedule_starts.h"

namespace drs::test {
namespace {

Actor forgets_and_prunes(const StoredStream& snapshot) {
  const Actor forget = forgets(snapshot), prune = prunes(prune_at_once(), 3);
  return {"forget and prune", [forget, prune](Part& part) {
            forget.act(part);
            prune.act(part);
          }};
}

void expect_none(const Start& start, const std::vector<Actor>& actors) {
  const CampaignPart part = campaign_part();
  const SearchOptions options{.preemptions_max = is_full_run() ? 3U : 1U, .part = part.index, .parts = part.parts};
  const Found found = search_all(start, actors, options);
  std::printf("%llu schedules\n", static_cast<unsigned long long>(found.plays));
  EXPECT_TRUE(found.violation.empty()) << found.violation;
}

TEST(ScheduleTest, PushBesidePrune) {
  const DeadStart dead;
  expect_none(dead.start, {pushes("c", dead.removed.stream), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, PushBesidePruneThatDeletes) {
  const CondemnedStart dead;
  expect_none(dead.start, {pushes("c", dead.removed.stream), prunes(prune_at_once(), 2)});
}

TEST(ScheduleTest, PushBesidePruneWithoutPatience) {
  const DeadStart dead;
  expect_none(dead.start, {pushes("c", dead.removed.stream), prunes(without_patience(), 3)});
}

TEST(ScheduleTest, PushBesidePruneThatMoves) {
  const PartlyDeadStart dead;
  expect_none(dead.start, {pushes("c", dead.kept.stream), prunes(prune_at_once(), 2)});
}

TEST(ScheduleTest, ResumeBesidePrune) {
  DeadStart dead;
  const SpooledStream spooled = dead.start.spool("c", dead.removed.stream);
  expect_none(dead.start, {resumes(spooled), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, ResumeBesidePruneWithoutPatience) {
  DeadStart dead;
  const SpooledStream spooled = dead.start.spool("c", dead.removed.stream);
  expect_none(dead.start, {resumes(spooled), prunes(without_patience(), 3)});
}

TEST(ScheduleTest, CopyBesidePrune) {
  DeadStart dead;
  const auto source = dead.start.replica();
  source->push("c", dead.removed.stream);
  const auto objects = copy_of(source->objects());
  expect_none(dead.start, {copies(objects), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, UnforgetBesidePrune) {
  const DeadStart dead;
  expect_none(dead.start, {unforgets(dead.removed), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, ForgetBesidePrune) {
  const DeadStart dead;
  expect_none(dead.start, {forgets(dead.kept), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, HoldBesideForget) {
  const DeadStart dead;
  expect_none(dead.start, {holds(dead.kept), forgets_and_prunes(dead.kept)});
}

TEST(ScheduleTest, RepairIndexBesidePrune) {
  const PartlyDeadStart dead;
  expect_none(dead.start, {repairs_index({.all = true}), prunes(prune_at_once(), 2)});
}

TEST(ScheduleTest, RepairPacksBesidePrune) {
  const RottenStart rotten;
  expect_none(rotten.start, {repairs_packs(), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, RepairPacksBesidePruneWithoutPatience) {
  const RottenStart rotten;
  expect_none(rotten.start, {repairs_packs(), prunes(without_patience(), 3)});
}

TEST(ScheduleTest, RepairPacksBesidePush) {
  const RottenStart rotten;
  expect_none(rotten.start, {repairs_packs(), pushes("c", rotten.kept.stream)});
}

TEST(ScheduleTest, TwoRepairsOfPacks) {
  const RottenStart rotten;
  expect_none(rotten.start, {repairs_packs("repair K"), repairs_packs("repair L")});
}

TEST(ScheduleTest, ReaderBesidePruneThatMoves) {
  const PartlyDeadStart dead;
  expect_none(dead.start, {reads(), prunes(prune_at_once(), 3)});
}

TEST(ScheduleTest, TwoPrunes) {
  const PartlyDeadStart dead;
  expect_none(dead.start, {prunes(prune_at_once(), 2, "X"), prunes(prune_at_once(), 2, "Y")});
}

// Two to five actors of all, some with clocks that are a year off.
std::vector<Actor> draw(std::vector<Actor> all, std::mt19937_64& random) {
  constexpr auto kYear = std::chrono::hours(24 * 365);
  std::ranges::shuffle(all, random);
  all.resize(2 + random() % 4);
  for (Actor& actor : all)
    if (random() % 4 == 0) actor.clock_off = random() % 2 == 0 ? kYear : -kYear;
  return all;
}

// The numbers of the random schedules to play.
std::vector<std::uint64_t> random_numbers() {
  if (const char* const one = std::getenv("DRSTREAM_TEST_SCHEDULE")) return {std::strtoull(one, nullptr, 10)};
  const CampaignPart part = campaign_part();
  const std::uint64_t begin = campaign_seed() * 1'000'000;
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t i = part.index; i < (is_full_run() ? 100'000U : 150U); i += part.parts)
    numbers.push_back(begin + i);
  return numbers;
}

TEST(ScheduleTest, RandomOnes) {
  DeadStart dead;
  const auto source = dead.start.replica();
  source->push("c", dead.removed.stream);
  const auto objects = copy_of(source->objects());
  const SpooledStream spooled = dead.start.spool("d", dead.removed.stream);
  for (const std::uint64_t number : random_numbers()) {
    std::mt19937_64 random(number);
    PruneOptions options = random() % 2 == 0 ? prune_at_once() : without_patience();
    if (random() % 4 == 0) options.undo = std::chrono::hours(24 * 7);
    options.exclusive = options.force = random() % 8 == 0;
    const std::vector<Actor> actors =
        draw({pushes("c", dead.removed.stream), pushes("a", dead.kept.stream), prunes(options, 3, "X"),
              prunes(options, 3, "Y"), resumes(spooled), copies(objects), forgets(dead.kept), unforgets(dead.removed),
              holds(dead.kept), reads(), repairs_index({.all = random() % 2 == 0})},
             random);
    const Found found = search_random(dead.start, actors, number);
    ASSERT_TRUE(found.violation.empty()) << found.violation;
  }
}

TEST(ScheduleTest, RandomOnesWithDamage) {
  const RottenStart rotten;
  for (const std::uint64_t number : random_numbers()) {
    std::mt19937_64 random(number);
    const PruneOptions options = random() % 2 == 0 ? prune_at_once() : without_patience();
    const std::vector<Actor> actors = draw(
        {repairs_packs("repair K"), repairs_packs("repair L"), pushes("c", rotten.kept.stream), prunes(options, 3, "X"),
         prunes(options, 3, "Y"), forgets(rotten.kept), unforgets(rotten.removed), reads()},
        random);
    const Found found = search_random(rotten.start, actors, number);
    ASSERT_TRUE(found.violation.empty()) << found.violation;
  }
}

}  // namespace
}  // namespace drs::test
