// What restic 0.14.0 keeps of 87 snapshots, by `restic forget --dry-run` with TZ=Europe/Bucharest. Since 0.16 restic
// also keeps the oldest snapshot while a rule has counts left, and so do we: with yearly rules that is snapshot 0.
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "engine/pipeline/keeping/keep_rules.h"
#include "tests/engine/pipeline/keeping/local_zone.h"

namespace drs {
namespace {

struct ResticSnapshot {
  const char* time;
  const char* tags;
};
constexpr ResticSnapshot kSnapshots[] = {
    {"2020-02-29 23:00:00", "foo"},     {"2020-12-31 12:00:00", "foo"},     {"2021-01-03 12:00:00", "foo bar"},
    {"2021-01-04 00:00:00", "foo"},     {"2023-03-26 02:59:00", "foo"},     {"2023-03-26 04:01:00", ""},
    {"2023-04-05 01:48:00", "bar"},     {"2023-04-10 01:48:00", "foo bar"}, {"2023-04-25 01:48:00", ""},
    {"2023-05-10 01:48:00", "foo bar"}, {"2023-05-12 01:48:00", ""},        {"2023-05-15 01:48:00", ""},
    {"2023-05-21 01:48:00", ""},        {"2023-06-16 01:48:00", ""},        {"2023-07-06 01:48:00", ""},
    {"2023-07-14 01:48:00", ""},        {"2023-08-10 01:48:00", "foo"},     {"2023-08-18 01:48:00", ""},
    {"2023-09-25 01:48:00", ""},        {"2023-10-01 01:48:00", ""},        {"2023-10-04 01:48:00", "foo bar"},
    {"2023-10-24 01:48:00", ""},        {"2023-10-29 02:30:00", ""},        {"2023-10-29 04:30:00", ""},
    {"2023-11-27 01:48:00", "foo"},     {"2023-12-13 01:48:00", "foo"},     {"2023-12-31 23:59:59", ""},
    {"2024-01-01 00:00:00", "foo bar"}, {"2024-01-04 01:48:00", "bar"},     {"2024-01-22 01:48:00", ""},
    {"2024-01-29 01:48:00", "foo"},     {"2024-02-29 10:00:00", "bar"},     {"2024-03-06 01:48:00", ""},
    {"2024-04-03 01:48:00", "foo bar"}, {"2024-04-22 01:48:00", ""},        {"2024-05-23 01:48:00", "foo"},
    {"2024-05-30 01:48:00", "foo bar"}, {"2024-05-30 05:48:00", "foo"},     {"2024-05-31 16:48:00", ""},
    {"2024-06-01 14:48:00", "foo"},     {"2024-06-03 10:48:00", "foo"},     {"2024-06-04 04:48:00", ""},
    {"2024-06-05 17:48:00", ""},        {"2024-06-06 09:48:00", ""},        {"2024-06-08 18:48:00", "bar"},
    {"2024-06-10 11:48:00", ""},        {"2024-06-11 19:48:00", ""},        {"2024-06-12 19:48:00", ""},
    {"2024-06-14 04:48:00", ""},        {"2024-06-16 09:48:00", "foo"},     {"2024-06-16 14:48:00", "bar"},
    {"2024-06-18 08:48:00", "foo bar"}, {"2024-06-19 03:48:00", "bar"},     {"2024-06-21 15:48:00", ""},
    {"2024-06-22 07:48:00", ""},        {"2024-06-22 13:48:00", ""},        {"2024-06-22 20:48:00", ""},
    {"2024-06-23 04:48:00", "foo"},     {"2024-06-24 17:48:00", ""},        {"2024-06-27 02:48:00", ""},
    {"2024-06-27 06:48:00", "bar"},     {"2024-06-29 02:33:00", ""},        {"2024-06-29 05:15:00", ""},
    {"2024-06-29 07:15:00", "foo"},     {"2024-06-29 09:01:00", ""},        {"2024-06-29 11:38:00", ""},
    {"2024-06-29 11:53:00", ""},        {"2024-06-29 14:40:00", ""},        {"2024-06-29 17:02:00", "bar"},
    {"2024-06-29 17:30:00", "foo bar"}, {"2024-06-29 18:11:00", ""},        {"2024-06-29 19:33:00", ""},
    {"2024-06-29 21:32:00", "bar"},     {"2024-06-29 22:01:00", ""},        {"2024-06-29 22:53:00", ""},
    {"2024-06-30 01:35:00", "bar"},     {"2024-06-30 04:21:00", "foo"},     {"2024-06-30 06:27:00", ""},
    {"2024-06-30 08:43:00", "bar"},     {"2024-06-30 09:35:00", "foo"},     {"2024-06-30 10:28:00", "bar"},
    {"2024-06-30 13:03:00", ""},        {"2024-06-30 15:18:00", "foo"},     {"2024-06-30 17:18:00", ""},
    {"2024-06-30 19:22:00", "foo bar"}, {"2024-06-30 21:50:00", ""},        {"2024-06-30 23:50:00", ""},
};

struct ResticKeeps {
  KeepRules rules;
  const char* kept;
};
const ResticKeeps kKeeps[] = {
    {{.last = 1}, "86"},
    {{.last = 10}, "77-86"},
    {{.last = 200}, "0-86"},
    {{.hourly = 20}, "64 66-67 69-72 74-86"},
    {{.daily = 3}, "60 74 86"},
    {{.daily = 30}, "28-35 37-48 50-53 56-58 60 74 86"},
    {{.weekly = 4}, "44 50 57 86"},
    {{.weekly = 60}, "0 2-3 5-8 10 12-17 19-20 23-26 28-35 39 44 50 57 86"},
    {{.monthly = 6}, "30-32 34 38 86"},
    {{.yearly = 3}, "3 26 86"},
    {{.yearly = 10}, "0-1 3 26 86"},
    {{.last = 3, .hourly = 24, .daily = 7, .weekly = 4, .monthly = 12, .yearly = 7},
     "0-1 3 15 17-18 23-24 26 30-32 34 38 44 50 53 56-58 60-64 66-67 69-72 74-86"},
    {{.daily = 30, .monthly = 12, .yearly = 7}, "0-1 3 15 17-18 23-24 26 28-35 37-48 50-53 56-58 60 74 86"},
    {{.within = {0, 0, 1, 0}}, "75-86"},
    {{.within = {0, 0, 30, 0}}, "39-86"},
    {{.within = {1, 6, 3, 2}}, "4-86"},
    {{.yearly = 2, .within = {0, 1, 14, 0}}, "26 35-86"},
    {{.tags = {{"foo", std::nullopt}}}, "0-4 7 9 16 20 24-25 27 30 33 35-37 39-40 49 51 57 63 69 76 79 82 84"},
    {{.last = 2, .tags = {{"foo", std::nullopt}}},
     "0-4 7 9 16 20 24-25 27 30 33 35-37 39-40 49 51 57 63 69 76 79 82 84-86"},
    {{.hourly = 24, .within = {0, 0, 2, 0}}, "60-86"},
};

// "0 3-5" is 0, 3, 4, 5.
std::set<std::size_t> places_of(const std::string& text) {
  std::set<std::size_t> places;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t dash = word.find('-');
    const std::size_t first = std::stoul(word);
    const std::size_t last = dash == std::string::npos ? first : std::stoul(word.substr(dash + 1));
    for (std::size_t place = first; place <= last; ++place) places.insert(place);
  }
  return places;
}

TEST(ResticKeeps, AreOurKeeps) {
  const test::LocalZone zone("Europe/Bucharest");
  std::vector<std::map<std::string, std::string>> tags;
  for (const ResticSnapshot& snapshot : kSnapshots) {
    std::istringstream words(snapshot.tags);
    auto& of_one = tags.emplace_back();
    for (std::string word; words >> word;) of_one.emplace(word, "");
  }
  std::vector<DatedKeep> snapshots;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const WallNs time_ns = test::local_ns(kSnapshots[i].time);
    snapshots.push_back({time_ns, time_ns, i, &tags[i]});
  }
  for (const auto& [rules, expected] : kKeeps) {
    const auto reasons = apply_keep_rules(rules, snapshots, snapshots.back().own_ns);
    std::set<std::size_t> kept;
    for (std::size_t i = 0; i < reasons.size(); ++i)
      if (!reasons[i].empty()) kept.insert(i);
    EXPECT_EQ(kept, places_of(expected)) << "expected: " << expected;
  }
}

}  // namespace
}  // namespace drs
