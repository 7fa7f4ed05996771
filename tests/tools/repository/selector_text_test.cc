#include "tools/repository/selector_text.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

constexpr const char* kId = "0123456789abcdef0123456789abcdef";

Result<Selector> parsed(std::string_view text, std::string_view existing_stream = "") {
  return parse_selector(
      text, [=](std::string_view name) { return !name.empty() && name == existing_stream; }, 42);
}

TEST(StreamName, AcceptsPartsJoinedBySlashes) {
  for (const char* name : {"a", "pg/app", "vm/disk0", "k8s/ns:app/db-1", "A.b_c+d=e,f", "_x"})
    EXPECT_TRUE(check_stream_name(name).ok()) << name;
  EXPECT_TRUE(check_stream_name(std::string(200, 'a')).ok());
}

TEST(StreamName, RefusesWhatCouldBeMistaken) {
  for (const char* name : {"", "/", "/a", "a/", "a//b", "-a", "a@b", "a b", "a\n", "\xC3\xA4", "a*"}) {
    const auto checked = check_stream_name(name);
    ASSERT_FALSE(checked.ok()) << name;
    EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
    EXPECT_NE(checked.error().message.find("pg/app"), std::string::npos);
  }
  EXPECT_FALSE(check_stream_name(std::string(201, 'a')).ok());
}

TEST(StreamName, OfAPushIsRefusedWhereASnapshotsIdCanLookLikeIt) {
  for (const char* name : {"deadbeef", "DEADBEEF", "20261128", kId}) {
    EXPECT_TRUE(check_stream_name(name).ok()) << name << ": a stream that is there can be selected";
    const auto checked = check_new_stream_name(name);
    ASSERT_FALSE(checked.ok()) << name;
    EXPECT_EQ(checked.error().code, ErrorCode::kUsage);
    EXPECT_NE(checked.error().message.find("8 to 32 hex digits"), std::string::npos) << checked.error().message;
  }
  for (const std::string& name : {std::string("deadbee"), std::string(33, 'a'), std::string("pg/deadbeef")})
    EXPECT_TRUE(check_new_stream_name(name).ok()) << name;
  EXPECT_FALSE(check_new_stream_name("a b").ok());
}

TEST(StreamPattern, IsABeginningOrAGlobAndElseAName) {
  for (const char* text : {"pg/", "pg/*", "*", "pg/ap?", "[a-p]g/app", "*/app", "*a*"})
    EXPECT_TRUE(is_stream_pattern(text) && stream_matches(text, "pg/app")) << text;
  EXPECT_TRUE(stream_matches("pg/*", "pg/eu/app")) << "* matches a slash, too";
  EXPECT_TRUE(stream_matches("pg/", "pg/eu/app"));
  EXPECT_TRUE(stream_matches("p*/", "pg/app"));
  for (const char* text : {"vm/", "p/", "pg/ap", "pg/app/", "pg/?", "app*"})
    EXPECT_FALSE(stream_matches(text, "pg/app")) << text;
  EXPECT_FALSE(is_stream_pattern("pg/app"));
  EXPECT_TRUE(stream_matches("pg/app", "pg/app"));
}

TEST(SelectorText, AStreamMeansItsLatest) {
  for (const char* text : {"pg/app", "pg/app@latest"}) {
    const auto selector = parsed(text);
    ASSERT_TRUE(selector.ok());
    EXPECT_EQ(selector->text, text);
    EXPECT_EQ(selector->stream, "pg/app");
    EXPECT_FALSE(selector->at_or_before.has_value());
  }
}

TEST(SelectorText, ATimeIsAnUpperBoundAtTheEndOfWhatItNames) {
  const auto selector = parsed("pg/app@1970-01-01T00:00:01Z");
  ASSERT_TRUE(selector.ok());
  EXPECT_EQ(selector->stream, "pg/app");
  EXPECT_EQ(selector->at_or_before, 1'999'999'999);
  EXPECT_EQ(parsed("pg/app@now")->at_or_before, 42);
}

TEST(SelectorText, EightOrMoreHexDigitsAreAnId) {
  for (const char* text : {kId, "01234567", "abcdefab0"}) {
    const auto selector = parsed(text);
    ASSERT_TRUE(selector.ok());
    EXPECT_TRUE(selector->stream.empty()) << text;
    EXPECT_EQ(selector->text, text);
  }
  EXPECT_EQ(parsed("ABCDEF01")->text, "abcdef01");
}

TEST(SelectorText, AStreamOfExactlyThatNameWinsOverAnId) {
  EXPECT_EQ(parsed("deadbeef", "deadbeef")->stream, "deadbeef");
  EXPECT_EQ(parsed("deadbeef0", "deadbeef")->stream, "");
  EXPECT_EQ(parsed("deadbeef@latest")->stream, "deadbeef");
}

TEST(SelectorText, SevenDigitsOrTooManyAreAStream) {
  EXPECT_EQ(parsed("abcdef0")->stream, "abcdef0");
  EXPECT_EQ(parsed(std::string(kId) + "0")->stream, std::string(kId) + "0");
}

TEST(SelectorText, RefusesWhatSelectsNothingAndSaysWhatIsAccepted) {
  for (const char* text : {"", "@latest", "pg app", "-x"}) {
    const auto selector = parsed(text);
    ASSERT_FALSE(selector.ok()) << text;
    EXPECT_EQ(selector.error().code, ErrorCode::kUsage);
    EXPECT_NE(selector.error().message.find("pg/app"), std::string::npos) << selector.error().message;
  }
  for (const char* text : {"pg/app@", "pg/app@yesterday", "pg/app@latest@latest"}) {
    const auto selector = parsed(text);
    ASSERT_FALSE(selector.ok()) << text;
    EXPECT_NE(selector.error().message.find("2026-11-20T02:00"), std::string::npos) << selector.error().message;
    EXPECT_NE(selector.error().message.find("latest"), std::string::npos);
  }
}

TEST(SelectorText, AnUnknownStreamHasACodeOfItsOwnAndNearMatches) {
  SnapshotCatalog catalog;
  Snapshot snapshot;
  snapshot.manifest.stream = "pg/app";
  catalog.live.push_back(snapshot);
  const auto found = find_snapshot(catalog, "pg/apq", 0, {});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kNoSnapshot);
  EXPECT_NE(found.error().message.find("pg/app"), std::string::npos) << found.error().message;
  EXPECT_TRUE(find_snapshot(catalog, "pg/app", 0, {}).ok());
}

