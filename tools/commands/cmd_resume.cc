// drstream resume: finishes pushes whose process died after their spool had the whole stream.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/pipeline/push/spooled_push.h"
#include "engine/repository/write_session.h"
#include "io/base/catch_thrown.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "sinks/spool/spool_directory.h"
#include "sinks/spool/spool_store.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/push_spool.h"
#include "tools/output/report.h"
#include "tools/output/snapshot_json.h"
#include "tools/output/summary_text.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

struct ResumeCommand {
  std::string spool;
};

// Whether an entry whose push failed with this code can never be committed. Only a definite verdict counts, never
// something that could not be read: damage may be repaired, and the spool may hold the last copy of the stream.
bool is_lost(ErrorCode code) {
  return code == ErrorCode::kSource        // the producer's end is not proven
         || code == ErrorCode::kConflict;  // fenced or removed
}

// What the operator should do about an entry that is kept.
std::string kept_text(const SpoolEntry& entry, const Error& error) {
  if (!is_lasting_damage(error)) return "its spool is kept: resume again";
  if (error.message.find(entry.path()) != std::string::npos)
    return fmt::format(
        "and the damage is in its spool, so that no resume can commit it: run the producer again with a new push, then "
        "remove {}",
        entry.path());
  return fmt::format(
      "its spool is kept: find out what is damaged in the repository (`drstream verify`), put it back and resume "
      "again; or run the producer again with a new push, then remove {}",
      entry.path());
}

// The spool over an entry's objects, and the repository's store behind it.
Result<std::unique_ptr<Spool>> open_spool(CommandContext& context, ObjectStore& store, const SpoolEntry& entry,
                                          std::size_t memory_bytes, ProgressCounters& counters) {
  DRS_ASSIGN_OR_RETURN(auto objects, entry.open_objects(context.options.io));
  SpoolOptions options;
  options.rule = spool_ruling;
  options.upload_bytes_max = memory_bytes / 2;
  options.progress = &counters;
  return Spool::open(store, std::move(objects), std::move(options));
}

// The state after a failed resume of an entry.
struct Ending {
  bool asked = false;  // whether the repository was asked for the manifest: it may be there, committed before the push
                       // died
  bool kept = false;   // whether the entry stays
};

// Adds the entry's path to damage that was found while only the spool was read.
Error in_spool(const SpoolEntry& entry, Error error) {
  return is_lasting_damage(error) ? std::move(error).with_context(entry.path()) : error;
}

// The manifest that an entry recorded. Errors: kSource (none), those of open_recorded_push, of the spool's disk.
Result<RecordedPush> recorded_push(CommandContext& context, const Repository& repository, const Spool& spool,
                                   const SpoolEntry& entry) {
  const std::vector<ObjectKey> recorded = spool.recorded();
  if (recorded.empty())
    return Error(ErrorCode::kSource, "it ended before its producer had finished: run the producer again");
  DRS_ASSIGN_OR_RETURN(const auto objects, entry.open_objects(context.options.io));
  DRS_ASSIGN_OR_RETURN(Bytes object, get_object(*objects, recorded.front(), kDocumentBytesMax));
  return open_recorded_push(repository, recorded.front(), std::move(object));
}

// `ending.kept`: the entry stays, although the error ends the push.
Result<RecordedPush> finish(CommandContext& context, Repository& repository, const SpoolEntry& entry, Ending& ending) {
  DRS_ASSIGN_OR_RETURN(const std::size_t memory_bytes, context.options.memory_bytes());
  ProgressCounters counters;
  auto spool = open_spool(context, repository.store(), entry, memory_bytes, counters);
  if (!spool.ok()) return in_spool(entry, std::move(spool).error());
  auto recorded = recorded_push(context, repository, **spool, entry);
  if (!recorded.ok()) return in_spool(entry, std::move(recorded).error());
  RecordedPush push = *std::move(recorded);
  ending.asked = true;
  const auto cancelling = context.cancel.on_cancel([&spool] { (*spool)->cancel(); });
  const ProgressReporter reporter(progress_options(context, "resume"), counters, context.console, context.clock);
  const auto finished = finish_recorded_push(
      repository, push, [&spool] { return (*spool)->drain(); }, memory_bytes / 8);
  if (finished.ok()) {
    for (const std::string& warning : *finished) context.log.warn("{}", warning);
    return push;
  }
  // A needed object is missing: that alone is no reason to delete what may be the last copy.
  if (finished.error().code == ErrorCode::kConflict) {
    const auto given_up = is_given_up(repository, push);
    ending.kept = !given_up.ok() || !*given_up;
  }
  return finished.error();
}

