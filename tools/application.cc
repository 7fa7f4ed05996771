#include "tools/application.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/base/ascii.h"
#include "io/base/catch_thrown.h"
#include "tools/cli/child_command.h"
#include "tools/cli/descriptors.h"
#include "tools/cli/help_text.h"
#include "tools/cli/identity.h"
#include "tools/cli/named_files.h"
#include "tools/cli/option_builder.h"
#include "tools/cli/parse_hints.h"
#include "tools/config/configuration.h"
#include "tools/config/settings.h"
#include "tools/output/evidence.h"
#include "tools/output/json_members.h"
#include "tools/output/metrics_push.h"
#include "tools/output/nagios_answer.h"
#include "tools/output/printable.h"
#include "tools/repository/heads.h"
#include "tools/repository/open_repository.h"

namespace drs {
namespace {

// The deepest subcommand that the arguments reached, for help.
CLI::App* deepest_parsed(CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

// The help of what the arguments reached.
std::string help_of_parsed(CLI::App& root) {
  CLI::App* const app = deepest_parsed(&root);
  const std::string text = help_of(command_tree(root), command_words(app));
  return text.empty() ? app->help() : text;  // of a hidden command
}

// Both empty: parsed. `done`: help was printed. `error`: the arguments are wrong.
struct ParseOutcome {
  std::optional<ExitCode> done;
  std::optional<Error> error;
};
ParseOutcome parse(CLI::App& root, const Arguments& arguments, Output& output) {
  const std::vector<std::string>& own = arguments.own;
  std::vector<std::string> reversed(own.rbegin(), own.rend());  // as CLI11 takes them
  try {
    root.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    output.text(help_of_parsed(root));
    return {ExitCode::kOk, {}};
  } catch (const CLI::CallForVersion& version) {
    output.text(version.what());
    return {ExitCode::kOk, {}};
  } catch (const CLI::Error& error) {
    const CLI::App* const app = deepest_parsed(&root);
    const std::string path = command_path(app);
    return {
        {},
        Error(ErrorCode::kUsage, with_advice(parse_error_text(error, *app, arguments),
                                             fmt::format("see `drstream help{}{}`", path.empty() ? "" : " ", path)))};
  }
  return {};
}

// A variable named after an option that only the command line can give: without a warning the operator would believe
// that it is in force.
void warn_of_unread_variables(const CLI::App& command, spdlog::logger& log) {
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent())
    for (const CLI::Option* option : app->get_options()) {
      const std::string variable = variable_name(*option);
      const bool is_read = !option->get_envname().empty();
      const bool is_none = variable.empty() || option == app->get_help_ptr() || option == app->get_version_ptr();
      if (is_read || is_none || std::getenv(variable.c_str()) == nullptr) continue;
      log.warn("the variable {} is ignored: give --{} on the command line", variable, option->get_lnames().back());
    }
}

// Whether the answer is to be JSON, for a command line that could not be parsed: the parser stops at the first bad
// option, and may not have seen --json.
bool asks_for_json(const std::vector<std::string>& arguments) {
  if (std::ranges::find(arguments, "--json") != arguments.end()) return true;
  const char* const variable = std::getenv("DRSTREAM_JSON");
  const std::string value = ascii_lower(std::string_view(variable == nullptr ? "" : variable));
  return value == "1" || value == "true" || value == "on" || value == "yes";
}

// Whether the caller is Nagios (`status --format nagios`), for a failure before the command itself runs.
bool asks_for_nagios(const std::vector<std::string>& arguments) {
  const auto format = std::ranges::find(arguments, "--format");
  return (format != arguments.end() && format + 1 != arguments.end() && *(format + 1) == "nagios") ||
         std::ranges::find(arguments, "--format=nagios") != arguments.end();
}

constexpr std::string_view kErrorSchema = "drstream.error/1";

class Application {
 public:
  Application(CommandModel& model, const Clock& clock, CancelToken& cancel, const SignalState& signals)
      : model_(model), clock_(clock), cancel_(cancel), signals_(signals), console_(STDERR_FILENO, &cancel) {}