// Pushed in this order; the time of the others is one that push --time gave.
Snapshot pushed_at(std::uint64_t sequence, WallNs snapshot_ns, bool by_clock) {
  Snapshot snapshot;
  snapshot.name = "manifest " + std::to_string(sequence);
  snapshot.manifest.stream = "pg/app";
  snapshot.manifest.session.data.back() = static_cast<Byte>(sequence);
  snapshot.manifest.sequence = sequence;
  snapshot.manifest.snapshot_ns = snapshot_ns;
  snapshot.manifest.started_ns = by_clock ? snapshot_ns : 1'000;
  return snapshot;
}

TEST(SelectorText, TheLatestIsWarnedOfWhereAnotherHasALaterTime) {
  SnapshotCatalog catalog;
  catalog.live = {pushed_at(1, 900, true), pushed_at(2, 500, false)};
  const Snapshot& latest = catalog.live.back();
  for (const char* text : {"pg/app", "pg/app@latest"})
    EXPECT_TRUE(later_time_warning(catalog, text, latest).has_value()) << text;
  EXPECT_FALSE(later_time_warning(catalog, "pg/app@now", catalog.live.front()).has_value());
  EXPECT_FALSE(later_time_warning(catalog, "00000000", latest).has_value());
}

constexpr WallNs kDayNs = 86'400'000'000'000;

TEST(SelectorText, TheWarningOfALaterTimeSaysTheTimeThatWasCompared) {
  SnapshotCatalog catalog;
  catalog.live = {pushed_at(1, 900 * kDayNs, true), pushed_at(2, 10 * kDayNs, true), pushed_at(3, 500 * kDayNs, false)};
  const auto warning = later_time_warning(catalog, "pg/app", catalog.live.back());
  ASSERT_TRUE(warning.has_value());
  EXPECT_NE(warning->find(catalog.live[1].id() + " has a later time, 1972-06-19"), std::string::npos) << *warning;
  EXPECT_NE(warning->find("its clock said 1970-01-11"), std::string::npos) << *warning;
}

TEST(SelectorText, ATimeIsWarnedOfWhereClocksDisagree) {
  SnapshotCatalog catalog;
  catalog.live = {pushed_at(1, 100 * kDayNs, true), pushed_at(2, 200 * kDayNs, true), pushed_at(3, 10 * kDayNs, true)};
  const auto selected_back = clock_warnings(catalog, "pg/app@1970-12-31", 0, catalog.live[2]);
  ASSERT_EQ(selected_back.size(), 1U);
  EXPECT_NE(selected_back[0].find("1970-07-20"), std::string::npos) << selected_back[0];
  EXPECT_NE(selected_back[0].find("its clock said 1970-01-11"), std::string::npos) << selected_back[0];
  EXPECT_TRUE(clock_warnings(catalog, "pg/app@1970-05-30", 0, catalog.live[0]).empty())
      << "what was set back is, by its clock, older than what was selected";
  EXPECT_TRUE(clock_warnings(catalog, "pg/app", 0, catalog.live[2]).empty());
  // A clock that was ahead: what was pushed after it may be meant.
  catalog.live[2] = pushed_at(3, 150 * kDayNs, true);
  const auto held = clock_warnings(catalog, "pg/app@1970-06-15", 0, catalog.live[0]);
  ASSERT_EQ(held.size(), 1U);
  EXPECT_NE(held[0].find("snapshot " + catalog.live[2].id() + " has the time 1970-05-31"), std::string::npos)
      << held[0];
}

