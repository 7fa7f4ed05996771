// drstream resume: finishes pushes whose process died after their spool had the whole stream.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/pipeline/spooled_push.h"
#include "io/catch_thrown.h"
#include "io/error_class.h"
#include "sinks/spool_directory.h"
#include "sinks/spool_store.h"
#include "tools/command.h"
#include "tools/open_repository.h"
#include "tools/option_builder.h"
#include "tools/push_spool.h"
#include "tools/report.h"
#include "tools/seen_heads.h"
#include "tools/snapshot_json.h"
#include "tools/summary_text.h"

namespace drs {
namespace {

struct ResumeCommand {
  std::string spool;
};

// Whether an entry whose push failed so can never be committed: only by a verdict, never because something could not be
// read. Whatever is damaged may be mended; what the spool holds may be the last copy of the stream.
bool is_lost(ErrorCode code) {
  return code == ErrorCode::kSource        // the producer's end is not proven
         || code == ErrorCode::kConflict;  // fenced or removed
}

// What to do about an entry that is kept.
std::string kept_text(const SpoolEntry& entry, const Error& error) {
  if (!is_lasting_damage(error)) return "its spool is kept: resume again";
  if (error.message.find(entry.path()) != std::string::npos)
    return fmt::format(
        "and what is damaged lies in its spool, so that no resume can commit it: run the producer again with a new "
        "push, then remove {}",
        entry.path());
  return fmt::format(
      "its spool is kept: see what is damaged in the repository (`drstream verify`), put it back and "
      "resume again; or run the producer again with a new push, then remove {}",
      entry.path());
}

// The spool over an entry's objects, and the repository's store behind it.
Result<std::unique_ptr<Spool>> open_spool(CommandContext& context, ObjectStore& store, const SpoolEntry& entry,
                                          ProgressCounters& counters) {
  DRS_ASSIGN_OR_RETURN(auto objects, entry.open_objects(context.options.io));
  SpoolOptions options;
  options.rule = spool_ruling;
  options.upload_bytes_max = static_cast<std::size_t>(context.options.memory_bytes) / 2;
  options.progress = &counters;
  return Spool::open(store, std::move(objects), std::move(options));
}

// How a resume of an entry that failed leaves things.
struct Ending {
  bool asked = false;  // whether the repository was asked for the manifest: it may be there, committed before the push
                       // died
  bool kept = false;   // whether the entry stays
};

// Of an error that came up where only the spool is read: damage names the entry.
Error in_spool(const SpoolEntry& entry, Error error) {
  return is_lasting_damage(error) ? std::move(error).with_context(entry.path()) : error;
}

// The manifest that an entry recorded. Errors: kSource (none), those of open_recorded_push, of the spool's disk.
Result<RecordedPush> recorded_push(CommandContext& context, const Repository& repository, const Spool& spool,
                                   const SpoolEntry& entry) {
  const std::vector<ObjectKey> recorded = spool.recorded();
  if (recorded.empty())
    return Error{ErrorCode::kSource, "it ended before its producer was known to have finished: run the producer again"};
  DRS_ASSIGN_OR_RETURN(const auto objects, entry.open_objects(context.options.io));
  DRS_ASSIGN_OR_RETURN(Bytes object, get_object(*objects, recorded.front(), kDocumentBytesMax));
  return open_recorded_push(repository, recorded.front(), std::move(object));
}

// `ending.kept`: an error that ends the push all the same leaves its entry where it is.
Result<RecordedPush> finish(CommandContext& context, Repository& repository, const SpoolEntry& entry, Ending& ending) {
  ProgressCounters counters;
  auto spool = open_spool(context, repository.store(), entry, counters);
  if (!spool.ok()) return in_spool(entry, std::move(spool).error());
  auto recorded = recorded_push(context, repository, **spool, entry);
  if (!recorded.ok()) return in_spool(entry, std::move(recorded).error());
  RecordedPush push = *std::move(recorded);
  ending.asked = true;
  const auto cancelling = context.cancel.on_cancel([&spool] { (*spool)->cancel(); });
  const ProgressReporter reporter(progress_options(context, "resume"), counters, context.console, context.clock);
  const auto finished = finish_recorded_push(
      repository, push, [&spool] { return (*spool)->drain(); },
      static_cast<std::size_t>(context.options.memory_bytes) / 8);
  if (finished.ok()) {
    for (const std::string& warning : *finished) context.log.warn("{}", warning);
    return push;
  }
  // What it needs is not there: that alone is no reason to throw away what may be the last copy.
  if (finished.error().code == ErrorCode::kConflict) {
    const auto given_up = is_given_up(repository, push);
    ending.kept = !given_up.ok() || !*given_up;
  }
  return finished.error();
}

// One entry from start to end; nothing of it stays once it is committed or lost.
Result<RecordedPush> resume(CommandContext& context, Repository& repository, SpoolEntry& entry, Ending& ending) {
  auto push = finish(context, repository, entry, ending);
  ending.kept = ending.kept || (!push.ok() && !is_lost(push.error().code));
  if (ending.kept) return push;
  const auto ended = entry.end();
  if (!ended.ok()) context.log.warn("{} could not be removed: {}", entry.path(), ended.error().message);
  return push;
}

// Ends an entry whose push died before it had anything. False: it holds objects.
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

// Of an entry that is not to be finished here. Another repository's is none of our business; one of this repository's
// id, pushed to another place, may be a replica's, or this is not the place that was meant.
std::optional<Error> tell_foreign(CommandContext& context, const Repository& repository, const SpoolEntry& entry,
                                  const std::string& own) {
  const std::string id = repository.config().repository.hex() + " ";
  if (!entry.owner().starts_with(id)) {
    context.log.warn("{} is left alone: it is of another repository ({})", entry.path(), entry.owner());
    return std::nullopt;
  }
  Error error{ErrorCode::kUsage,
              fmt::format("{} is of a push to this repository at {}, not at {}: resume it with that --repository; if "
                          "the repository has moved here, write this line into {}/owner: {}",
                          entry.path(), entry.owner().substr(id.size()), own.substr(id.size()), entry.path(), own)};
  context.log.error("{}; it is left alone", error.message);
  return error;
}

Result<nlohmann::ordered_json> tell_committed(CommandContext& context, Repository& repository, SeenHeads& seen,
                                              const RecordedPush& push) {
  const Manifest& manifest = push.manifest;
  const Head head{
      manifest.stream, manifest.sequence, push.manifest_digest, push.manifest_name, manifest.finished_ns, {}, {}};
  // The push began long ago: what has been seen meanwhile is compared with what is there now.
  const auto before = seen.load(manifest.stream);
  const auto catalog = load_snapshots(repository, manifest.stream);
  if (catalog.ok())
    seen.record(head, push.manifest, before, *catalog);
  else
    context.log.warn("the head is not remembered, since it cannot be compared: {}; keep the one printed",
                     catalog.error().message);
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

Result<ExitCode> run_resume(CommandContext& context, const ResumeCommand& command) {
  if (command.spool.empty())
    return Error{ErrorCode::kUsage, "no spool was named; give --spool DIR as to the push, or set DRSTREAM_SPOOL"};
  DRS_RETURN_IF_ERROR(check_spool_place(command.spool));
  DRS_ASSIGN_OR_RETURN(const RepositoryPlace place, repository_place(context.options));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, place));
  DRS_ASSIGN_OR_RETURN(const auto repository, open_repository(context, place, secret));
  warn_of_other_owner(context, place);
  auto directory = SpoolDirectory::open(command.spool);
  SpoolDirectory::Entries entries;
  if (directory.ok()) {
    DRS_ASSIGN_OR_RETURN(entries, directory->take_dead(context.cancel));
  } else if (directory.error().code == ErrorCode::kNotFound) {
    context.log.warn("--spool {} is not there: no push has spooled there, or what holds it is not mounted",
                     command.spool);
  } else {
    return std::move(directory).error();
  }

