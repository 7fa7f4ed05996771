#include "tools/output/evidence_html.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/output/evidence.h"
#include "tools/output/evidence_charts.h"
#include "tools/output/evidence_values.h"
#include "tools/output/html_tables.h"
#include "tools/output/json_members.h"
#include "tools/output/markup_text.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kProblemsNamed = 20;

constexpr std::string_view kStyle = R"css(
@page { size: A4; margin: 14mm 13mm 16mm;
  @bottom-left { content: "drstream evidence"; font: 7.5pt sans-serif; color: #57606a; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 7.5pt sans-serif; color: #57606a; } }
* { box-sizing: border-box; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
html { font: 14px/1.45 "Liberation Sans", "DejaVu Sans", Arial, sans-serif; color: #1f2328; background: #fff; }
body { max-width: 1040px; margin: 0 auto; padding: 24px 28px 40px; }
p, li, td, th, dd, figcaption { overflow-wrap: anywhere; unicode-bidi: isolate; }
header { border-left: 8px solid; padding: 14px 18px; margin-bottom: 20px; background: #f6f8fa; }
header h1 { margin: 0; font-size: 22px; line-height: 1.25; }
header p { margin: 4px 0 0; }
header.good { border-color: #1a7f37; } header.good .verdict { color: #1a7f37; }
header.warnings { border-color: #9a6700; } header.warnings .verdict { color: #9a6700; }
header.bad { border-color: #b3151f; } header.bad .verdict { color: #b3151f; }
.verdict { text-transform: uppercase; letter-spacing: .04em; }
section { margin: 0 0 22px; }
h2 { font-size: 15px; margin: 0 0 8px; padding-bottom: 4px; border-bottom: 1px solid #d0d7de; break-after: avoid; }
.wrong dt { font-weight: bold; margin-top: 6px; } .wrong dd { margin: 0; }
.wrong p { margin: 0; white-space: pre-wrap; }
ul { margin: 0; padding-left: 20px; }
.note { color: #57606a; font-size: 12px; margin: 6px 0 0; }
dl.figures { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 1px; margin: 0; }
dl.figures div { padding: 6px 10px; box-shadow: 0 0 0 1px #d0d7de; break-inside: avoid; }
dl.figures dt { color: #57606a; font-size: 11.5px; } dl.figures dd { margin: 0; font-weight: bold; }
dl.facts { display: grid; grid-template-columns: 150px minmax(0, 1fr); margin: 0; gap: 3px 12px; }
dl.facts dt { color: #57606a; } dl.facts dd { margin: 0; }
table { border-collapse: collapse; width: 100%; font-size: 12.5px; }
thead { display: table-header-group; } tr { break-inside: avoid; }
th { text-align: left; vertical-align: bottom; background: #eaeef2; padding: 5px 8px; border-bottom: 1px solid #8c959f;
  overflow-wrap: normal; }
td { vertical-align: top; padding: 4px 8px; border-bottom: 1px solid #d8dee4; min-width: 3.2em; }
td:first-child { min-width: 8em; }
.n { text-align: right; font-variant-numeric: tabular-nums; } td.n, td.t, code { white-space: nowrap; }
.id { font: 11px/1.4 "Liberation Mono", "DejaVu Sans Mono", monospace; word-break: break-all; min-width: 9em; }
dd.id { font-weight: normal !important; }
.word { font-weight: bold; white-space: nowrap; } .word.good { color: #1a7f37; } .word.warnings { color: #9a6700; }
.word.bad { color: #b3151f; }
svg { display: block; max-width: 100%; height: auto; } figure svg { width: 100%; }
svg text { font: 9.5px "Liberation Sans", "DejaVu Sans", Arial, sans-serif; fill: #424a53; }
svg polyline { fill: none; stroke: #0550ae; stroke-width: 1.5; } svg .area { fill: #0550ae; opacity: .12; }
svg circle { fill: #0550ae; } svg .bar { fill: #6e7781; } svg .axis { stroke: #8c959f; stroke-width: 1; }
svg .limit { stroke: #1f2328; stroke-width: 2; }
svg .good, svg .full { fill: #4f9d69; } svg .warnings { fill: #c69026; } svg .bad { fill: #c93c46; }
svg .empty { fill: #e3e7eb; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 14px 22px; }
figure { margin: 0; break-inside: avoid; } figcaption { font-weight: bold; font-size: 12.5px; }
footer { color: #57606a; font-size: 11.5px; border-top: 1px solid #d0d7de; padding-top: 8px; }
@media print { html { font-size: 9.5pt; } body { max-width: none; padding: 0; } table { font-size: 8pt; }
  .id { font-size: 7pt; } td, th { padding: 3px 5px; } header h1 { font-size: 15pt; } h2 { font-size: 11pt; } }
@media screen and (max-width: 700px) { dl.figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .charts { grid-template-columns: minmax(0, 1fr); } }
)css";

std::string banner_html(const Json& evidence) {
  const Verdict verdict = verdict_in(evidence);
  const std::string_view place = text_member(evidence, "place");
  const Advice advice = advice_in(evidence);
  const bool judged = object_member(evidence, "failure").empty() && !advice.consequence.empty();
  const std::string says = judged ? advice.consequence : std::string(text_member(evidence, "meaning"));
  return fmt::format(
      "<header class=\"{0}\"><h1><span class=\"verdict\">{0}</span> · drstream {1} · exit {2:.0f}</h1>\n<p>{3}</p>\n"
      "<p>{4}{5}</p></header>\n",
      verdict_word(verdict), markup_value(text_member(evidence, "command")),
      number_member(evidence, "exit_code").value_or(0), markup_value(says),
      place.empty() ? "" : markup_value(place) + " · ",
      markup_value(field_text("", evidence.value("ended", Json("")))));
}

std::string wrong_html(const Json& evidence) {
  if (verdict_in(evidence) == Verdict::kGood) return "";
  const Json& failure = object_member(evidence, "failure");
  const Advice advice = advice_in(evidence);
  std::string out;
  const auto add = [&](std::string_view title, const std::string& content) {
    if (!content.empty()) out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", title, content);
  };
  std::size_t left_out = 0;
  std::string problems;
  for (const std::string& problem : problems_in(evidence, kProblemsNamed, left_out))
    problems += fmt::format("<li>{}</li>\n", markup_value(problem, kMarkupProblemBytesMax));
  if (left_out > 0) problems += fmt::format("<li>and {} more, listed below</li>\n", left_out);
  const auto paragraph = [](std::string_view text) {
    return text.empty() ? "" : "<p>" + markup_message(text) + "</p>";
  };
  add("What happened", paragraph(text_member(failure, "message")));
  if (!problems.empty()) add("What was found", "<ul>\n" + problems + "</ul>");
  add("What it means", paragraph(advice.consequence));
  add("What to do next", paragraph(advice.next_step));
  if (out.empty()) return "";
  return "<section class=\"wrong\">\n<h2>What is wrong, and what to do</h2>\n<dl>\n" + out + "</dl>\n</section>\n";
}

std::string facts_html(const Json& evidence) {
  std::string out;
  const auto add = [&](std::string_view title, const std::string& text) {
    if (!text.empty()) out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", title, markup_value(text));
  };
  add("Command", "drstream " + std::string(text_member(evidence, "command")));
  add("Repository", std::string(text_member(evidence, "place")));
  add("Host", std::string(text_member(evidence, "host")));
  for (const std::string_view name : {"begun", "ended"})
    add(field_title(name), field_text(name, Json(text_member(evidence, name))));
  add("Exit code",
      fmt::format("{:.0f}: {}", number_member(evidence, "exit_code").value_or(0), text_member(evidence, "meaning")));
  add("Version", std::string(text_member(evidence, "version")));
  std::string libraries;
  for (const auto& [name, version] : object_member(evidence, "libraries").items())
    libraries += fmt::format("{}{} {}", libraries.empty() ? "" : ", ", name, field_text("", version));
  out += fmt::format("<dt>Libraries</dt><dd>{}</dd>\n", markup_message(libraries));
  return "<section>\n<h2>The run</h2>\n<dl class=\"facts\">\n" + out + "</dl>\n</section>\n";
}

}  // namespace

std::string evidence_html(const Json& evidence) {
  const Json& result = object_member(evidence, "result");
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}: drstream {} of {}</title>\n",
      verdict_word(verdict_in(evidence)), markup_value(text_member(evidence, "command")),
      markup_value(text_member(evidence, "place")));
  out += "<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n";
  out += banner_html(evidence) + wrong_html(evidence) + facts_html(evidence);
  out += coverage_html(result) + charts_html(result);
  out += document_html("Figures", result);
  if (const Json& places = list_member(object_member(evidence, "failure"), "repositories"); !places.empty())
    out += document_html("Figures", Json{{"repositories", places}});
  out += fmt::format(
      "<footer>Made by {} from its JSON document (schema {}), which holds every field; <code>--report FILE.json</code> "
      "writes it.</footer>\n</body>\n</html>\n",
      markup_value(text_member(evidence, "version")), markup_value(text_member(evidence, "schema")));
  return out;
}

}  // namespace drs
