#include "tools/output/evidence_html.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/tools/output/evidence_documents.h"
#include "tools/output/evidence_charts.h"
#include "tools/output/html_tables.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

std::string page_of(const std::string& command, int exit_status, const Json& answer) {
  return evidence_html(evidence_document(facts_of(command, exit_status), answer, Json()));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Tags that are open at the end; every tag that the page uses and that is not closed by itself must be closed.
std::string unbalanced_tags(const std::string& page) {
  std::string out;
  for (const std::string tag :
       {"html", "head", "body", "header", "section", "table", "thead", "tbody", "tr",     "th",  "td",     "dl",
        "dt",   "dd",   "ul",   "li",     "p",       "h1",    "h2",    "svg",   "figure", "div", "footer", "text"})
    if (count_of(page, "<" + tag + ">") + count_of(page, "<" + tag + " ") != count_of(page, "</" + tag + ">"))
      out += tag + " ";
  return out;
}

TEST(EvidenceHtml, BeginsWithTheVerdict) {
  const std::string good = page_of("status", 0, status_of(0, Json::array({stream_of("pg/app", "ok")})));
  EXPECT_TRUE(has(good, "<header class=\"good\"><h1><span class=\"verdict\">good</span> · drstream status · exit 0"));
  EXPECT_FALSE(has(good, "What is wrong"));
  const std::string bad = page_of("status", 15, status_of(15, Json::array({stream_of("pg/app", "late")})));
  EXPECT_TRUE(has(bad, "<header class=\"bad\">"));
  EXPECT_TRUE(has(bad, "<li>pg/app: it is late</li>"));
  EXPECT_TRUE(has(bad, "What to do next"));
}

TEST(EvidenceHtml, AFailureSaysWhatFailedWhatItMeansAndWhatToDo) {
  const std::string page =
      evidence_html(evidence_document(facts_of("push", 3), Json(), failure_of(3, "pg_dump <died>\nearly")));
  EXPECT_TRUE(has(page, "<p>pg_dump &lt;died&gt;\nearly</p>"));
  EXPECT_TRUE(has(page, "<p>no snapshot was made</p>"));
  EXPECT_TRUE(has(page, "<p>repair the producer</p>"));
}

TEST(EvidenceHtml, IsWholeAndLoadsNothing) {
  const std::string page =
      page_of("status", 15, status_of(15, Json::array({stream_of("a", "late"), stream_of("b", "ok")})));
  EXPECT_EQ(unbalanced_tags(page), "");
  for (const char* part : {"<script", "http://", "https://", "src=", "url(", "@import", "onload", "href="})
    EXPECT_FALSE(has(page, part)) << part;
  EXPECT_TRUE(has(page, "default-src 'none'"));
}

TEST(EvidenceHtml, HostileTextsStayText) {
  const std::string hostile = "<script>alert(1)</script>\"'&\x1b[2J\u202e\xff" + std::string(4096, 'x');
  Json answer = status_of(4, Json::array({stream_of(hostile, "damaged")}));
  answer["findings"] = Json::array({{{"severity", hostile}, {"object", hostile}, {"problem", hostile}}});
  answer["warnings"] = Json::array({hostile});
  answer[hostile] = Json::array({{{hostile, hostile}}});
  answer["x"] = {{hostile, {{hostile, 1}}}, {"b", {{hostile, hostile}}}};
  RunFacts facts = facts_of(hostile, 4);
  facts.repository = facts.host = facts.version = hostile;
  facts.libraries = {{hostile, hostile}};
  const std::string page = evidence_html(evidence_document(facts, answer, failure_of(4, hostile)));
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_FALSE(has(page, "\x1b"));
  EXPECT_FALSE(has(page, "\u202e"));
  EXPECT_FALSE(has(page, "\xff"));
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)"));
  EXPECT_EQ(unbalanced_tags(page), "");
}