  // Both before anything is committed: they may have to ask where a bucket is, which a signal would end.
  const std::string own = spool_owner(*repository, place, context.cancel);
  SeenHeads heads(context, *repository, place);
  std::optional<Error> worst;
  auto document = nlohmann::ordered_json::object();
  document["committed"] = nlohmann::ordered_json::array();
  document["failed"] = nlohmann::ordered_json::array();
  std::size_t seen = 0;
  const auto count = [&](const Error& error) {
    if (!worst || is_worse(error, *worst)) worst = error;
  };
  const auto leave_alone = [&](const Error& error) {
    context.log.error(
        "{}; its entry is left alone, and no snapshot is made of it: see to what stands in the way and resume again",
        error.message);
    count(error);
  };
  for (SpoolEntry& entry : entries.dead) {
    if (!entry.whole()) {
      const auto ended = end_empty(context, entry);
      if (!ended.ok()) leave_alone(ended.error());
      if (!ended.ok() || *ended) continue;
    }
    if (entry.owner() != own) {
      if (!entry.whole())
        leave_alone({ErrorCode::kCorrupt, entry.path() + "/owner is damaged: it does not say whose the objects are"});
      else if (const auto elsewhere = tell_foreign(context, *repository, entry, own))
        count(*elsewhere);
      continue;
    }
    ++seen;
    Ending ending;
    auto push = resume(context, *repository, entry, ending);
    if (push.ok()) {
      context.effect = CommandEffect::kCommitted;
      auto told = catch_thrown([&] { return tell_committed(context, *repository, heads, *push); });
      if (told.ok())
        document["committed"].push_back(*std::move(told));
      else
        context.log.warn("{} is committed; what came after it failed: {}", push->manifest_name, told.error().message);
      continue;
    }
    const Error& error = push.error();
    const bool unsettled = error.code == ErrorCode::kUnsettled;
    if (error.code == ErrorCode::kCancelled || (unsettled && context.cancel.cancelled())) return error;
    // What was never recorded was never committed.
    const bool in_doubt = outcome_is_in_doubt(error.code) || (!ending.asked && !is_lost(error.code));
    context.log.error("the push in {}: {}; {}, {}", entry.path(), error.message,
                      in_doubt ? "do not count on a snapshot of it" : "no snapshot was made",
                      ending.kept ? kept_text(entry, error) : "and its spool is removed");
    document["failed"].push_back({{"entry", entry.path()},
                                  {"code", error_code_name(error.code)},
                                  {"message", error.message},
                                  {"kept", ending.kept}});
    count(error);
  }
  for (const Error& error : entries.unreadable) leave_alone(error);
  for (const std::string& path : entries.running) context.log.info("{} is of a push that is still running", path);
  document["running"] = entries.running;
  if (seen == 0) context.output.remark("nothing to resume in " + command.spool);
  context.output.document("drstream.resume/1", document);
  return worst ? exit_code_of(*worst) : ExitCode::kOk;
}

}  // namespace

void add_resume_command(CommandSet& commands) {
  const auto command = std::make_shared<ResumeCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "resume", "Finish interrupted pushes whose spool has everything",
                     "  drstream resume --spool /var/spool/drstream\n"
                     "  drstream resume -r s3://bucket/prefix --spool /var/spool/drstream --json\n");
  as_setting(add_text(*app, "--spool", command->spool, "DIR", "The spool directory that was given to the push"));
  commands.add({app, CommandEffect::kCommits, false,
                [command](CommandContext& context) { return run_resume(context, *command); }});
}

}  // namespace drs
