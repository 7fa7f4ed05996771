#include "tools/output/evidence_junit.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "tools/output/evidence.h"
#include "tools/output/json_members.h"
#include "tools/output/markup_text.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

struct Case {
  std::string name;
  bool failed = false;
  bool is_error = false;     // the command did not get to judge
  std::string type = {};     // of a failure: "late"
  std::string message = {};  // one line
  std::string text = {};     // the whole
};

class Suite {
 public:
  explicit Suite(const Json& evidence) : evidence_(evidence), command_(text_member(evidence, "command")) {}

  void add(Case one) {
    if (cases_.size() < kJunitCasesMax)
      cases_.push_back(std::move(one));
    else
      ++left_out_;
  }

  [[nodiscard]] std::string xml() {
    if (left_out_ > 0)
      cases_.push_back({.name = "further results",
                        .failed = true,
                        .type = "too many",
                        .message = fmt::format("{} further results are in the JSON form", left_out_)});
    std::size_t failures = 0, errors = 0;
    std::string cases;
    for (const Case& one : cases_) {
      failures += one.failed && !one.is_error ? 1 : 0;
      errors += one.failed && one.is_error ? 1 : 0;
      cases += case_xml(one);
    }
    const std::string time = seconds_text();
    const std::string name = markup_value("drstream " + command_);
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"drstream\" tests=\"{0}\" failures=\"{1}\" errors=\"{2}\" time=\"{3}\">\n"
        "  <testsuite name=\"{4}\" tests=\"{0}\" failures=\"{1}\" errors=\"{2}\" skipped=\"0\" time=\"{3}\" "
        "timestamp=\"{5}\" hostname=\"{6}\">\n    <properties>\n{7}    </properties>\n{8}  </testsuite>\n"
        "</testsuites>\n",
        cases_.size(), failures, errors, time, name, text_member(evidence_, "begun").substr(0, 19),
        markup_value(text_member(evidence_, "host")), properties_xml(), cases);
  }

 private:
  [[nodiscard]] std::string seconds_text() const {
    const auto begun = parse_time(text_member(evidence_, "begun"), 0, TimeEdge::kBegin);
    const auto ended = parse_time(text_member(evidence_, "ended"), 0, TimeEdge::kBegin);
    const double seconds = begun.ok() && ended.ok() ? static_cast<double>(*ended - *begun) / 1e9 : 0;
    return fmt::format("{:.3f}", seconds < 0 ? 0 : seconds);
  }

  [[nodiscard]] std::string properties_xml() const {
    std::string out;
    for (const std::string_view name : {"place", "version", "verdict", "meaning"})
      if (const std::string_view value = text_member(evidence_, name); !value.empty())
        out += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, markup_value(value));
    return out;
  }

  [[nodiscard]] std::string case_xml(const Case& one) const {
    std::string class_name = "drstream." + command_;
    for (char& c : class_name)
      if (c == ' ') c = '.';
    std::string out = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0\"", markup_value(class_name),
                                  markup_value(one.name));
    if (!one.failed && one.text.empty()) return out + "/>\n";
    out += ">\n";
    if (one.failed)
      out += fmt::format("      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", one.is_error ? "error" : "failure",
                         markup_value(one.type), markup_value(one.message),
                         markup_message(one.text.empty() ? one.message : one.text));
    else
      out += fmt::format("      <system-out>{}</system-out>\n", markup_message(one.text));
    return out + "    </testcase>\n";
  }

  const Json& evidence_;
  std::string command_;
  std::vector<Case> cases_;
  std::size_t left_out_ = 0;
};

std::string joined_texts(const Json& list) {
  std::string out;
  for (const Json& one : list)
    if (one.is_string()) out += (out.empty() ? "" : "\n") + one.get_ref<const std::string&>();
  return out;
}

std::string snapshot_name(const Json& snapshot) {
  return fmt::format("snapshot {} of {}", text_member(snapshot, "id"), text_member(snapshot, "stream"));
}

void add_streams(const Json& result, Suite& suite) {
  for (const Json& stream : list_member(result, "streams")) {
    const std::string_view status = text_member(stream, "status");
    if (status.empty()) continue;
    Case one;
    one.name = text_member(stream, "stream");
    one.failed = verdict_of_word(status) == Verdict::kBad;
    one.type = status;
    one.text = joined_texts(list_member(stream, "problems"));
    one.message = one.text.empty() ? std::string(status) : one.text.substr(0, one.text.find('\n'));
    suite.add(std::move(one));
  }
  const auto marked = number_member(result, "packs_marked");
  if (list_member(result, "streams").empty() || !marked) return;
  suite.add({.name = "no pack is marked as damaged",
             .failed = *marked > 0,
             .type = "damage",
             .message = fmt::format("{:.0f} packs are marked as damaged: `drstream verify` names the snapshots that "
                                    "need them, `drstream repair packs` heals them",
                                    *marked)});
  // Where no sweep has looked, nothing is known of it.
  const std::string_view failed_time = text_member(result, "structure_failed_time");
  if (failed_time.empty() && text_member(result, "structure_time").empty()) return;
  suite.add({.name = "no snapshot lacks an object",
             .failed = !failed_time.empty(),
             .type = "damage",
             .message = fmt::format(
                 "a sweep found at {} that snapshots lack stored blocks: `drstream verify` names them", failed_time)});
}

