#include "tools/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/output.h"
#include "tools/time_text.h"

namespace drs {
namespace {

// Read back after the commit: whether the new snapshot is good is what the message doubts.
bool outcome_is_in_doubt(ErrorCode code) {
  return code == ErrorCode::kCorrupt || code == ErrorCode::kTruncated || code == ErrorCode::kUnavailable ||
         code == ErrorCode::kUnsettled;
}

std::string_view consequence_of(const Error& error, CommandEffect effect) {
  switch (effect) {
    case CommandEffect::kCommits:
      if (outcome_is_in_doubt(error.code))
        return "do not count on a snapshot of this push; earlier snapshots are untouched by it";
      return "no snapshot was made; earlier snapshots are untouched";
    case CommandEffect::kCommitsInOne:
      if (outcome_is_in_doubt(error.code))
        return "do not count on a snapshot of this push in this repository; its earlier snapshots are untouched by it";
      return "this repository has no snapshot of this push; its earlier snapshots are untouched";
    case CommandEffect::kCopies:
      return error.code == ErrorCode::kUsage || error.code == ErrorCode::kNoRepository ||
                     error.code == ErrorCode::kWrongKey || error.code == ErrorCode::kFormatTooNew
                 ? "nothing was copied"
                 : "what was copied before is whole and stays; the next run goes on from there";
    case CommandEffect::kRestores:
      switch (error.code) {
        case ErrorCode::kUsage:
        case ErrorCode::kWrongKey:
        case ErrorCode::kNoRepository:
        case ErrorCode::kFormatTooNew:
        case ErrorCode::kAlreadyExists: return "nothing was written";
        default: return "the output is incomplete: do not use it; a file under its own name was not replaced";
      }
    case CommandEffect::kProves:
      switch (error.code) {
        case ErrorCode::kCorrupt:
        case ErrorCode::kTruncated:
        case ErrorCode::kNotFound: return "snapshots that need the damaged object cannot be restored whole";
        default: return "nothing was proven by this run";
      }
    case CommandEffect::kChanges:
    case CommandEffect::kReads: return "";
  }
  return "";
}

std::string_view next_step_of(ErrorCode code, CommandEffect effect) {
  switch (code) {
    case ErrorCode::kInternal:
      return "run it again; if it fails again, check this machine's memory and report the message and "
             "`drstream version`";
    case ErrorCode::kUsage: return "";  // the message says what is accepted
    case ErrorCode::kSource: return "repair the producer and push again";
    case ErrorCode::kAnomaly:
      return "look at the producer; if the stream is right, push again with other limits, or with --on-anomaly tag";
    case ErrorCode::kCorrupt:
    case ErrorCode::kTruncated:
    case ErrorCode::kNotFound:
      return "run `drstream verify --read-data` to see what is affected; a new push of the same data stores damaged "
             "blocks anew";
    case ErrorCode::kIo:
    case ErrorCode::kUnsettled:
    case ErrorCode::kDenied:
      return effect == CommandEffect::kRestores
                 ? "check the disk and permissions of what the message names, then pull again"
                 : "check the repository's disk, mount and permissions (`drstream doctor`)";
    case ErrorCode::kNoSpace:
      return effect == CommandEffect::kRestores
                 ? "free space where the output goes, then pull again"
                 : "free space or raise the quota, then run it again; nothing needs repair";
    case ErrorCode::kUnavailable: return "check that the store can be reached, then run it again";
    case ErrorCode::kAlreadyExists:
      return effect == CommandEffect::kRestores ? "choose another name, or --force if it may be replaced"
                                                : "choose another place";
    case ErrorCode::kConflict: return "see whether another session of this stream is still running, then run it again";
    case ErrorCode::kNoRepository: return "check --repository; `drstream init` makes a new repository";
    case ErrorCode::kBusy: return "wait for the other process, then run it again";
    case ErrorCode::kWrongKey: return "`drstream help init` shows how keys are given";
    case ErrorCode::kRollback:
      return "find out who removed or restored what before you push again; copies of the repository may still have it";
    case ErrorCode::kFormatTooNew: return "use the newer drstream that wrote the repository";
    case ErrorCode::kSinkClosed: return "see why the reader stopped, then pull again";
    case ErrorCode::kCancelled: return "run it again when it may finish";
  }
  return "";
}

}  // namespace

FailureReport explain(const Error& error, CommandEffect effect, int exit_status) {
  FailureReport report;
  report.code = error.code;
  report.exit_status = exit_status;
  report.message = error.message;
  report.consequence = consequence_of(error, effect);
  report.next_step = next_step_of(error.code, effect);
  return report;
}

std::string failure_text(const FailureReport& report, std::string_view command) {
  std::string text = fmt::format("drstream{}{}: error: {}", command.empty() ? "" : " ", command, report.message);
  if (!report.consequence.empty()) text += fmt::format("\n  consequence: {}", report.consequence);
  if (!report.next_step.empty()) text += fmt::format("\n  next step: {}", report.next_step);
  return text;
}

std::string failure_log(const FailureReport& report, std::string_view command, LogFormat format, std::int64_t now_ns) {
  if (format == LogFormat::kText) return failure_text(report, command);
  nlohmann::ordered_json line;
  line["time"] = format_time_utc(now_ns);
  line["level"] = "error";
  line.update(failure_json(report, command));
  return json_text(line, -1);
}

nlohmann::ordered_json failure_json(const FailureReport& report, std::string_view command) {
  nlohmann::ordered_json out;
  out["command"] = command;
  out["code"] = error_code_name(report.code);
  out["exit_code"] = report.exit_status;
  out["message"] = report.message;
  if (!report.consequence.empty()) out["consequence"] = report.consequence;
  if (!report.next_step.empty()) out["next_step"] = report.next_step;
  return out;
}

}  // namespace drs
