#include "tools/output/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "tools/output/evidence_html.h"
#include "tools/output/evidence_junit.h"
#include "tools/output/exit_code.h"
#include "tools/output/json_members.h"
#include "tools/output/output.h"
#include "tools/output/replace_file.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSignalBase = 128;

struct WordRow {
  std::string_view word;
  Verdict verdict;
};
// From the worst.
constexpr std::array kWords = {
    WordRow{"damaged", Verdict::kBad},       WordRow{"damage", Verdict::kBad},
    WordRow{"lost", Verdict::kBad},          WordRow{"deletion", Verdict::kBad},
    WordRow{"absent", Verdict::kBad},        WordRow{"late", Verdict::kBad},
    WordRow{"damaged-there", Verdict::kBad}, WordRow{"too-new", Verdict::kBad},
    WordRow{"failed", Verdict::kBad},        WordRow{"stays", Verdict::kBad},
    WordRow{"unproven", Verdict::kBad},      WordRow{"partial", Verdict::kWarnings},
    WordRow{"changed", Verdict::kWarnings},  WordRow{"warning", Verdict::kWarnings},
};

const WordRow* find_word(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &WordRow::word);
  return found == kWords.end() ? nullptr : found;
}

bool any_word(const Json& rows, std::string_view member, Verdict verdict) {
  return std::ranges::any_of(rows,
                             [&](const Json& row) { return verdict_of_word(text_member(row, member)) == verdict; });
}

Verdict verdict_of(int exit_code, const Json& answer) {
  if (exit_code == static_cast<int>(ExitCode::kWarnings)) return Verdict::kWarnings;
  if (exit_code != 0) return Verdict::kBad;
  const bool warned = !list_member(answer, "warnings").empty() || !list_member(answer, "findings").empty() ||
                      !list_member(answer, "problems").empty() ||
                      any_word(list_member(answer, "streams"), "status", Verdict::kWarnings);
  return warned ? Verdict::kWarnings : Verdict::kGood;
}

constexpr std::string_view kDamageMeans = "Snapshots that need what is damaged cannot be restored completely.";

Advice advice_of_damage(std::string_view command) {
  if (command == "status")  // which reads no data, and so knows no snapshot by name
    return {std::string(kDamageMeans),
            "`drstream verify` names the affected streams and snapshots. `drstream repair packs` heals the repository "
            "from a replica; or push the streams again: a push stores damaged blocks anew. docs/INCIDENTS.md has the "
            "steps."};
  if (command == "repair packs")
    return {std::string(kDamageMeans),
            "Push the streams of the snapshots below again: what their data still has of the lost blocks is stored "
            "anew. Or name another replica, or a repository with the same streams: --from-repository PLACE. Then run "
            "`drstream repair packs` again. docs/INCIDENTS.md has the steps."};
  return {std::string(kDamageMeans),
          "Find the affected streams and snapshots below. Heal the repository from a copy, or push the streams "
          "again: a push stores damaged blocks anew. docs/INCIDENTS.md has the steps."};
}

// Of status: the worst stream decides.
Advice advice_of_limit(const Json& result) {
  const Json& streams = list_member(result, "streams");
  const auto any = [&](std::string_view word) {
    return std::ranges::any_of(streams, [&](const Json& one) { return text_member(one, "status") == word; });
  };
  if (any("unproven") && !any("late") && !any("absent"))
    return {"The proof that what is stored is intact is too old, or there is none.",
            "Run `drstream sweep`. If it runs each night, give it a larger --budget. A snapshot that could not be "
            "rebuilt needs `drstream sweep --level rebuild`."};
  return {"A stream has no good snapshot that is recent enough.",
          "Check the job that pushes it: its timer, its last exit code and its log. Then push."};
}

