#include "tools/output/evidence_junit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "tests/tools/output/evidence_documents.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

struct Suite {
  pugi::xml_document document;
  pugi::xml_node suite;
  std::vector<std::string> failed;
  std::vector<std::string> passed;
};

void read_suite(const Json& evidence, Suite& out) {
  const std::string xml = evidence_junit(evidence);
  ASSERT_TRUE(out.document.load_string(xml.c_str())) << xml;
  out.suite = out.document.child("testsuites").child("testsuite");
  unsigned failures = 0, errors = 0;
  for (const pugi::xml_node& one : out.suite.children("testcase")) {
    failures += one.child("failure") ? 1U : 0U;
    errors += one.child("error") ? 1U : 0U;
    (one.child("failure") || one.child("error") ? out.failed : out.passed).emplace_back(one.attribute("name").value());
  }
  EXPECT_EQ(out.suite.attribute("tests").as_uint(), out.failed.size() + out.passed.size());
  EXPECT_EQ(out.suite.attribute("failures").as_uint(), failures);
  EXPECT_EQ(out.suite.attribute("errors").as_uint(), errors);
}

using Names = std::vector<std::string>;

TEST(EvidenceJunit, EachStreamIsACase) {
  Json answer = status_of(15, Json::array({stream_of("a", "ok"), stream_of("b", "late"), stream_of("c", "changed")}));
  Suite suite;
  read_suite(evidence_document(facts_of("status", 15), answer, Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"drstream status", "b"}));
  EXPECT_EQ(suite.passed, (Names{"a", "c", "no pack is marked as damaged"}));
  EXPECT_STREQ(suite.suite.attribute("hostname").value(), "db1");
  EXPECT_STREQ(suite.suite.attribute("timestamp").value(), "2027-01-15T08:00:00");
  EXPECT_STREQ(suite.suite.attribute("time").value(), "2.500");
  answer["packs_marked"] = 2;
  Suite marked;
  read_suite(evidence_document(facts_of("status", 4), answer, Json()), marked);
  EXPECT_EQ(marked.failed.back(), "no pack is marked as damaged");
  answer["structure_time"] = "2026-11-20T01:00:05.000000000Z";
  Suite checked;
  read_suite(evidence_document(facts_of("status", 4), answer, Json()), checked);
  EXPECT_EQ(checked.passed.back(), "no snapshot lacks an object");
  answer["structure_failed_time"] = "2026-11-20T01:00:05.000000000Z";
  Suite missing;
  read_suite(evidence_document(facts_of("status", 4), answer, Json()), missing);
  EXPECT_EQ(missing.failed.back(), "no snapshot lacks an object");
}

TEST(EvidenceJunit, AStreamThatIsUnprovenHasFailed) {
  Suite suite;
  const Json answer = status_of(15, Json::array({stream_of("a", "unproven")}));
  read_suite(evidence_document(facts_of("status", 15), answer, Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"drstream status", "a"}));
  const std::string whole = suite.suite.child("testcase").child("failure").child_value();
  EXPECT_NE(whole.find("drstream sweep"), std::string::npos) << whole;
}

TEST(EvidenceJunit, PacksOfARepairAreCases) {
  const Json answer = {
      {"exit_code", 4},
      {"packs_intact", 0},
      {"damaged_packs",
       Json::array({{{"pack", "packs/a"}, {"outcome", "condemned"}, {"problem", "x"}, {"lost_blocks", 0}},
                    {{"pack", "packs/b"}, {"outcome", "stays"}, {"problem", "y"}, {"lost_blocks", 3}}})},
      {"damaged_snapshots", Json::array({{{"stream", "pg/app"}, {"id", "abc"}, {"lost_blocks", 2}}})}};
  Suite suite;
  read_suite(evidence_document(facts_of("repair packs", 4), answer, Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"drstream repair packs", "packs/b", "snapshot abc of pg/app"}));
  EXPECT_EQ(suite.passed, (Names{"packs/a"}));
  Suite none;
  read_suite(evidence_document(facts_of("repair packs", 0),
                               {{"exit_code", 0}, {"packs_intact", 0}, {"damaged_packs", Json::array()}}, Json()),
             none);
  EXPECT_EQ(none.passed, (Names{"drstream repair packs", "no pack is damaged or missing"}));
}

