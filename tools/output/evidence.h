// Evidence: how a run of a command went, as one JSON document of the schema drstream.report/1. It holds the command's
// own document, or that of its failure, and the circumstances. The forms of `--report` are made from this document
// alone. Any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/format/kinds.h"
#include "io/base/result.h"

namespace drs {

struct RunFacts {
  std::string command;     // "kafka archive"
  int exit_status = 0;     // of the process
  std::string repository;  // its place, without credentials
  std::string host;
  std::string version;
  std::vector<std::pair<std::string, std::string>> libraries;
  WallNs begun_ns = 0;
  WallNs ended_ns = 0;
};

// kWarnings: the work is done, and something is worth a look.
enum class Verdict : std::uint8_t { kGood, kWarnings, kBad };
std::string_view verdict_word(Verdict verdict);  // "good", "warnings", "bad"
// Of a document of evidence.
Verdict verdict_in(const nlohmann::ordered_json& evidence);

// What an exit status means, as a sentence: of an exit code, or "Stopped by signal 15."
std::string exit_status_text(int exit_status);

// `answer`: the document of the command; null if it gave none. `failure`: one of "drstream.error/1"; null if the
// command did not fail. An exit code in the answer counts, unless the command failed: it is the command's own word,
// where the process may speak the language of Nagios.
nlohmann::ordered_json evidence_document(const RunFacts& facts, const nlohmann::ordered_json& answer,
                                         const nlohmann::ordered_json& failure);

// What a result that is not good means, and what to do about it; both empty where it is good.
struct Advice {
  std::string consequence;
  std::string next_step;
};
Advice advice_in(const nlohmann::ordered_json& evidence);
// The problems that the result names, the worst first: "pg/app: ...", "damage: packs/...: ...". At most `count_max`;
// `left_out` gets the number of the others.
std::vector<std::string> problems_in(const nlohmann::ordered_json& evidence, std::size_t count_max,
                                     std::size_t& left_out);

// One of the holes of a restore: "hole: bytes 0 to 4096 of the stream: missing data in packs/...".
std::string hole_text(const nlohmann::ordered_json& hole);

// How bad a word such as "late", "damage" or "healed" is, in members named status, severity and outcome.
Verdict verdict_of_word(std::string_view word);
// Its place in an order from the worst, for sorting.
std::size_t rank_of_word(std::string_view word);

enum class ReportForm : std::uint8_t { kHtml, kJson, kJunit };
// By the ending of its name: .html, .json, .xml. Errors: kUsage.
Result<ReportForm> report_form(std::string_view path);
std::string report_text(ReportForm form, const nlohmann::ordered_json& evidence);
// Writes each file, in the form that its name says, readable for everyone. All are tried. Errors: those of
// replace_file, of the first that failed.
Result<void> write_reports(const std::vector<std::string>& files, const nlohmann::ordered_json& evidence);

}  // namespace drs
