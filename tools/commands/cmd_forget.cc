// drstream forget: takes snapshots away, by rules, by name, or a whole stream.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/pipeline/copy/same_place.h"
#include "engine/pipeline/keeping/forget.h"
#include "engine/pipeline/keeping/removal_marks.h"
#include "engine/repository/holds.h"
#include "engine/repository/snapshot_selection.h"
#include "engine/repository/store_time.h"
#include "tools/cli/identity.h"
#include "tools/cli/option_builder.h"
#include "tools/command.h"
#include "tools/commands/forget_choice.h"
#include "tools/commands/forget_results.h"
#include "tools/commands/prune_results.h"
#include "tools/commands/run_prune.h"
#include "tools/output/question.h"
#include "tools/output/time_text.h"
#include "tools/output/time_zone.h"
#include "tools/repository/open_repository.h"
#include "tools/repository/seen_heads.h"

namespace drs {
namespace {

// The repository, and the one of --require-copy; null without that option.
struct Opened {
  std::unique_ptr<Repository> repository;
  std::unique_ptr<Repository> other;
  Listing listing;
};

Result<Opened> open_both(CommandContext& context, const ForgetCommand& command) {
  Opened opened;
  if (command.copy.place.empty()) {
    DRS_ASSIGN_OR_RETURN(opened.repository, open_repository(context, Reads::kSnapshots, &opened.listing));
    return opened;
  }
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation other, parse_repository_location(command.copy.place, context.options));
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation here, repository_location(context.options, {&command.copy.place, 1}));
  DRS_ASSIGN_OR_RETURN(std::optional<Secret> given, read_from_secret(context, other, command.copy));
  DRS_ASSIGN_OR_RETURN(const Secret secret, take_secret(context, here));
  DRS_ASSIGN_OR_RETURN(const Secret others, from_secret(context, std::move(given), here, secret));
  DRS_ASSIGN_OR_RETURN(opened.repository, open_repository(context, here, secret, Reads::kSnapshots, &opened.listing));
  DRS_ASSIGN_OR_RETURN(opened.other, open_from_repository(context, other, command.copy, others));
  DRS_ASSIGN_OR_RETURN(const bool same,
                       is_same_place(*opened.repository, *opened.other, {.stream = "forget", .host = host_name()}));
  if (same)
    return Error(ErrorCode::kUsage, fmt::format("--require-copy {} and {} are the same place: it holds no second copy",
                                                command.copy.place, here.name));
  return opened;
}

// Which snapshots another repository holds, as readable manifests: under the same name, or as a copy with other keys.
class Copies {
 public:
  static Result<Copies> load(Repository& repository) {
    Copies copies;
    DRS_ASSIGN_OR_RETURN(copies.catalog_, load_snapshots(repository));
    for (const Snapshot& snapshot : copies.catalog_.live)
      copies.by_time_.emplace(snapshot.manifest.snapshot_ns, &snapshot);
    return copies;
  }

  [[nodiscard]] bool have(const Snapshot& snapshot) const {
    const auto [first, last] = by_time_.equal_range(snapshot.manifest.snapshot_ns);
    return std::any_of(first, last,
                       [&](const auto& entry) { return is_copy(entry.second->manifest, snapshot.manifest); });
  }

 private:
  SnapshotCatalog catalog_;
  std::multimap<WallNs, const Snapshot*> by_time_;
};

// The store's present time, or 0: then no hold has ended, and no time in the future is seen as one.
Result<WallNs> time_of(Repository& repository, const ForgetCommand& command) {
  auto now = store_time(repository.store());
  if (now.ok() || now.error().code == ErrorCode::kCancelled) return now;
  const bool tells_none = now.error().code == ErrorCode::kUsage;
  // A plan alone needs no permission to write.
  if (tells_none || command.dry_run) return WallNs{0};
  return now;
}

std::string reason_of(const ForgetPlan& plan, const std::string& stream) {
  const auto rules = plan.choice.rules.find(stream);
  if (rules == plan.choice.rules.end()) return "named";
  return fmt::format("rules {} ({})", format_keep_rules(rules->second.rules), rules->second.origin);
}

Result<ForgetPlan> make_plan(const ForgetCommand& command, ForgetSources sources, ForgetChoice choice,
                             const ForgetFilter& filter, WallNs now_ns) {
  ForgetPlan plan;
  plan.choice = std::move(choice);
  sources.given_up = plan.choice.damaged;
  plan.holds = sources.holds;
  if (plan.choice.by == ForgetChoice::By::kRules) {
    std::map<std::string, const KeepRules*> rules;
    for (const auto& [stream, of_stream] : plan.choice.rules) rules.emplace(stream, &of_stream.rules);
    plan.streams = plan_by_rules(sources, rules, filter, command.force ? ForgetGuards::kOff : ForgetGuards::kOn);
  } else {
    plan.streams = plan_by_name(sources, plan.choice.named, filter);
  }
  for (const PlannedStream& stream : plan.streams)
    std::ranges::move(removal_marks({&stream, 1}, now_ns, reason_of(plan, stream.stream)),
                      std::back_inserter(plan.marks));
  for (const std::string& name : plan.choice.damaged) {
    auto mark = damaged_removal_mark(sources, name, now_ns, "damaged");
    if (mark.ok())
      plan.marks.push_back(*std::move(mark));
    else if (mark.error().code == ErrorCode::kLimitMissed)
      plan.held_damaged.push_back(std::move(mark).error());
    else
      return std::move(mark).error();
  }
  return plan;
}