// Without a failure: what the exit code of an answer means to its reader.
Advice advice_of_code(int exit_code, const Json& evidence) {
  switch (static_cast<ExitCode>(exit_code)) {
    case ExitCode::kDamage: return advice_of_damage(text_member(evidence, "command"));
    case ExitCode::kRollback:
      return {"Snapshots that existed before are gone, or the repository is older than it was.",
              "Find out what was removed, and by whom. Copies of the repository may still have it. Pushes may go on "
              "meanwhile: they remove nothing. docs/INCIDENTS.md has the steps."};
    case ExitCode::kFormatTooNew:
      return {"What a newer drstream wrote was not checked.", "Run it again with the newer drstream."};
    case ExitCode::kLimitMissed: return advice_of_limit(object_member(evidence, "result"));
    case ExitCode::kRestoreIncomplete:
      return {"The output is not complete.", "Find what is missing below before the output is used."};
    case ExitCode::kWarnings: return {"", "Read the warnings below."};
    default: return {exit_status_text(exit_code), ""};
  }
}

void append_all(std::vector<std::string>& out, std::vector<std::pair<std::size_t, std::string>> ranked) {
  std::ranges::stable_sort(ranked, {}, &std::pair<std::size_t, std::string>::first);
  for (auto& [rank, text] : ranked) out.push_back(std::move(text));
}

}  // namespace

std::string_view verdict_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood: return "good";
    case Verdict::kWarnings: return "warnings";
    case Verdict::kBad: return "bad";
  }
  return "bad";
}

Verdict verdict_in(const Json& evidence) {
  const std::string_view word = text_member(evidence, "verdict");
  for (const Verdict verdict : {Verdict::kGood, Verdict::kWarnings})
    if (word == verdict_word(verdict)) return verdict;
  return Verdict::kBad;
}

Verdict verdict_of_word(std::string_view word) {
  const WordRow* const row = find_word(word);
  return row == nullptr ? Verdict::kGood : row->verdict;
}

std::size_t rank_of_word(std::string_view word) {
  const WordRow* const row = find_word(word);
  if (row != nullptr) return static_cast<std::size_t>(row - kWords.data());
  return kWords.size() + (word == "ignored" ? 1 : 0);
}

std::string exit_status_text(int exit_status) {
  for (const ExitCodeMeaning& row : exit_code_meanings())
    if (static_cast<int>(row.exit) == exit_status) return std::string(row.meaning);
  if (exit_status > kSignalBase) return fmt::format("Stopped by signal {}.", exit_status - kSignalBase);
  return fmt::format("Ended with exit code {}.", exit_status);
}

Json evidence_document(const RunFacts& facts, const Json& answer, const Json& failure) {
  const bool failed = !failure.is_null();
  const int exit_code =
      failed ? facts.exit_status
             : static_cast<int>(number_member(answer, "exit_code").value_or(static_cast<double>(facts.exit_status)));
  Json out;
  out["schema"] = "drstream.report/1";
  out["exit_code"] = exit_code;
  // What it means where a command refuses to go on is not what it means in an answer.
  const bool judged_limit = !failed && exit_code == static_cast<int>(ExitCode::kLimitMissed);
  out["meaning"] = judged_limit ? "A limit was missed." : exit_status_text(exit_code);
  out["verdict"] = verdict_word(verdict_of(exit_code, answer));
  out["command"] = facts.command;
  set_text(out, "place", facts.repository);
  set_text(out, "host", facts.host);
  out["begun"] = format_time_utc(facts.begun_ns);
  out["ended"] = format_time_utc(facts.ended_ns);
  out["version"] = facts.version;
  out["libraries"] = Json::object();
  for (const auto& [name, version] : facts.libraries) out["libraries"][name] = version;
  if (failed) out["failure"] = failure;
  if (!answer.is_null()) out["result"] = answer;
  return out;
}