  int run(const Arguments& arguments) {
    unset_overridden_key_variables(arguments.own);
    for_nagios_ = asks_for_nagios(arguments.own);
    Output early({.json = false, .quiet = false, .stdout_fd = STDOUT_FILENO}, console_);
    const ParseOutcome parsed = parse(model_.root, arguments, early);
    if (parsed.done) return finish(*parsed.done, early, CommandEffect::kReads);
    const Command* const command = model_.commands.parsed();
    const auto configured = parsed.error || command == nullptr ? Result<void>() : configure(*command);
    const bool json = model_.options.json || (parsed.error && asks_for_json(arguments.own));
    Output output({json, model_.options.log.quiet, STDOUT_FILENO}, console_);
    if (parsed.error) {
      path_ = command_path(deepest_parsed(&model_.root));
      return fail(*parsed.error, command != nullptr ? command->effect : CommandEffect::kReads, output);
    }
    if (command == nullptr && (model_.options.json || model_.options.log.format == LogFormat::kJson)) {
      const CLI::App* const app = deepest_parsed(&model_.root);
      path_ = command_path(app);
      return fail({ErrorCode::kUsage, "a command is missing; accepted are " + command_names(*app)},
                  CommandEffect::kReads, output);
    }
    if (command == nullptr) {
      console_.write_lines(help_of_parsed(model_.root), Tone::kVerbatim);
      return static_cast<int>(ExitCode::kUsage);
    }
    return run_with_reports(*command, configured, arguments, output);
  }

 private:
  Result<void> configure(const Command& command) {
    if (!command.reads_configuration) return {};
    CommandModel scratch;
    DRS_ASSIGN_OR_RETURN(configuration_,
                         drs::configure({model_.root, model_.options, scratch.root}, default_config_paths(), cancel_));
    return {};
  }

  // Runs it, and writes its reports, also where it fails.
  int run_with_reports(const Command& command, const Result<void>& configured, const Arguments& arguments,
                       Output& output) {
    path_ = command_path(command.app);
    const WallNs begun_ns = clock_.wall_ns();
    if (const auto named = check_reports(command); !named.ok()) return fail(named.error(), command.effect, output);
    if (const auto apart = check_written_apart(all_named_files(command)); !apart.ok())
      return fail(apart.error(), command.effect, output);
    if (command.reports != nullptr && !command.reports->empty()) output.keep_document();
    int status = 0;
    if (!configured.ok())
      status = fail(configured.error(), command.effect, output);
    else if (arguments.has_mark && !command.takes_child_command)
      status = fail({ErrorCode::kUsage, "`drstream " + path_ + "` takes no command behind --"}, command.effect, output);
    else
      status = run_command(command, arguments, output);
    write_reports(command, status, begun_ns, output);
    return status;
  }

  int run_command(const Command& command, const Arguments& arguments, Output& output) {
    // Before anything is opened that could take the number of a descriptor that the caller believed to be open.
    if (const auto usable = check_progress_descriptor(model_.options.progress_fd); !usable.ok())
      return fail(usable.error(), command.effect, output);
    const auto log = make_logger(console_, model_.options.log);
    for (const std::string& warning : configuration_.warnings) log->warn("{}", warning);
    warn_of_unread_variables(*command.app, *log);
    model_.options.limits = read_cgroup_limits();
    if (model_.options.state_dir.empty()) choose_state_dir(command.effect, *log);
    std::unique_ptr<Guardian> guardian;
    if (!arguments.child.empty()) {
      // Now: before buffers are mapped and keys are read, which the guardian would keep.
      auto started = Guardian::start();
      if (!started.ok()) return fail(started.error(), command.effect, output);
      guardian = *std::move(started);
    }
    CommandContext context{model_.options, arguments.child, console_,    *log,           output,        clock_, cancel_,
                           signals_,       guardian.get(),  model_.root, configuration_, command.effect};
    if (const auto named = check_records(command); !named.ok()) return fail(named.error(), command.effect, output);
    const auto started = clock_.steady();
    const auto result = catch_thrown([&] { return command.run(context); });
    const int status = end_run(result, context, output);
    if (command.metrics != nullptr) write_metrics(*command.metrics, status, clock_.steady() - started, *log);
    return status;
  }

