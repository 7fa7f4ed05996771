#include "verify/finding_list.h"

#include <gtest/gtest.h>

namespace drs {
namespace {

Snapshot snapshot_of(Byte session) {
  Snapshot snapshot;
  snapshot.manifest.stream = "s";
  snapshot.manifest.session.data.fill(session);
  return snapshot;
}

constexpr auto kDamage = Finding::Severity::kDamage;
constexpr auto kDeletion = Finding::Severity::kDeletion;
constexpr auto kWarning = Finding::Severity::kWarning;

TEST(FindingList, KeepsOneFindingForEachObjectWithAllItsProblems) {
  ProgressCounters progress;
  FindingList list(progress);
  const std::size_t first = list.report(kWarning, "packs/a", "one");
  EXPECT_EQ(list.report(kDamage, "packs/a", "two"), first);
  EXPECT_EQ(list.report(kWarning, "packs/a", "one"), first);
  const auto findings = list.take();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, kDamage);
  EXPECT_EQ(findings[0].problem, "one; two");
  EXPECT_EQ(progress.problems.load(), 1U);
}

TEST(FindingList, SpellsOutTheFirstProblemsAndCountsTheRest) {
  ProgressCounters progress;
  FindingList list(progress);
  for (const char* problem : {"a", "b", "c", "d", "e", "f"}) list.report(kDamage, "x", problem);
  EXPECT_EQ(list.take()[0].problem, "a; b; c; d; and 2 more");
}

TEST(FindingList, ExcusesDamageThatIsSpareAndAffectsNoSnapshot) {
  ProgressCounters progress;
  FindingList list(progress);
  list.report(kDamage, "packs/spare", "x");
  list.affects(list.report(kDamage, "packs/spare-and-needed", "x"), snapshot_of(1), 0, 10);
  list.report(kDamage, "packs/other", "x");
  list.report(kDeletion, "packs/spare-and-gone", "x");
  list.excuse([](const std::string& object) { return object.starts_with("packs/spare"); }, "no snapshot needs it");
  for (const Finding& finding : list.take()) {
    const bool excused = finding.object == "packs/spare";
    EXPECT_EQ(finding.severity == kWarning, excused) << finding.object;
    EXPECT_EQ(finding.problem, excused ? "x; no snapshot needs it" : "x");
  }
}

TEST(FindingList, PutsTheGravestFirst) {
  ProgressCounters progress;
  FindingList list(progress);
  list.report(kWarning, "a", "w");
  list.report(kDeletion, "b", "x");
  list.report(kDamage, "d", "y");
  list.report(kDamage, "c", "z");
  const auto findings = list.take();
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].object, "c");
  EXPECT_EQ(findings[1].object, "d");
  EXPECT_EQ(findings[2].object, "b");
  EXPECT_EQ(findings[3].object, "a");
}

TEST(FindingList, JoinsAffectedRangesThatContinueEachOther) {
  ProgressCounters progress;
  FindingList list(progress);
  const std::size_t finding = list.report(kDamage, "a", "x");
  list.affects(finding, snapshot_of(1), 0, 10);
  list.affects(finding, snapshot_of(1), 10, 5);
  list.affects(finding, snapshot_of(1), 20, 1);
  list.affects(finding, snapshot_of(2), 21, 1);
  const auto findings = list.take();
  ASSERT_EQ(findings[0].affected.size(), 3U);
  EXPECT_EQ(findings[0].affected_count, 3U);
  EXPECT_EQ(findings[0].affected[0].bytes, 15U);
  EXPECT_EQ(findings[0].affected[1].offset_bytes, 20U);
  EXPECT_EQ(findings[0].affected[2].snapshot_id, snapshot_of(2).id());
}

TEST(FindingList, KeepsAHundredRangesAndCountsAll) {
  ProgressCounters progress;
  FindingList list(progress);
  const std::size_t finding = list.report(kWarning, "a", "x");
  for (std::uint64_t i = 0; i < 250; ++i) list.affects(finding, snapshot_of(1), 10 * i, 5);
  const auto findings = list.take();
  EXPECT_EQ(findings[0].affected.size(), FindingList::kAffectedMax);
  EXPECT_EQ(findings[0].affected_count, 250U);
  EXPECT_EQ(findings[0].affected.back().bytes, 5U);
  EXPECT_EQ(list.damaged_snapshots().at(snapshot_of(1).id()).ranges, 250U);
  EXPECT_EQ(findings[0].severity, kDamage);  // a finding that affects a snapshot is more than a warning
}

TEST(FindingList, StaysBoundedHoweverManyObjectsAreDamaged) {
  ProgressCounters progress;
  FindingList list(progress);
  for (std::size_t i = 0; i < FindingList::kFindingsMax + 50; ++i) {
    const std::size_t finding = list.report(kDamage, "packs/" + std::to_string(i), "x");
    for (std::uint64_t at = 0; at < 8; ++at) list.affects(finding, snapshot_of(1), 2 * at, 1);
  }
  const auto findings = list.take();
  EXPECT_EQ(findings.size(), FindingList::kFindingsMax + 1);
  std::size_t kept = 0;
  for (const Finding& finding : findings) kept += finding.affected.size();
  EXPECT_LE(kept, FindingList::kAffectedInAll);
  EXPECT_EQ(findings[0].object, "(further objects)");
  EXPECT_EQ(findings[0].problem, "50 further problems are not listed");
}

}  // namespace
}  // namespace drs
