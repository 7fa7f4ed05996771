#include "tools/output/report.h"

#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "engine/repository/write_session.h"
#include "io/base/error_class.h"
#include "tools/output/output.h"
#include "tools/output/printable.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

// Found before anything is changed.
bool is_mistake(ErrorCode code) {
  return code == ErrorCode::kUsage || code == ErrorCode::kNoRepository || code == ErrorCode::kWrongKey ||
         code == ErrorCode::kFormatTooNew || code == ErrorCode::kNoSnapshot;
}

std::string_view consequence_of(const Error& error, CommandEffect effect) {
  switch (effect) {
    case CommandEffect::kCommits:
    case CommandEffect::kArchives:
      if (leaves_commit_in_doubt(error.code))
        return "do not count on a snapshot of this push; earlier snapshots are untouched by it";
      return "no snapshot was made; earlier snapshots are untouched";
    case CommandEffect::kCommitted: return "what was committed stays committed; only a later step failed";
    case CommandEffect::kCommitsInOne:
      if (leaves_commit_in_doubt(error.code))
        return "do not count on a snapshot of this push in this repository; its earlier snapshots are untouched by it";
      return "this repository has no snapshot of this push; its earlier snapshots are untouched";
    case CommandEffect::kCopies:
      return is_mistake(error.code) ? "nothing was copied"
                                    : "snapshots copied before stay complete; the next run continues from there";
    case CommandEffect::kForgets:
      return is_mistake(error.code) ? "no snapshot was removed"
                                    : "snapshots that were marked as removed stay so, and nothing is deleted yet: "
                                      "`drstream list --removed` shows them, `drstream unforget` brings them back";
    case CommandEffect::kWillRestore:
    case CommandEffect::kWillRestoreTopics: return "nothing was written";
    case CommandEffect::kRestores:
      switch (error.code) {
        case ErrorCode::kUsage:
        case ErrorCode::kWrongKey:
        case ErrorCode::kNoRepository:
        case ErrorCode::kFormatTooNew:
        case ErrorCode::kNoSnapshot:
        case ErrorCode::kRollback:
        case ErrorCode::kAlreadyExists: return "nothing was written";
        default:
          return "the output is incomplete: do not use it; a file of that name was not replaced, a device may be "
                 "overwritten in part";
      }
    case CommandEffect::kRestoresTopics: return "the topics at the target may be incomplete: do not use them yet";
    case CommandEffect::kProves: return "nothing was proven by this run";
    case CommandEffect::kSweeps:
      return is_mistake(error.code) ? "nothing was proven by this run"
                                    : "what this run has recorded until then stays proven, and packs that it found "
                                      "damaged are marked: `drstream status` shows them";
    case CommandEffect::kRepairs:
      return is_mistake(error.code) ? "nothing was repaired"
                                    : "what was damaged stays damaged, as far as this run had not healed it";
    case CommandEffect::kChanges:
    case CommandEffect::kReadsTopics:
    case CommandEffect::kReads: return "";
  }
  return "";
}

// Messages that quote what the operator typed or set: a key may have been given in place of a name.
bool may_hold_a_key(ErrorCode code) {
  return code == ErrorCode::kUsage || code == ErrorCode::kWrongKey || code == ErrorCode::kNoRepository ||
         code == ErrorCode::kNoSnapshot;
}

// A store behind a network refuses without an errno; the operating system gives one.
bool is_of_the_system(const Error& error) {
  return error.error_number != 0;
}

std::string_view damage_step(CommandEffect effect) {
  if (effect == CommandEffect::kRestores)
    return "run `drstream verify --read-data` to see what is affected; damaged objects may be intact in a copy of the "
           "repository; `drstream pull --allow-holes -o FILE` restores the rest of the stream";
  return "run `drstream verify --read-data` to see what is affected; damaged objects may be intact in a copy of the "
         "repository";
}

// A repair has found damage, so its steps do not say that nothing needs repair.
std::string_view shortage_step(CommandEffect effect) {
  if (effect == CommandEffect::kRepairs)
    return "this machine is short of descriptors, memory or threads: stop other programs, raise the limit (`ulimit "
           "-n`, `ulimit -u`, the container's), or give fewer --threads, then run it again";
  return "this machine is short of descriptors, memory or threads: stop other programs, raise the limit (`ulimit "
         "-n`, `ulimit -u`, the container's), or give fewer --threads, then run it again; nothing needs repair";
}

std::string_view no_space_step(CommandEffect effect) {
  if (effect == CommandEffect::kRepairs)
    return "free space or raise the quota, then run it again: it goes on with what is left";
  if (effect == CommandEffect::kWillRestore || effect == CommandEffect::kRestores)
    return "free space where the output goes, then pull again";
  return "free space or raise the quota, then run it again; nothing needs repair";
}