// Resumes one entry; it is removed once it is committed or lost.
Result<RecordedPush> resume(CommandContext& context, Repository& repository, SpoolEntry& entry, Ending& ending) {
  auto push = finish(context, repository, entry, ending);
  ending.kept = ending.kept || (!push.ok() && !is_lost(push.error().code));
  if (ending.kept) return push;
  const auto ended = entry.end();
  if (!ended.ok()) context.log.warn("{} could not be removed: {}", entry.path(), ended.error().message);
  return push;
}

// Ends an entry whose push died before it stored anything there. False: it holds objects.
Result<bool> end_empty(CommandContext& context, SpoolEntry& entry) {
  const auto objects = entry.open_objects(context.options.io);
  bool empty = true;
  if (objects.ok()) {
    DRS_RETURN_IF_ERROR((*objects)->list("", [&](const ObjectInfo&) -> Result<void> {
      empty = false;
      return {};
    }));
  } else if (objects.error().code != ErrorCode::kNotFound) {
    return objects.error();
  }
  if (empty) DRS_RETURN_IF_ERROR(entry.end());
  return empty;
}

// Reports an entry that is not to be finished here. One of another repository draws a warning; one of this repository's
// id at another place is an error: it may be a replica's, or --repository names the wrong place.
std::optional<Error> report_foreign(CommandContext& context, const Repository& repository, const SpoolEntry& entry,
                                    const std::string& own) {
  const std::string id = repository.config().repository.hex() + " ";
  if (!entry.owner().starts_with(id)) {
    context.log.warn("{} is left alone: it belongs to another repository ({})", entry.path(), entry.owner());
    return std::nullopt;
  }
  Error error{ErrorCode::kUsage,
              fmt::format("{} belongs to a push to this repository at {}, not at {}: resume it with that --repository; "
                          "if the repository has moved here, write this line into {}/owner: {}",
                          entry.path(), entry.owner().substr(id.size()), own.substr(id.size()), entry.path(), own)};
  context.log.error("{}; it is left alone", error.message);
  return error;
}

Result<nlohmann::ordered_json> report_committed(CommandContext& context, Repository& repository, SeenHeads& seen,
                                                const RecordedPush& push) {
  const Manifest& manifest = push.manifest;
  const Head head{
      manifest.stream, manifest.sequence, push.manifest_digest, push.manifest_name, manifest.finished_ns, {}, {}};
  seen.record_late(repository, head, manifest);
  if (context.output.on_terminal())
    context.output.remark(saved_text(manifest, std::nullopt));
  else
    context.output.remark(fmt::format("snapshot {} stream {} bytes {} sha256 {} resumed, producer: {}",
                                      manifest.session.hex(), manifest.stream, manifest.bytes,
                                      manifest.sha256 ? manifest.sha256->hex() : "-",
                                      manifest.producer == ProducerKind::kUnseen ? "unseen" : "seen"));
  context.output.remark("head " + format_head(head));
  if (may_be_cut_short(manifest)) context.log.warn("{}", kUnseenProducerWarning);
  nlohmann::ordered_json out = snapshot_json(push.manifest_name, push.manifest_digest, manifest);
  out["head"] = format_head(head);
  return out;
}

// Resumes the entries of a spool one after the other and collects the results.
class Resumption {
 public:
  // Looks up addresses before anything is committed: a signal would end a later look-up of a bucket's address.
  Resumption(CommandContext& context, Repository& repository, const RepositoryLocation& place)
      : context_(context),
        repository_(repository),
        owner_(spool_owner(repository, place, context.cancel)),
        heads_(context, repository, place) {}

  // Errors: kCancelled, and kUnsettled after a signal, which end the command. Other failures are collected.
  Result<void> take(SpoolEntry& entry) {
    if (!entry.whole()) {
      const auto ended = end_empty(context_, entry);
      if (!ended.ok()) leave_alone(ended.error());
      if (!ended.ok() || *ended) return {};
    }
    if (entry.owner() != owner_) {
      if (!entry.whole())
        leave_alone({ErrorCode::kCorrupt, entry.path() + "/owner is damaged: the owner of its objects is not known"});
      else if (const auto elsewhere = report_foreign(context_, repository_, entry, owner_))
        count(*elsewhere);
      return {};
    }
    has_own_ = true;
    Ending ending;
    auto push = resume(context_, repository_, entry, ending);
    if (push.ok()) {
      add_committed(*push);
      return {};
    }
    const Error& error = push.error();
    const bool unsettled = error.code == ErrorCode::kUnsettled;
    if (error.code == ErrorCode::kCancelled || (unsettled && context_.cancel.cancelled())) return error;
    add_failed(entry, error, ending);
    return {};
  }