// Asks at a terminal. Elsewhere the answer is yes.
Result<bool> is_wanted(CommandContext& context, const ForgetCommand& command, const ForgetPlan& plan) {
  if (command.yes || plan.marks.empty() || !can_ask()) return true;
  const std::size_t damaged = plan.marks.size() - plan.removed();
  // Where stdout goes elsewhere, the plan is not on the screen yet.
  const std::string shown =
      context.output.on_terminal() ? std::string() : plan_table(plan, context.output.columns_max());
  return ask_yes_or_no(shown + fmt::format("remove {} snapshot{}{}?", plan.removed(), plan.removed() == 1 ? "" : "s",
                                           damaged > 0 ? fmt::format(" and {} damaged manifests", damaged) : ""),
                       context.cancel);
}

// Prints the result, of which a person at a terminal has seen the table.
void print_result(CommandContext& context, const ForgetPlan& plan, ForgetState state) {
  Output& output = context.output;
  if (context.options.log.quiet && plan.exit_code() == ExitCode::kOk && state == ForgetState::kDone) return;
  if (state == ForgetState::kDeclined) return output.text("nothing was removed\n");
  if (state == ForgetState::kDone && !output.on_terminal() && !plan.marks.empty()) output.text(removed_lines(plan));
  output.text(forget_summary(plan, state));
  if (state == ForgetState::kDone && plan.removed() > 0 && output.on_terminal())
    output.text("their data stays for now: `drstream unforget ID` brings one back, `drstream prune` frees the space\n");
}

// Prunes after the marks were written, or plans it.
Result<std::optional<PruneReport>> prune_after(CommandContext& context, const ForgetCommand& command,
                                               Repository& repository, const ForgetPlan& plan) {
  if (!command.prune) return std::optional<PruneReport>();
  DRS_ASSIGN_OR_RETURN(const RepositoryLocation place, repository_location(context.options));
  PruneOptions options = command.prune_options;
  options.dry_run = command.dry_run;
  const SeenHeads seen(context, repository);  // anew: those of now
  options.remembered = seen.lost_finder();
  if (options.dry_run && !plan.marks.empty()) context.output.text("of the prune, without what is removed above:\n");
  options.single_writer = place.cloud.single_writer && place.kind != RepositoryLocation::Kind::kLocal;
  DRS_ASSIGN_OR_RETURN(PruneReport report, prune_and_print(context, repository, options));
  return std::optional(std::move(report));
}

// Shows the plan where a person may look, asks, writes the marks, and prunes.
Result<ExitCode> carry_out(CommandContext& context, const ForgetCommand& command, Repository& repository,
                           ForgetPlan plan, std::vector<std::string> warnings) {
  if (command.dry_run || context.output.on_terminal())
    context.output.text(plan_table(plan, context.output.columns_max()));
  ForgetState state = ForgetState::kPlanned;
  MarksReport written;
  if (!command.dry_run) {
    DRS_ASSIGN_OR_RETURN(const bool wanted, is_wanted(context, command, plan));
    state = wanted ? ForgetState::kDone : ForgetState::kDeclined;
  }
  if (state == ForgetState::kDone) {
    DRS_ASSIGN_OR_RETURN(written, write_removal_marks(repository, plan.marks, context.cancel));
    plan.leave(written.refused);
    for (const auto& [manifest, error] : written.refused) {
      context.log.warn("{}", error.message);
      warnings.push_back(error.message);
    }
  }
  print_result(context, plan, state);
  ExitCode code = state == ForgetState::kDeclined ? ExitCode::kLimitMissed : plan.exit_code();
  if (!written.refused.empty()) code = ExitCode::kDamage;
  nlohmann::ordered_json document = forget_json(plan, state, written, warnings);
  if (state != ForgetState::kDeclined) {
    DRS_ASSIGN_OR_RETURN(const auto pruned, prune_after(context, command, repository, plan));
    if (pruned) document["prune"] = prune_json(*pruned, command.dry_run ? PruneMode::kDryRun : PruneMode::kDone);
    if (pruned && exit_code_of(*pruned) != ExitCode::kOk) code = exit_code_of(*pruned);
  }
  context.output.document("drstream.forget/1", static_cast<int>(code), document);
  return code;
}

// What is lost, damaged, refused, or stays although it was named. Logs it, and returns it for the document.
std::vector<std::string> warn_of_plan(CommandContext& context, const SeenHeads& seen, const SnapshotCatalog& catalog,
                                      const ForgetPlan& plan) {
  const auto concerns = [&](const std::string& stream) {
    return std::ranges::any_of(plan.streams, [&](const PlannedStream& planned) { return planned.stream == stream; });
  };
  std::vector<std::string> warnings = seen.warn_of_lost(catalog, concerns).warnings;
  for (std::string& text : plan_warnings(plan)) {
    context.log.warn("{}", text);
    warnings.push_back(std::move(text));
  }
  return warnings;
}

