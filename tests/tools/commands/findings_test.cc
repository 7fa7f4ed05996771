#include "tools/commands/findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace drs {
namespace {

Finding finding(Finding::Severity severity) {
  Finding out;
  out.severity = severity;
  out.object = "packs/3f/3f00";
  out.problem = "expected A, got B";
  out.affected = {{"pg/app", "0123", 100, 50}};
  out.affected_count = 3;
  return out;
}

TEST(Findings, TheWorstDecidesTheExitCode) {
  using Severity = Finding::Severity;
  EXPECT_EQ(exit_code_of({}, WarningPolicy::kFail), ExitCode::kOk);
  EXPECT_EQ(exit_code_of({finding(Severity::kWarning)}, WarningPolicy::kPass), ExitCode::kOk);
  EXPECT_EQ(exit_code_of({finding(Severity::kWarning)}, WarningPolicy::kFail), ExitCode::kWarnings);
  EXPECT_EQ(exit_code_of({finding(Severity::kWarning), finding(Severity::kDeletion)}, WarningPolicy::kFail),
            ExitCode::kRollback);
  EXPECT_EQ(exit_code_of({finding(Severity::kDeletion), finding(Severity::kDamage)}, WarningPolicy::kPass),
            ExitCode::kDamage);
  EXPECT_EQ(exit_code_of({finding(Severity::kWarning), finding(Severity::kTooNew)}, WarningPolicy::kFail),
            ExitCode::kFormatTooNew);
  EXPECT_EQ(exit_code_of({finding(Severity::kTooNew), finding(Severity::kDeletion)}, WarningPolicy::kPass),
            ExitCode::kRollback);
  EXPECT_EQ(exit_code_of({finding(Severity::kTooNew), finding(Severity::kDamage)}, WarningPolicy::kPass),
            ExitCode::kDamage);
}

TEST(Findings, OnlyDamageThatCostsASnapshotIsSaidToCostOne) {
  Finding pack = finding(Finding::Severity::kDamage);
  EXPECT_NE(damage_verdict({pack}).find("lack stored blocks"), std::string::npos);
  Finding index = pack;
  index.object = "index/3f00";
  index.affected.clear();
  index.affected_count = 0;
  EXPECT_NE(damage_verdict({index, finding(Finding::Severity::kWarning)}).find("repair index"), std::string::npos);
  EXPECT_EQ(damage_verdict({index}).find("cannot be restored"), std::string::npos);
  EXPECT_NE(damage_verdict({index, pack}).find("lack stored blocks"), std::string::npos);
  Finding slot = index;
  slot.object = "keys/3f00";
  EXPECT_NE(damage_verdict({index, slot}).find("no snapshot whose manifest is readable needs"), std::string::npos);
  Finding manifest = index;
  manifest.object = "manifests/3f00";
  EXPECT_NE(damage_verdict({manifest}).find("the snapshots whose manifests are named above"), std::string::npos);
}

TEST(Findings, TextNamesObjectProblemSnapshotAndRange) {
  EXPECT_EQ(findings_text({finding(Finding::Severity::kDamage)}, RangeDetail::kListed),
            "damage: packs/3f/3f00: expected A, got B\n"
            "  affects pg/app snapshot 0123 bytes 100 to 150\n"
            "  and 2 more ranges\n");
}

TEST(Findings, WithoutRangesTextCountsThem) {
  EXPECT_EQ(findings_text({finding(Finding::Severity::kDamage)}, RangeDetail::kCounted),
            "damage: packs/3f/3f00: expected A, got B\n"
            "  affects 3 ranges of bytes (-v lists them)\n");
}

TEST(Findings, TextOfStoredBytesIsOneHarmlessLine) {
  Finding hostile = finding(Finding::Severity::kDamage);
  hostile.problem = "x\x1b[2J\nno damage found";
  hostile.affected_count = 0;
  EXPECT_EQ(findings_text({hostile}, RangeDetail::kCounted), "damage: packs/3f/3f00: x\\x1b[2J\\nno damage found\n");
}

TEST(Findings, EachDamagedSnapshotHasALineAndEachHitStreamItsNewestIntactOne) {
  VerifyReport report;
  for (int i = 0; i < 300; ++i) report.damaged_snapshots.push_back({"pg", "id" + std::to_string(i), 0, 1, 1, 5, 7});
  report.hit_streams = {{"gone", {}, {}, 300, false}, {"pg", {"ab12", 0, 9}, {"cd34", 0, 11}, 302, false}};
  const std::string text = damaged_snapshots_text(report);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 300);
  EXPECT_NE(text.find("damaged snapshot: pg id299 of"), std::string::npos);
  const std::string left = hit_streams_text(report);
  EXPECT_NE(left.find("no snapshot of gone is intact"), std::string::npos);
  EXPECT_NE(left.find("the newest snapshot of pg that was read completely and is intact is ab12 of"),
            std::string::npos);
  EXPECT_NE(left.find("the newest snapshot of pg without damage found is cd34 of"), std::string::npos);
  EXPECT_NE(left.find("not all of its data was read: run `drstream verify cd34`"), std::string::npos);
  const auto json = damaged_snapshots_json(report);
  EXPECT_EQ(json["damaged_snapshots"].size(), 300U);
  EXPECT_FALSE(json["hit_streams"][0].contains("newest_intact"));
  EXPECT_FALSE(json["hit_streams"][0].contains("newest_unchecked"));
  EXPECT_EQ(json["hit_streams"][1]["newest_intact"], "ab12");
  EXPECT_EQ(json["hit_streams"][1]["newest_unchecked"], "cd34");
}

TEST(Findings, AStreamWhoseManifestsAreAllUnreadableIsNotSaidToHaveNoIntactSnapshot) {
  VerifyReport report;
  report.hit_streams = {{"lost", {}, {}, 0, false}, {"newer", {}, {}, 2, true}};
  const std::string left = hit_streams_text(report);
  EXPECT_NE(left.find("no manifest of lost can be read, so nothing is known of its snapshots"), std::string::npos);
  EXPECT_NE(left.find("every snapshot of newer is damaged or needs a newer drstream"), std::string::npos);
  EXPECT_EQ(left.find("is intact"), std::string::npos) << left;
}

TEST(Findings, DamageDoesNotHideThatSomethingWasDeleted) {
  Finding pack = finding(Finding::Severity::kDamage);
  pack.affected_count = 0;
  EXPECT_EQ(damage_verdict({pack}).find("DELETION"), std::string::npos);
  const std::string both = damage_verdict({pack, finding(Finding::Severity::kDeletion)});
  EXPECT_NE(both.find("no snapshot whose manifest is readable needs"), std::string::npos) << both;
  EXPECT_NE(both.find("\nDELETION OR ROLLBACK SUSPECTED"), std::string::npos) << both;
}

TEST(Findings, JsonHasTheSame) {
  const auto json = findings_json({finding(Finding::Severity::kDeletion)});
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["severity"], "deletion");
  EXPECT_EQ(json[0]["object"], "packs/3f/3f00");
  EXPECT_EQ(json[0]["affected"][0]["snapshot"], "0123");
  EXPECT_EQ(json[0]["affected"][0]["offset_bytes"], 100);
  EXPECT_EQ(json[0]["affected_count"], 3);
}

}  // namespace
}  // namespace drs
