#include "tools/output/evidence.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/tools/output/evidence_documents.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

Verdict verdict_of_answer(int exit_status, const Json& answer) {
  return verdict_in(evidence_document(facts_of("status", exit_status), answer, Json()));
}

TEST(Evidence, HoldsTheCircumstancesAndTheAnswer) {
  const Json answer = status_of(0, Json::array({stream_of("pg/app", "ok")}));
  const Json evidence = evidence_document(facts_of("status", 0), answer, Json());
  EXPECT_EQ(evidence["schema"], "drstream.report/1");
  EXPECT_EQ(evidence["verdict"], "good");
  EXPECT_EQ(evidence["exit_code"], 0);
  EXPECT_EQ(evidence["place"], "s3://bucket/pg");
  EXPECT_EQ(evidence["host"], "db1");
  EXPECT_EQ(evidence["begun"], "2027-01-15T08:00:00.000000000Z");
  EXPECT_EQ(evidence["ended"], "2027-01-15T08:00:02.500000000Z");
  EXPECT_EQ(evidence["libraries"]["zstd"], "1.5.4");
  EXPECT_EQ(evidence["result"], answer);
  EXPECT_FALSE(evidence.contains("failure"));
}

TEST(Evidence, TheVerdictFollowsTheExitCodeAndWhatWasFound) {
  const Json ok = Json::array({stream_of("a", "ok")});
  EXPECT_EQ(verdict_of_answer(0, status_of(0, ok)), Verdict::kGood);
  EXPECT_EQ(verdict_of_answer(0, status_of(0, Json::array({stream_of("a", "changed")}))), Verdict::kWarnings);
  EXPECT_EQ(verdict_of_answer(15, status_of(15, ok)), Verdict::kBad);
  EXPECT_EQ(verdict_of_answer(9, {{"exit_code", 9}}), Verdict::kWarnings);
  EXPECT_EQ(verdict_of_answer(0, {{"exit_code", 0}, {"warnings", {"one"}}}), Verdict::kWarnings);
  EXPECT_EQ(verdict_of_answer(0, {{"exit_code", 0}, {"findings", Json::array({{{"severity", "warning"}}})}}),
            Verdict::kWarnings);
  EXPECT_EQ(verdict_of_answer(143, Json()), Verdict::kBad);
  EXPECT_EQ(verdict_in(Json::object()), Verdict::kBad) << "a document that says nothing is no good news";
}

TEST(Evidence, TheAnswersOwnExitCodeCountsWhereTheProcessSpeaksToNagios) {
  const Json evidence = evidence_document(facts_of("status", 2), status_of(15, Json::array()), Json());
  EXPECT_EQ(evidence["exit_code"], 15);
  EXPECT_EQ(evidence["meaning"], "A limit was missed.");
}

TEST(Evidence, AFailureSaysWhatItMeansAndWhatToDo) {
  const Json evidence = evidence_document(facts_of("push", 3), Json(), failure_of(3, "pg_dump failed"));
  EXPECT_EQ(evidence["exit_code"], 3);
  EXPECT_EQ(verdict_in(evidence), Verdict::kBad);
  const Advice advice = advice_in(evidence);
  EXPECT_EQ(advice.consequence, "no snapshot was made");
  EXPECT_EQ(advice.next_step, "repair the producer");
  EXPECT_EQ(exit_status_text(143), "Stopped by signal 15.");
}

TEST(Evidence, EveryExitCodeOfAnAnswerThatIsNotGoodHasAdvice) {
  for (const int code : {4, 8, 9, 13, 14, 15}) {
    const Advice advice = advice_in(evidence_document(facts_of("verify", code), {{"exit_code", code}}, Json()));
    EXPECT_FALSE(advice.next_step.empty()) << code;
  }
  const Advice none = advice_in(evidence_document(facts_of("verify", 0), {{"exit_code", 0}}, Json()));
  EXPECT_TRUE(none.consequence.empty() && none.next_step.empty());
}

TEST(Evidence, TheWorstProblemsStandFirstAndTheRestIsCounted) {
  const Json answer = status_of(13, Json::array({stream_of("a", "late"), stream_of("b", "changed"),
                                                 stream_of("c", "lost"), stream_of("d", "ok")}));
  std::size_t left_out = 7;
  const auto problems = problems_in(evidence_document(facts_of("status", 13), answer, Json()), 2, left_out);
  EXPECT_EQ(problems, (std::vector<std::string>{"c: it is lost", "a: it is late"}));
  EXPECT_EQ(left_out, 1U);
}