TEST(EvidenceHtml, FiveHundredStreamsAreAllInTheTableAndTheWorstInTheCharts) {
  Json streams = Json::array();
  for (int i = 0; i < 500; ++i)
    streams.push_back(stream_of("stream/" + std::to_string(i), i == 499 ? "lost" : "ok", i));
  const std::string page = page_of("status", 13, status_of(13, streams));
  EXPECT_EQ(count_of(page, "<figcaption>"), kChartedStreamsMax);
  EXPECT_EQ(count_of(page, "<td class=\"word"), 500U);
  EXPECT_LT(page.find("<figcaption>stream/499<"), page.find("<figcaption>stream/498<"));
  EXPECT_LT(page.find("<td>stream/499</td>"), page.find("<td>stream/0</td>")) << "what is lost stands first";
  EXPECT_LT(page.size(), 600'000U);
  EXPECT_TRUE(has(page, "The 50 worst of 500 streams"));
}

TEST(EvidenceHtml, ATableHasABoundedNumberOfRowsAndColumns) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < kTableRowsMax + 3; ++i) rows.push_back({{"object", "o"}, {"severity", "damage"}});
  for (int i = 0; i < 20; ++i) rows[0]["column_" + std::to_string(i)] = i;
  rows[0]["problem"] = "the last one";
  const std::string page = document_html("Figures", {{"findings", rows}});
  EXPECT_EQ(count_of(page, "<tr>"), kTableRowsMax + 1);
  EXPECT_TRUE(has(page, "And 3 more"));
  EXPECT_EQ(count_of(page, "<th"), 1 + 9U);  // and thead
  EXPECT_TRUE(has(page, "14 further columns are in the JSON form")) << page.substr(0, 600);
  EXPECT_TRUE(has(page, "the last one")) << "problems are always shown";
}

TEST(EvidenceHtml, NestedRowsAndObjectsAreShown) {
  const Json document = {
      {"bytes", 1536U},
      {"seconds", 65.0},
      {"streams", Json::array({{{"stream", "pg/app"},
                                {"snapshots", Json::array({{{"id", std::string(32, 'c')},
                                                            {"kept_by", Json::array({{{"by", "daily"}}})}}})}}})},
      {"stages", {{"read", {{"cpu_ns", 1'500'000'000}}}, {"seal", {{"cpu_ns", 2}}}}},
      {"space", {{"packs", 3}}}};
  const std::string page = document_html("Figures", document);
  EXPECT_TRUE(has(page, "<dt>Size</dt><dd>1.5 KiB</dd>"));
  EXPECT_TRUE(has(page, "<dt>Duration</dt><dd>1 min 05 s</dd>"));
  EXPECT_TRUE(has(page, "<td>pg/app</td><td class=\"id\">" + std::string(32, 'c') + "</td><td>daily</td>"));
  EXPECT_TRUE(has(page, "<td>Read</td><td class=\"n\">1.5 s</td>"));
  EXPECT_TRUE(has(page, "<h2>Space</h2>"));
}

TEST(EvidenceCharts, CoverageSaysWhatPartWasRead) {
  const std::string verified =
      coverage_html({{"read_bytes", 250U}, {"packs_bytes", 1000U}, {"snapshots_checked", 4}, {"snapshots_rebuilt", 1}});
  EXPECT_TRUE(has(verified, "25.0 % of the stored data was read and checked: 250 B of 1000 B"));
  EXPECT_TRUE(has(verified, "structure of 4 snapshots was checked; 1 were rebuilt"));
  EXPECT_TRUE(has(coverage_html({{"objects_read", 3}, {"read_bytes", 2048U}}), "3 objects with 2 KiB were read"));
  EXPECT_EQ(coverage_html({{"streams", Json::array()}}), "");
}

TEST(EvidenceCharts, CoverageIsAWholeOnlyIfItIsAll) {
  const auto of = [](double ratio) {
    return coverage_html(
        {{"coverage",
          {{"ratio", ratio}, {"within_seconds", 3600}, {"bytes", 1024U}, {"proven_packs", 15U}, {"packs", 16U}}}});
  };
  EXPECT_TRUE(has(of(0.9999), "99.9 % of the 1 KiB that are stored were proven within 1 h 00 min: 15 of 16 packs"));
  EXPECT_TRUE(has(of(1), "100.0 %"));
}

TEST(EvidenceCharts, CoverageOverTimeIsDrawnWhereTheDocumentHasIt) {
  const Json series = Json::array({{{"time", "2026-11-20T01:00:05.000000000Z"}, {"ratio", 0.2}},
                                   {{"time", "2026-11-21T01:00:05.000000000Z"}, {"ratio", 0.5}},
                                   {{"time", "not a time"}, {"ratio", 1}}});
  const std::string charts = charts_html({{"coverage_history", series}});
  EXPECT_TRUE(has(charts, "Coverage: last 50.0 %, scale to 100.0 %"));
  EXPECT_EQ(count_of(charts, "<circle"), 2U);
  Json stream = stream_of("a", "ok");
  stream["coverage_history"] = series;
  EXPECT_TRUE(has(charts_html({{"streams", Json::array({stream})}}), "Coverage: last 50.0 %"));
  EXPECT_EQ(charts_html({{"packs", 3}}), "");
}

}  // namespace
}  // namespace drs