Advice advice_in(const Json& evidence) {
  const Json& failure = object_member(evidence, "failure");
  if (!failure.empty())
    return {std::string(text_member(failure, "consequence")), std::string(text_member(failure, "next_step"))};
  const int exit_code = static_cast<int>(number_member(evidence, "exit_code").value_or(0));
  if (exit_code != 0) return advice_of_code(exit_code, evidence);
  return verdict_in(evidence) == Verdict::kWarnings ? advice_of_code(static_cast<int>(ExitCode::kWarnings), evidence)
                                                    : Advice{};
}

std::string hole_text(const Json& hole) {
  const double begin = number_member(hole, "offset_bytes").value_or(0);
  const std::string_view object = text_member(hole, "object");
  return fmt::format("hole: bytes {:.0f} to {:.0f} of the stream: {} {}{}{}", begin,
                     begin + number_member(hole, "bytes").value_or(0), text_member(hole, "reason"),
                     text_member(hole, "block_kind"), object.empty() ? "" : " in ", object);
}

std::vector<std::string> problems_in(const Json& evidence, std::size_t count_max, std::size_t& left_out) {
  const Json& result = object_member(evidence, "result");
  std::vector<std::string> out;
  std::vector<std::pair<std::size_t, std::string>> ranked;
  for (const Json& one : list_member(result, "problems"))  // of the whole
    if (one.is_string()) out.push_back(one.get<std::string>());
  for (const Json& stream : list_member(result, "streams"))
    for (const Json& problem : list_member(stream, "problems"))
      if (problem.is_string())
        ranked.emplace_back(
            rank_of_word(text_member(stream, "status")),
            fmt::format("{}: {}", text_member(stream, "stream"), problem.get_ref<const std::string&>()));
  append_all(out, std::move(ranked));
  ranked.clear();
  for (const Json& hole : list_member(result, "holes")) ranked.emplace_back(0, hole_text(hole));
  for (const std::string_view list : {"findings", "damaged_packs", "snapshots", "broken_manifests"})
    for (const Json& row : list_member(result, list)) {
      const std::string_view problem = text_member(row, "problem");
      if (problem.empty()) continue;
      std::string_view word = text_member(row, "severity");
      if (word.empty()) word = text_member(row, "outcome");
      std::string text;
      for (const std::string_view part : {word, text_member(row, "object"), text_member(row, "pack"),
                                          text_member(row, "stream"), text_member(row, "manifest"), problem})
        if (!part.empty()) text += fmt::format("{}{}", text.empty() ? "" : ": ", part);
      ranked.emplace_back(rank_of_word(word), std::move(text));
    }
  append_all(out, std::move(ranked));
  for (const Json& one : list_member(result, "warnings"))
    if (one.is_string()) out.push_back(one.get<std::string>());
  left_out = out.size() - std::min(out.size(), count_max);
  out.resize(out.size() - left_out);
  return out;
}

Result<ReportForm> report_form(std::string_view path) {
  if (path.ends_with(".html")) return ReportForm::kHtml;
  if (path.ends_with(".json")) return ReportForm::kJson;
  if (path.ends_with(".xml")) return ReportForm::kJunit;
  return Error(
      ErrorCode::kUsage,
      fmt::format("--report '{}': the end of its name says the form; accepted are .html, .json and .xml (JUnit)",
                  path));
}

std::string report_text(ReportForm form, const Json& evidence) {
  switch (form) {
    case ReportForm::kHtml: return evidence_html(evidence);
    case ReportForm::kJunit: return evidence_junit(evidence);
    case ReportForm::kJson: break;
  }
  return dump_json(evidence, JsonLayout::kIndented) + '\n';
}

Result<void> write_reports(const std::vector<std::string>& files, const Json& evidence) {
  std::optional<Error> first;
  for (const std::string& file : files) {
    const auto form = report_form(file);
    const Result<void> written =
        form.ok() ? replace_file(file, report_text(*form, evidence), 0644) : Result<void>(form.error());
    if (!written.ok() && !first) first = written.error();
  }
  if (first) return *std::move(first);
  return {};
}

}  // namespace drs
