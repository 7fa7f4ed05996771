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