Result<ExitCode> run_forget(CommandContext& context, const ForgetCommand& command) {
  DRS_RETURN_IF_ERROR(check_clock(std::time(nullptr)));
  DRS_RETURN_IF_ERROR(check_forget(context, command));
  if (!command.time_zone.empty()) DRS_RETURN_IF_ERROR(use_time_zone(command.time_zone));
  DRS_ASSIGN_OR_RETURN(Opened opened, open_both(context, command));
  Repository& repository = *opened.repository;
  if (!command.dry_run) warn_of_other_owner(context);
  const SeenHeads seen(context, repository);
  DRS_ASSIGN_OR_RETURN(const SnapshotCatalog catalog, seen.load_snapshots(repository, opened.listing));
  DRS_ASSIGN_OR_RETURN(ForgetChoice choice, choose_to_forget(context, command, seen, catalog));
  DRS_ASSIGN_OR_RETURN(const WallNs store_now, time_of(repository, command));
  // Behind the list of snapshots, so that a hold on one of them is seen.
  DRS_ASSIGN_OR_RETURN(const Holds holds, load_holds(repository, store_now));

  ForgetFilter filter;
  std::optional<Copies> copies;
  if (opened.other != nullptr) {
    DRS_ASSIGN_OR_RETURN(copies, Copies::load(*opened.other));
    filter.has_copy = [&](const Snapshot& snapshot) { return copies->have(snapshot); };
  }
  if (!choice.tags.empty())
    filter.concerns = [tags = choice.tags](const Snapshot& snapshot) { return has_tags(snapshot.manifest.tags, tags); };
  DRS_ASSIGN_OR_RETURN(ForgetPlan plan, make_plan(command, {catalog, holds, store_now}, std::move(choice), filter,
                                                  context.clock.wall_ns()));
  if (filter.concerns && plan.removed() + plan.kept() == 0)
    return Error(ErrorCode::kNoSnapshot, "no snapshot of these streams has the tags of --tag");
  std::vector<std::string> warnings = warn_of_plan(context, seen, catalog, plan);
  return carry_out(context, command, repository, std::move(plan), std::move(warnings));
}

}  // namespace

void add_forget_command(CommandSet& commands) {
  const auto command = std::make_shared<ForgetCommand>();
  CLI::App* const app =
      add_subcommand(commands.root(), "forget", "Remove snapshots: by rules, by name, or a whole stream",
                     "  drstream forget --keep-hourly 24 --keep-daily 7 --keep-weekly 4 --prune\n"
                     "  drstream forget pg/ --keep-daily 30 --timezone Europe/Bucharest --dry-run\n"
                     "  drstream forget 3f9c01d2\n"
                     "  drstream forget --all customer/4711\n"
                     "  drstream forget --keep-daily 7 --require-copy s3://bucket/drs\n");
  app->add_option(
         "SNAPSHOT", command->targets,
         "Streams, pg/ or patterns, as of `list`: the rules decide on their snapshots (default: all streams). Or "
         "snapshots, by their ids or as stream@latest or stream@TIME: these go")
      ->type_name("");
  add_keep_options(*app, command->keep);
  add_texts(*app, "--tag", command->tags, "KEY[=VALUE]",
            "Let the rules look only at snapshots with this tag; several: with all of them. The others stay");
  add_text(*app, "--timezone", command->time_zone, "ZONE",
           "Days and hours are those of this zone, such as Europe/Bucharest (default: that of this machine)");
  add_texts(*app, "--all", command->all, "STREAM",
            "Remove the whole stream, the newest snapshot, damaged and lost manifests included; only holds stop it");
  add_texts(*app, "--damaged", command->damaged, "NAME",
            "Give up a snapshot whose manifest cannot be read or is lost, by the manifest's name");
  add_text(*app, "--require-copy", command->copy.place, "PLACE",
           "Remove only what the repository at PLACE holds, too; a key of its own: --from-key-file and so on");
  add_flag(*app, "--prune", command->prune,
           "Then give back the space of what no snapshot needs, as `drstream prune` does");
  add_prune_options(*app, command->prune_options);
  add_flag(*app, "--dry-run", command->dry_run, "Remove nothing; print what would be removed, and why the others stay");
  add_flag(*app, "-y,--yes", command->yes, "Do not ask at a terminal");
  add_flag(*app, "--force", command->force,
           "Remove also where no rule matches, where one snapshot alone would stay, or where more than half of what an "
           "earlier forget kept would go without newer ones in its place");
  declare_from_key_options(*app, command->copy);
  const auto metrics = add_run_metrics(*app, "forget");
  commands.add({
      .app = app,
      .effect = CommandEffect::kForgets,
      .run =
          [command, metrics](CommandContext& context) {
            if (command->dry_run) metrics->drop();
            return run_forget(context, *command);
          },
      .metrics = metrics,
      .reports = add_reports(*app),
  });
}

}  // namespace drs