TEST(EvidenceJunit, HolesOfARestoreAreCasesAndThoseLeftOutAreCounted) {
  const Json answer = {{"exit_code", 8},
                       {"hole_count", 3},
                       {"holes", Json::array({{{"offset_bytes", 10U},
                                               {"bytes", 5U},
                                               {"reason", "damaged"},
                                               {"block_kind", "data"},
                                               {"object", "packs/a"}}})}};
  Suite suite;
  read_suite(evidence_document(facts_of("pull", 8), answer, Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"drstream pull", "hole: bytes 10 to 15 of the stream", "further holes"}));
  const pugi::xml_node last = suite.suite.last_child().child("failure");
  EXPECT_TRUE(std::string(last.attribute("message").value()).starts_with("2 further holes"));
}

TEST(EvidenceJunit, EachFindingIsACaseAndSoIsEachKindThatWasNotFound) {
  const Json answer = {
      {"exit_code", 4},
      {"findings", Json::array({{{"severity", "damage"}, {"object", "packs/aa"}, {"problem", "it is broken"}},
                                {{"severity", "warning"}, {"object", "heads"}, {"problem", "odd"}}})},
      {"damaged_snapshots", Json::array({{{"stream", "pg/app"}, {"id", "abc"}, {"range_count", 1}}})}};
  Suite suite;
  read_suite(evidence_document(facts_of("verify", 4), answer, Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"drstream verify", "damage: packs/aa", "snapshot abc of pg/app"}));
  EXPECT_EQ(suite.passed, (Names{"nothing was deleted", "nothing is of a newer drstream", "warning: heads"}));
}

TEST(EvidenceJunit, WarningsFailWhereTheCommandSaysSo) {
  const Json answer = {{"exit_code", 9},
                       {"findings", Json::array({{{"severity", "warning"}, {"object", "heads"}, {"problem", "odd"}}})}};
  Suite suite;
  read_suite(evidence_document(facts_of("verify", 9), answer, Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"warning: heads"}));
}

TEST(EvidenceJunit, AFailureIsAnError) {
  Suite suite;
  read_suite(evidence_document(facts_of("push", 3), Json(), failure_of(3, "pg_dump died")), suite);
  const pugi::xml_node error = suite.suite.child("testcase").child("error");
  EXPECT_STREQ(error.attribute("message").value(), "pg_dump died");
  EXPECT_STREQ(error.child_value(), "pg_dump died\nconsequence: no snapshot was made\nnext step: repair the producer");
}

TEST(EvidenceJunit, RepositoriesAndCopiedSnapshotsAreCases) {
  Json failure = failure_of(6, "one failed");
  failure["repositories"] =
      Json::array({{{"place", "here"}, {"result", Json::object()}},
                   {{"place", "there"}, {"error", {{"code", "unavailable"}, {"message", "no"}}}}});
  Suite pushed;
  read_suite(evidence_document(facts_of("push", 6), Json(), failure), pushed);
  EXPECT_EQ(pushed.failed, (Names{"drstream push", "there"}));
  EXPECT_EQ(pushed.passed, (Names{"here"}));
  const Json copy = {
      {"exit_code", 4},
      {"snapshots", Json::array({{{"outcome", "copied"}, {"stream", "a"}, {"id", "1"}},
                                 {{"outcome", "damaged"}, {"stream", "b"}, {"id", "2"}, {"problem", "x"}}})}};
  Suite copied;
  read_suite(evidence_document(facts_of("copy", 4), copy, Json()), copied);
  EXPECT_EQ(copied.failed, (Names{"drstream copy", "b 2"}));
  EXPECT_EQ(copied.passed, (Names{"a 1"}));
}

TEST(EvidenceJunit, HostileTextsStayText) {
  const std::string hostile = "]]><x a='\"'>&\x01\x1b\xff\xEF\xBF\xBF" + std::string(4096, 'y');
  Suite suite;
  RunFacts facts = facts_of("status", 4);
  facts.host = facts.repository = hostile;
  read_suite(evidence_document(facts, status_of(4, Json::array({stream_of(hostile, "damaged")})), Json()), suite);
  ASSERT_EQ(suite.failed.size(), 2U);
  EXPECT_TRUE(suite.failed.back().starts_with("]]><x a='\"'>&\\x01\\x1b\\xff"));
  EXPECT_LT(suite.failed.back().size(), 400U);
}

TEST(EvidenceJunit, TheNumberOfCasesIsBounded) {
  Json streams = Json::array();
  for (std::size_t i = 0; i < kJunitCasesMax + 5; ++i)
    streams.push_back({{"stream", std::to_string(i)}, {"status", "ok"}});
  Suite suite;
  read_suite(evidence_document(facts_of("status", 0), status_of(0, streams), Json()), suite);
  EXPECT_EQ(suite.failed, (Names{"further results"}));
  EXPECT_EQ(suite.passed.size(), kJunitCasesMax);
}

}  // namespace
}  // namespace drs