TEST(Evidence, ProblemsOfTheRepositoryStandBeforeThoseOfStreams) {
  std::size_t left_out = 0;
  Json answer = status_of(4, Json::array({stream_of("a", "lost")}));
  answer["problems"] = {"2 packs are marked as damaged"};
  EXPECT_EQ(problems_in(evidence_document(facts_of("status", 4), answer, Json()), 9, left_out),
            (std::vector<std::string>{"2 packs are marked as damaged", "a: it is lost"}));
}

TEST(Evidence, AdviceNamesWhatTheCommandCanNotSayItself) {
  const auto next_step = [](const std::string& command, int code, const Json& answer) {
    return advice_in(evidence_document(facts_of(command, code), answer, Json())).next_step;
  };
  const std::string status = next_step("status", 4, status_of(4, Json::array({stream_of("a", "ok")})));
  EXPECT_TRUE(status.starts_with("`drstream verify` names")) << status;
  EXPECT_NE(status.find("`drstream repair packs` heals"), std::string::npos) << status;
  EXPECT_EQ(status.find("below"), std::string::npos) << status;
  EXPECT_NE(next_step("verify", 4, {{"exit_code", 4}}).find("below"), std::string::npos);
  EXPECT_NE(next_step("repair packs", 4, {{"exit_code", 4}}).find("--from-repository"), std::string::npos);
  const auto of_limit = [&](const Json& streams) { return next_step("status", 15, status_of(15, streams)); };
  EXPECT_TRUE(
      of_limit(Json::array({stream_of("a", "unproven"), stream_of("b", "ok")})).starts_with("Run `drstream sweep`"));
  EXPECT_TRUE(of_limit(Json::array({stream_of("a", "unproven"), stream_of("b", "late")})).starts_with("Check the job"));
  EXPECT_TRUE(of_limit(Json::array()).starts_with("Check the job"));
}

TEST(Evidence, HolesAndPacksThatWereNotHealedAreProblems) {
  std::size_t left_out = 0;
  const Json holes = {{"exit_code", 8},
                      {"holes", Json::array({{{"offset_bytes", 4096U},
                                              {"bytes", 100U},
                                              {"reason", "missing"},
                                              {"block_kind", "data"},
                                              {"object", "packs/aa"}}})}};
  EXPECT_EQ(problems_in(evidence_document(facts_of("pull", 8), holes, Json()), 9, left_out),
            (std::vector<std::string>{"hole: bytes 4096 to 4196 of the stream: missing data in packs/aa"}));
  const Json repaired = {
      {"exit_code", 4},
      {"damaged_packs", Json::array({{{"outcome", "condemned"}, {"pack", "packs/a"}, {"problem", "x"}},
                                     {{"outcome", "stays"}, {"pack", "packs/b"}, {"problem", "y"}}})}};
  EXPECT_EQ(problems_in(evidence_document(facts_of("repair packs", 4), repaired, Json()), 9, left_out),
            (std::vector<std::string>{"stays: packs/b: y", "condemned: packs/a: x"}));
}

TEST(Evidence, TheEndOfTheNameDecidesTheForm) {
  EXPECT_EQ(*report_form("/a/b.html"), ReportForm::kHtml);
  EXPECT_EQ(*report_form("b.json"), ReportForm::kJson);
  EXPECT_EQ(*report_form("b.xml"), ReportForm::kJunit);
  for (const char* path : {"", "b", "b.pdf", "b.HTML", "html"}) {
    const auto form = report_form(path);
    ASSERT_FALSE(form.ok()) << path;
    EXPECT_EQ(form.error().code, ErrorCode::kUsage);
  }
}

TEST(Evidence, ReportsAreWrittenAndTheFirstFailureIsReturned) {
  std::string folder = ::testing::TempDir() + "evidence-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const Json evidence = evidence_document(facts_of("push", 3), Json(), failure_of(3, "\xff broke"));
  const auto written = write_reports({folder + "/none/a.html", folder + "/b.json", folder + "/c.xml"}, evidence);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find("none/a.html"), std::string::npos);
  std::ifstream file(folder + "/b.json");
  const Json read = Json::parse(file);
  EXPECT_EQ(read["failure"]["message"], "\uFFFD broke");
  EXPECT_TRUE(std::filesystem::exists(folder + "/c.xml"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace drs