// The packs and snapshots that repair packs could not heal, and those that it did.
void add_repaired(const Json& result, Suite& suite) {
  if (!result.contains("packs_intact")) return;
  const Json& packs = list_member(result, "damaged_packs");
  if (packs.empty()) suite.add({.name = "no pack is damaged or missing"});
  for (const Json& pack : packs) {
    const std::string_view outcome = text_member(pack, "outcome");
    Case one;
    one.name = text_member(pack, "pack");
    one.failed = verdict_of_word(outcome) == Verdict::kBad;
    one.type = outcome;
    one.message = one.text =
        fmt::format("{}: {}; of its {:.0f} live blocks {:.0f} have no good copy", outcome, text_member(pack, "problem"),
                    number_member(pack, "live_blocks").value_or(0), number_member(pack, "lost_blocks").value_or(0));
    suite.add(std::move(one));
  }
  for (const Json& snapshot : list_member(result, "damaged_snapshots"))
    suite.add({.name = snapshot_name(snapshot),
               .failed = true,
               .type = "damaged snapshot",
               .message = fmt::format("{:.0f} blocks that it needs have no good copy",
                                      number_member(snapshot, "lost_blocks").value_or(0))});
}

// The ranges of bytes that a restore left out.
void add_holes(const Json& result, Suite& suite) {
  const Json& holes = list_member(result, "holes");
  for (const Json& hole : holes) {
    const std::string text = hole_text(hole);
    suite.add({.name = text.substr(0, text.rfind(": ")),
               .failed = true,
               .type = std::string(text_member(hole, "reason")),
               .message = text});
  }
  const double left_out = number_member(result, "hole_count").value_or(0) - static_cast<double>(holes.size());
  if (left_out > 0)
    suite.add({.name = "further holes",
               .failed = true,
               .type = "hole",
               .message = fmt::format("{:.0f} further holes: `drstream pull --holes FILE` lists all", left_out)});
}

// A case for each kind of finding that a check looks for and did not find, and one for each that it found.
void add_findings(const Json& result, bool warnings_fail, Suite& suite) {
  if (!result.contains("findings")) return;
  struct Check {
    std::string_view severity, name;
  };
  constexpr std::array kChecks = {Check{"damage", "no damage"}, Check{"deletion", "nothing was deleted"},
                                  Check{"too-new", "nothing is of a newer drstream"}, Check{"warning", "no warnings"}};
  const Json& findings = list_member(result, "findings");
  for (const Check& kind : kChecks) {
    bool any = false;
    for (const Json& finding : findings) any = any || text_member(finding, "severity") == kind.severity;
    if (!any) suite.add({.name = std::string(kind.name)});
  }
  for (const Json& finding : findings) {
    Case one;
    one.type = text_member(finding, "severity");
    one.name = fmt::format("{}: {}", one.type, text_member(finding, "object"));
    one.failed = one.type != "warning" || warnings_fail;
    one.message = text_member(finding, "problem");
    one.text = one.message;
    suite.add(std::move(one));
  }
  for (const Json& snapshot : list_member(result, "damaged_snapshots"))
    suite.add({.name = snapshot_name(snapshot),
               .failed = true,
               .type = "damaged snapshot",
               .message = fmt::format("{:.0f} ranges of bytes are damaged, the first at byte {:.0f}",
                                      number_member(snapshot, "range_count").value_or(0),
                                      number_member(snapshot, "first_offset_bytes").value_or(0))});
}

void add_copied(const Json& result, Suite& suite) {
  for (const Json& snapshot : list_member(result, "snapshots")) {
    const std::string_view outcome = text_member(snapshot, "outcome");
    if (outcome.empty()) continue;
    suite.add({.name = fmt::format("{} {}", text_member(snapshot, "stream"), text_member(snapshot, "id")),
               .failed = !text_member(snapshot, "problem").empty(),
               .type = std::string(outcome),
               .message = std::string(text_member(snapshot, "problem"))});
  }
}

// The repositories of a push to several.
void add_places(const Json& document, Suite& suite) {
  for (const Json& place : list_member(document, "repositories")) {
    const Json& error = object_member(place, "error");
    suite.add({.name = std::string(text_member(place, "place")),
               .failed = !error.empty(),
               .type = std::string(text_member(error, "code")),
               .message = std::string(text_member(error, "message"))});
  }
}

}  // namespace

std::string evidence_junit(const Json& evidence) {
  Suite suite(evidence);
  const Json& result = object_member(evidence, "result");
  const Json& failure = object_member(evidence, "failure");
  const Verdict verdict = verdict_in(evidence);
  const Advice advice = advice_in(evidence);
  Case whole;
  whole.name = fmt::format("drstream {}", text_member(evidence, "command"));
  whole.failed = verdict == Verdict::kBad;
  whole.is_error = !failure.empty();
  whole.type = fmt::format("exit {:.0f}", number_member(evidence, "exit_code").value_or(0));
  whole.message = failure.empty() ? text_member(evidence, "meaning") : text_member(failure, "message");
  if (whole.failed) {
    whole.text = whole.message;
    if (!advice.consequence.empty()) whole.text += "\nconsequence: " + advice.consequence;
    if (!advice.next_step.empty()) whole.text += "\nnext step: " + advice.next_step;
  } else if (verdict == Verdict::kWarnings) {
    std::size_t left_out = 0;
    for (const std::string& problem : problems_in(evidence, kJunitCasesMax, left_out)) whole.text += problem + "\n";
  }
  suite.add(std::move(whole));
  add_places(result, suite);
  add_places(failure, suite);
  add_streams(result, suite);
  add_findings(result, number_member(evidence, "exit_code") == 9.0, suite);
  add_repaired(result, suite);
  add_holes(result, suite);
  add_copied(result, suite);
  return suite.xml();
}

}  // namespace drs