TEST(SelectorText, AClockThatWasSetBackIsNoReasonToWarn) {
  SnapshotCatalog catalog;
  catalog.live = {pushed_at(1, 900, true), pushed_at(2, 500, true)};
  EXPECT_FALSE(later_time_warning(catalog, "pg/app", catalog.live.back()).has_value());
}

TEST(SelectorText, AnAnomalyAsTheLatestIsNamedWithTheNewestThatIsNone) {
  SnapshotCatalog catalog;
  catalog.live = {pushed_at(1, 100, true), pushed_at(2, 200, true), pushed_at(3, 300, true), pushed_at(4, 400, true)};
  catalog.live[2].manifest.tags["anomaly"] = "40 % smaller";
  catalog.live[3].manifest.tags["anomaly"] = "50 % smaller";
  const Snapshot& latest = catalog.live.back();
  for (const char* text : {"pg/app", "pg/app@latest", "pg/app@now"}) {
    const auto warning = anomaly_warning(catalog, text, latest);
    ASSERT_TRUE(warning.has_value()) << text;
    EXPECT_NE(warning->find("50 % smaller"), std::string::npos) << *warning;
    EXPECT_NE(warning->find("without that tag is " + catalog.live[1].id()), std::string::npos) << *warning;
  }
  EXPECT_FALSE(anomaly_warning(catalog, latest.id(), latest).has_value());
  EXPECT_FALSE(anomaly_warning(catalog, "pg/app", catalog.live.front()).has_value());
  catalog.live.erase(catalog.live.begin(), catalog.live.begin() + 2);
  EXPECT_NE(anomaly_warning(catalog, "pg/app", catalog.live.back())->find("no older"), std::string::npos);
}

TEST(SelectorText, ATimeBeforeTheOldestSnapshotNamesTheOldest) {
  SnapshotCatalog catalog;
  Snapshot snapshot;
  snapshot.manifest.stream = "pg/app";
  snapshot.manifest.snapshot_ns = 1'795'140'005'000'000'000;
  catalog.live.push_back(snapshot);
  const auto found = find_snapshot(catalog, "pg/app@2020-01-01", 0, {});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kNoSnapshot);
  EXPECT_NE(found.error().message.find("2026-11-20"), std::string::npos) << found.error().message;
  EXPECT_TRUE(find_snapshot(catalog, "pg/app@2026-12-01", 0, {}).ok());
  catalog.live.push_back(pushed_at(2, 1'000 * kDayNs, true));
  catalog.live.front().manifest.started_ns = catalog.live.front().manifest.snapshot_ns;
  const auto held = find_snapshot(catalog, "pg/app@2020-01-01", 0, {});
  ASSERT_FALSE(held.ok());
  EXPECT_NE(held.error().message.find(catalog.live.back().id() + " has the time 1972-09-27"), std::string::npos)
      << held.error().message;
}

TEST(TagText, ReadsKeysAndValues) {
  const auto tags = parse_tags({"env=production", "note=a=b c", "empty="});
  ASSERT_TRUE(tags.ok());
  EXPECT_EQ(*tags, (std::map<std::string, std::string>{{"env", "production"}, {"note", "a=b c"}, {"empty", ""}}));
  EXPECT_EQ(format_tags(*tags), "empty= env=production note=a=b c");
}

TEST(TagText, RefusesWhatIsNoTagAndSaysWhatIsAccepted) {
  for (const char* text : {"", "env", "=x", "a b=c", "a=line\nfeed"}) {
    const auto tags = parse_tags({text});
    ASSERT_FALSE(tags.ok()) << text;
    EXPECT_NE(tags.error().message.find("KEY=VALUE"), std::string::npos);
  }
  EXPECT_FALSE(parse_tags({"a=1", "a=2"}).ok());
}

TEST(TagText, AKeyAloneSelectsAnyValueOfIt) {
  const auto wanted = parse_tag_filter({"anomaly", "env=production", "empty="});
  ASSERT_TRUE(wanted.ok());
  EXPECT_TRUE(has_tags({{"anomaly", "too small"}, {"env", "production"}, {"empty", ""}}, *wanted));
  EXPECT_FALSE(has_tags({{"env", "production"}, {"empty", ""}}, *wanted));
  EXPECT_FALSE(has_tags({{"anomaly", ""}, {"env", "production"}, {"empty", "not"}}, *wanted));
  for (const auto& texts : std::vector<std::vector<std::string>>{{""}, {"=x"}, {"a b"}, {"a", "a=1"}})
    EXPECT_FALSE(parse_tag_filter(texts).ok());
}

TEST(TagText, ASnapshotNeedsAllWantedTags) {
  const std::map<std::string, std::string> tags{{"a", "1"}, {"b", "2"}};
  EXPECT_TRUE(has_tags(tags, {}));
  EXPECT_TRUE(has_tags(tags, {{"a", "1"}}));
  EXPECT_TRUE(has_tags(tags, {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(has_tags(tags, {{"a", "2"}}));
  EXPECT_FALSE(has_tags(tags, {{"a", "1"}, {"c", "3"}}));
}

}  // namespace
}  // namespace drs
