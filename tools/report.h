// How a failure is told: what happened, what it means for the backup, what to do next; as text or JSON. The texts per
// kind of failure stand in one table.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "io/result.h"
#include "tools/exit_code.h"
#include "tools/log.h"
#include "tools/terminal_style.h"

namespace drs {

// What a command does to backups; decides what a failure of it means.
enum class CommandEffect {
  kReads,         // list, show, stats ...
  kCommits,       // push
  kCommitted,     // push, resume, after a commit: what fails then takes nothing back
  kCommitsInOne,  // a push to several repositories, failed in one: others may have their snapshot
  kCopies,        // copy
  kWillRestore,   // pull, before its output was opened
  kRestores,      // pull
  kProves,        // verify, scrub
  kChanges,       // init, key, repair
};

// Of an error of a push: whether it leaves open that the push has a snapshot, since the manifest may be there.
bool outcome_is_in_doubt(ErrorCode code);

struct FailureReport {
  ErrorCode code = ErrorCode::kInternal;
  int exit_status = 0;
  std::string message;      // what, which object, expected and got
  std::string consequence;  // for the user's backups; may be empty
  std::string next_step;    // may be empty
};

// `exit_status`: what the process will exit with. `next_step`: where not empty, in the place of the kind's.
FailureReport explain(const Error& error, CommandEffect effect, int exit_status, const std::string& next_step = "");

// "drstream push: error: ...\n  consequence: ...\n  next step: ..."
std::string failure_text(const FailureReport& report, std::string_view command);
// As it stands on stderr: the text, or a line of the JSON log.
std::string failure_log(const FailureReport& report, std::string_view command, LogFormat format, std::int64_t now_ns);
// Of what failure_log gives: JSON is never coloured.
inline Tone failure_tone(LogFormat format) {
  return format == LogFormat::kText ? Tone::kError : Tone::kPlain;
}
// The members of both the log line and the --json document "drstream.error/1".
nlohmann::ordered_json failure_json(const FailureReport& report, std::string_view command);

}  // namespace drs