  // The names of what is written after the run.
  static Result<void> check_records(const Command& command) {
    if (command.metrics != nullptr && !command.metrics->file.empty())
      DRS_RETURN_IF_ERROR(check_metrics_file(command.metrics->file));
    if (command.metrics != nullptr && !command.metrics->push.url.empty())
      DRS_RETURN_IF_ERROR(check_metrics_push(command.metrics->push));
    return {};
  }

  int end_run(const Result<ExitCode>& result, CommandContext& context, Output& output) {
    if (result.ok()) return finish(*result, output, context.effect);
    const auto place = parse_repository_location(model_.options.repository, model_.options);
    if (context.next_step.empty() && place.ok()) context.next_step = next_step_of_denied(result.error(), *place);
    return fail(result.error(), context.effect, output, context.next_step);
  }

  void write_metrics(RunMetrics& metrics, int status, std::chrono::duration<double> took, spdlog::logger& log) {
    metrics.labels.insert(metrics.labels.begin(), {"repository", metrics_repository(model_.options)});
    const RunOutcome outcome{status, took.count(), static_cast<double>(clock_.wall_ns()) / 1e9};
    if (!metrics.file.empty()) warn_of_unwritten_metrics(write_run_metrics(metrics, outcome), log);
    if (metrics.push.url.empty()) return;
    MetricLabels group = metrics.labels;
    if (group.size() == 1) group.emplace_back("command", path_);  // otherwise the stream tells jobs apart
    warn_of_unwritten_metrics(
        push_metrics(metrics.push, group, run_metrics(metrics, outcome), model_.options.cloud.ca_file), log);
  }

  static Result<void> check_reports(const Command& command) {
    if (command.reports == nullptr) return {};
    for (const std::string& file : *command.reports)
      if (const auto form = report_form(file); !form.ok()) return form.error();
    return {};
  }

  // Those of options, of the place's own settings, of variables, and what the caller's shell has redirected.
  [[nodiscard]] std::vector<NamedFile> all_named_files(const Command& command) const {
    std::vector<NamedFile> files = named_files(*command.app);
    const auto take = [&](std::string name, std::string path) {
      if (!path.empty()) files.push_back({std::move(name), std::move(path)});
    };
    if (const auto place = parse_repository_location(model_.options.repository, model_.options); place.ok()) {
      take("key-file of the repository", place->key.key_file);
      take("passphrase-file of the repository", place->key.passphrase_file);
    }
    if (const char* const key_file = std::getenv("BACKUP_ENCRYPTION_KEY_FILE"); key_file != nullptr)
      take("BACKUP_ENCRYPTION_KEY_FILE", key_file);
    take("stdin", "/dev/stdin");
    take("stdout", "/dev/stdout");
    take("stderr", "/dev/stderr");
    return files;
  }

  void write_reports(const Command& command, int status, WallNs begun_ns, const Output& output) {
    if (command.reports == nullptr || command.reports->empty()) return;
    const nlohmann::ordered_json& kept = output.kept_document();
    const bool is_answer = !kept.is_null() && text_member(kept, "schema") != kErrorSchema;
    const RunFacts facts{
        .command = path_,
        .exit_status = status,
        .repository = metrics_repository(model_.options),
        .host = host_name(),
        .version = version_line(),
        .libraries = library_versions(),
        .begun_ns = begun_ns,
        .ended_ns = clock_.wall_ns(),
    };
    const nlohmann::ordered_json none;
    const auto written = drs::write_reports(
        *command.reports,
        evidence_document(facts, is_answer ? kept : none, kept.is_null() || is_answer ? failure_ : kept));
    if (!written.ok())
      make_logger(console_, model_.options.log)->warn("a report was not written: {}", written.error().message);
  }

