// Failure reports: what happened, what it means for the backups, what to do next; as text or JSON. The texts for each
// kind of failure are in one table.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "io/base/result.h"
#include "tools/output/exit_code.h"
#include "tools/output/log.h"
#include "tools/output/terminal.h"

namespace drs {

// What a command does to backups, which decides what its failure means.
enum class CommandEffect {
  kReads,              // list, show, stats ...
  kReadsTopics,        // kafka compare, kafka offsets --plan, kafka archive --dry-run
  kCommits,            // push
  kArchives,           // kafka archive
  kCommitted,          // push, resume, after a commit: a later failure does not undo it
  kCommitsInOne,       // a push to several repositories, failed in one: others may have their snapshot
  kCopies,             // copy
  kForgets,            // forget
  kWillRestore,        // pull, before its output was opened
  kRestores,           // pull
  kWillRestoreTopics,  // kafka restore, before it writes
  kRestoresTopics,     // kafka restore, once it may have written
  kProves,             // verify, scrub
  kSweeps,             // sweep, which records what it proves as it goes on
  kRepairs,            // repair index, repair packs
  kChanges,            // init, key
};

struct FailureReport {
  ErrorCode code = ErrorCode::kInternal;
  int exit_status = 0;
  std::string message;      // what, which object, expected and got
  std::string consequence;  // for the user's backups; may be empty
  std::string next_step;    // may be empty
};

// `exit_status`: what the process will exit with. `next_step`: replaces that of the kind of failure, unless empty.
FailureReport explain(const Error& error, CommandEffect effect, int exit_status, const std::string& next_step = "");

// "drstream push: error: ...\n  consequence: ...\n  next step: ..."
std::string failure_text(const FailureReport& report, std::string_view command);
// As printed on stderr: the text, or a line of the JSON log.
std::string failure_log(const FailureReport& report, std::string_view command, LogFormat format, std::int64_t now_ns);
// The tone of failure_log's result.
inline Tone failure_tone(LogFormat format) {
  return format == LogFormat::kText ? Tone::kError : Tone::kVerbatim;
}
// The members of both the log line and the --json document "drstream.error/1".
nlohmann::ordered_json failure_json(const FailureReport& report, std::string_view command);

}  // namespace drs