  void leave_alone(const Error& error) {
    context_.log.error("{}; its entry is left alone, and no snapshot is made of it: remove the cause and resume again",
                       error.message);
    count(error);
  }

  // Whether any entry belonged to this repository at this place.
  [[nodiscard]] bool has_own() const { return has_own_; }
  [[nodiscard]] ExitCode exit_code() const { return worst_ ? exit_code_of(*worst_) : ExitCode::kOk; }
  [[nodiscard]] nlohmann::ordered_json json() const { return {{"committed", committed_}, {"failed", failed_}}; }

 private:
  void count(const Error& error) {
    if (!worst_ || is_worse(error, *worst_)) worst_ = error;
  }

  void add_committed(const RecordedPush& push) {
    context_.effect = CommandEffect::kCommitted;
    auto reported = catch_thrown([&] { return report_committed(context_, repository_, heads_, push); });
    if (reported.ok())
      committed_.push_back(*std::move(reported));
    else
      context_.log.warn("{} is committed; a later step failed: {}", push.manifest_name, reported.error().message);
  }

  void add_failed(const SpoolEntry& entry, const Error& error, const Ending& ending) {
    // A push whose manifest was never recorded was never committed.
    const bool in_doubt = leaves_commit_in_doubt(error.code) || (!ending.asked && !is_lost(error.code));
    context_.log.error("the push in {}: {}; {}, {}", entry.path(), error.message,
                       in_doubt ? "do not count on a snapshot of it" : "no snapshot was made",
                       ending.kept ? kept_text(entry, error) : "and its spool is removed");
    failed_.push_back({{"entry", entry.path()},
                       {"code", error_code_name(error.code)},
                       {"message", error.message},
                       {"kept", ending.kept}});
    count(error);
  }

  CommandContext& context_;
  Repository& repository_;
  const std::string owner_;
  SeenHeads heads_;
  bool has_own_ = false;
  std::optional<Error> worst_;
  nlohmann::ordered_json committed_ = nlohmann::ordered_json::array();
  nlohmann::ordered_json failed_ = nlohmann::ordered_json::array();
};

// The entries of pushes that died. Warns and returns none if the directory does not exist.
Result<SpoolDirectory::Entries> take_entries(CommandContext& context, const std::string& spool) {
  auto directory = SpoolDirectory::open(spool);
  if (directory.ok()) return directory->take_dead(context.cancel);
  if (directory.error().code != ErrorCode::kNotFound) return directory.error();
  context.log.warn("--spool {} does not exist: no push has spooled there, or its file system is not mounted", spool);
  return SpoolDirectory::Entries();
}

Result<ExitCode> run_resume(CommandContext& context, const ResumeCommand& command) {
  if (command.spool.empty())
    return Error(ErrorCode::kUsage, "no spool was named; give the --spool DIR of the push, or set DRSTREAM_SPOOL");
  DRS_RETURN_IF_ERROR(check_spool({command.spool, {}}));
  DRS_RETURN_IF_ERROR(context.options.memory_bytes());  // before an entry is opened
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, place, secret));
  warn_of_other_owner(context, place);
  DRS_ASSIGN_OR_RETURN(SpoolDirectory::Entries entries, take_entries(context, command.spool));
  Resumption resumption(context, *repository, place);
  for (SpoolEntry& entry : entries.dead) DRS_RETURN_IF_ERROR(resumption.take(entry));
  for (const Error& error : entries.unreadable) resumption.leave_alone(error);
  for (const std::string& path : entries.running) context.log.info("{} belongs to a push that is still running", path);
  nlohmann::ordered_json document = resumption.json();
  document["running"] = entries.running;
  if (!resumption.has_own()) context.output.remark("nothing to resume in " + command.spool);
  const ExitCode code = resumption.exit_code();
  context.output.document("drstream.resume/1", static_cast<int>(code), document);
  return code;
}

}  // namespace

void add_resume_command(CommandSet& commands) {
  const auto command = std::make_shared<ResumeCommand>();
  CLI::App* const app = add_subcommand(commands.root(), "resume", "Finish interrupted pushes whose spool is complete",
                                       "  drstream resume --spool /var/spool/drstream\n"
                                       "  drstream resume -r s3://bucket/prefix --spool /var/spool/drstream --json\n");
  as_setting(add_text(*app, "--spool", command->spool, "DIR", "The spool directory of the push"));
  commands.add(
      {app, CommandEffect::kCommits, [command](CommandContext& context) { return run_resume(context, *command); }});
}

}  // namespace drs