  void choose_state_dir(CommandEffect effect, spdlog::logger& log) {
    const auto state_dir = default_state_dir();
    if (!state_dir.ok()) {
      log.warn(
          "the heads of streams are not recorded, so that a removal of the newest snapshots will not be noticed: "
          "neither XDG_STATE_HOME nor HOME is set, and {}; give --state-dir DIR",
          state_dir.error().message);
      return;
    }
    model_.options.state_dir = state_dir->path;
    if (state_dir->is_temporary && (effect == CommandEffect::kCommits || effect == CommandEffect::kArchives))
      log.warn(
          "neither XDG_STATE_HOME nor HOME is set: the heads of streams are recorded in {}, which may be cleaned up; "
          "without them a removal of the newest snapshots is not noticed; give --state-dir DIR",
          state_dir->path);
  }

  int finish(ExitCode code, const Output& output, CommandEffect effect) {
    if (!output.failure()) return static_cast<int>(code);
    // A reader that stops early (`drstream list | head`) is not a failure.
    if (output.failure()->code == ErrorCode::kSinkClosed) return static_cast<int>(code);
    const bool answer_is_all = effect == CommandEffect::kReads || effect == CommandEffect::kReadsTopics ||
                               effect == CommandEffect::kProves || effect == CommandEffect::kSweeps;
    make_logger(console_, model_.options.log)
        ->log(answer_is_all ? spdlog::level::err : spdlog::level::warn,
              "the answer of `drstream{}{}` could not be printed: {}", path_.empty() ? "" : " ", path_,
              output.failure()->message);
    return answer_is_all && code == ExitCode::kOk ? exit_status_of(*output.failure(), signals_.received())
                                                  : static_cast<int>(code);
  }

  int fail(const Error& error, CommandEffect effect, Output& output, const std::string& next_step = "") {
    const int status = exit_status_of(error, signals_.received());
    const FailureReport report = explain(error, effect, status, next_step);
    const LogFormat format = model_.options.log.format;
    console_.write_lines(failure_log(report, path_, format, clock_.wall_ns()), failure_tone(format));
    const nlohmann::ordered_json members = failure_json(report, path_);
    failure_ = {{"schema", kErrorSchema}};
    failure_.update(members);
    if (for_nagios_) {  // which takes the exit codes of mistakes for findings
      const NagiosAnswer answer = nagios_answer(error);
      output.page(answer.line + "\n");
      return answer.exit_status;
    }
    if (!output.wrote_document()) output.document(kErrorSchema, members);
    return status;
  }

  CommandModel& model_;
  const Clock& clock_;
  CancelToken& cancel_;
  const SignalState& signals_;
  Console console_;
  bool for_nagios_ = false;
  std::string path_;                // of the command: "key add"
  nlohmann::ordered_json failure_;  // of the run; null: none
  Configuration configuration_;
};

}  // namespace

CommandModel::CommandModel()
    : root("drstream backs up streams: deduplicated, encrypted, and proven to restore.", "drstream"), commands(root) {
  root.set_version_flag("--version", version_line());
  root.set_help_flag("-h,--help", "Print this help and exit");
  root.require_subcommand(0, 1);
  root.fallthrough();
  declare_global_options(root, options);
  add_init_command(commands);
  add_push_command(commands);
  add_resume_command(commands);
  add_copy_command(commands);
  add_list_command(commands);
  add_show_command(commands);
  add_forget_command(commands);
  add_pull_command(commands);
  add_hold_command(commands);
  add_unforget_command(commands);
  add_verify_command(commands);
  add_scrub_command(commands);
  add_sweep_command(commands);
  add_prune_command(commands);
  add_repair_command(commands);
  add_status_command(commands);
  add_stats_command(commands);
  add_kafka_commands(commands);
  add_key_commands(commands);
  add_policy_commands(commands);
  add_doctor_command(commands);
  add_config_commands(commands);
  add_version_command(commands);
  add_help_command(commands);
  add_completion_command(commands);
  add_complete_command(commands);
  add_man_command(commands);
}

int run_application(int argc, const char* const* argv, const Clock& clock, CancelToken& cancel,
                    const SignalState& signals) {
  CommandModel model;
  return Application(model, clock, cancel, signals).run(split_arguments(argc, argv));
}

}  // namespace drs