std::string_view next_step_of(const Error& error, CommandEffect effect) {
  const bool restores = effect == CommandEffect::kWillRestore || effect == CommandEffect::kRestores;
  const bool pushes =
      effect == CommandEffect::kCommits || effect == CommandEffect::kCommitsInOne || effect == CommandEffect::kArchives;
  const bool topics = effect == CommandEffect::kRestoresTopics || effect == CommandEffect::kWillRestoreTopics;
  if (topics && is_object_fault(error) && !is_too_new(error))
    return "restore the other topics by --topics or --exclude; run `drstream kafka archive` again, which reads what "
           "the brokers still have of it, and `drstream verify --read-data`; another copy of the repository may be "
           "intact";
  if (effect == CommandEffect::kRestoresTopics && error.code != ErrorCode::kUsage)
    return "run it again with --resume: it goes on where this run ended";
  if (effect == CommandEffect::kCommitted) return "`drstream list` shows what was committed; it needs no second push";
  if (error.error_number == ENOMEM) return "free memory, or give less --memory, then run it again";
  if (is_shortage_errno(error.error_number)) return shortage_step(effect);
  switch (error.code) {
    case ErrorCode::kInternal:
      return "run it again; if it fails again, check this machine's memory and report the message and "
             "`drstream version`";
    case ErrorCode::kUsage: return "";  // the message says what is accepted
    case ErrorCode::kSource:
      if (effect == CommandEffect::kArchives || effect == CommandEffect::kReadsTopics)
        return "repair what the message names and run it again; `drstream policy kafka` prints the access rules that "
               "it needs";
      return "repair the producer and push again";
    case ErrorCode::kLimitMissed:
      if (effect == CommandEffect::kForgets) return "";  // the message says what protects the snapshot
      return "check the producer; if the stream is right, push again with other limits, or with --on-anomaly tag";
    case ErrorCode::kNoSnapshot: return "`drstream list` shows the streams and snapshots that are there";
    case ErrorCode::kCorrupt:
    case ErrorCode::kTruncated:
    case ErrorCode::kNotFound:
      if (effect == CommandEffect::kArchives)
        return "run `drstream verify --read-data` to see what is affected; the next run reads again what the brokers "
               "still have of it";
      if (pushes)
        return "run `drstream verify --read-data` to see what is affected; a new push of the same data stores damaged "
               "blocks again";
      return damage_step(effect);
    case ErrorCode::kDenied:
      if (!is_of_the_system(error))
        return "check the credentials and what they are allowed to do (`drstream doctor`, `drstream policy`)";
      [[fallthrough]];
    case ErrorCode::kIo:
      if (!is_of_the_system(error)) return "see the store's answer in the message; `drstream doctor` checks the store";
      return restores ? "check the disk and permissions of the named path, then pull again"
                      : "check the disk, mount and permissions of the named path (`drstream doctor` checks the "
                        "repository's)";
    case ErrorCode::kUnsettled:
      return "check whether the snapshot exists (`drstream list`) and whether the store accepts objects (`drstream "
             "doctor`); push again if it does not exist";
    case ErrorCode::kNoSpace: return no_space_step(effect);
    case ErrorCode::kUnavailable: return "check that the store can be reached, then run it again";
    case ErrorCode::kAlreadyExists:
      return restores ? "choose another name, or --force if it may be replaced" : "choose another place";
    case ErrorCode::kConflict: return "check whether another session is writing there, then run it again";
    case ErrorCode::kNoRepository:
      return "check --repository; for a new repository run `drstream init` at an empty place";
    case ErrorCode::kBusy: return "wait for the other process, then run it again";
    case ErrorCode::kWrongKey:
      return "check which key is given (`drstream help keys`); `drstream key test` proves that it opens the repository";
    case ErrorCode::kRollback:
      return "find out what was removed or rolled back, and by whom; copies of the repository may still have it. "
             "Pushes may go on meanwhile: they remove nothing";
    case ErrorCode::kFormatTooNew: return "use the newer drstream that wrote the repository";
    case ErrorCode::kSinkClosed:
      if (effect == CommandEffect::kReads) return "see why the reader stopped, then run it again";
      if (!restores)
        return "repair what the message names and run it again; `drstream policy kafka --role restore` prints the "
               "access rules that it needs";
      return "see why the reader stopped, then pull again";
    case ErrorCode::kCancelled: return "run it again when it may finish";
  }
  return "";
}

}  // namespace

FailureReport explain(const Error& error, CommandEffect effect, int exit_status, const std::string& next_step) {
  FailureReport report;
  report.code = error.code;
  report.exit_status = exit_status;
  report.message = may_hold_a_key(error.code) ? hide_key_digits(error.message) : error.message;
  report.consequence = consequence_of(error, effect);
  report.next_step = next_step.empty() ? next_step_of(error, effect) : next_step;
  return report;
}

std::string failure_text(const FailureReport& report, std::string_view command) {
  std::string text =
      fmt::format("drstream{}{}: error: {}", command.empty() ? "" : " ", command, printable_message(report.message));
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
  return dump_json(line, JsonLayout::kOneLine);
}

nlohmann::ordered_json failure_json(const FailureReport& report, std::string_view command) {
  nlohmann::ordered_json out;
  set_text(out, "command", command);
  out["code"] = error_code_name(report.code);
  out["exit_code"] = report.exit_status;
  out["message"] = report.message;
  set_text(out, "consequence", report.consequence);
  set_text(out, "next_step", report.next_step);
  return out;
}

}  // namespace drs
