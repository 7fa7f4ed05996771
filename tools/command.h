// What a subcommand is to the rest of the tool: a piece of the CLI11 model, a function that runs it, and what it does
// to backups. Each cmd_*.cc defines one `add_*_command`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/cancel.h"
#include "io/base/clock.h"
#include "io/guardian.h"
#include "tools/cli/signals.h"
#include "tools/output/exit_code.h"
#include "tools/output/log.h"
#include "tools/output/metrics.h"
#include "tools/output/output.h"
#include "tools/output/report.h"
#include "tools/repository/global_options.h"

namespace drs {

struct Configuration;

// What a running command works with. All of it outlives the run.
struct CommandContext {
  const GlobalOptions& options;
  const std::vector<std::string>& child_command;  // what stood behind "--"
  Console& console;
  spdlog::logger& log;
  Output& output;
  const Clock& clock;
  CancelToken& cancel;
  const SignalState& signals;
  Guardian* guardian;  // of the child command; null where there is none
  CLI::App& root;      // the whole model, for help, man and completion
  const Configuration& configuration;
  CommandEffect effect;        // of the command; it may refine it. Decides what its failure means
  std::string next_step = {};  // of its failure, where it is more specific than that of the kind of error
};

// How a command's progress is shown. `command` must outlive the result.
ProgressOptions progress_options(const CommandContext& context, std::string_view command);

// kOk, or another code where the command did its work and found something wrong (verify). The caller reports an Error.
using RunCommand = std::function<Result<ExitCode>(CommandContext&)>;

struct Command {
  CLI::App* app = nullptr;
  CommandEffect effect = CommandEffect::kReads;
  RunCommand run;
  bool takes_child_command = false;  // "-- CMD..."
  // Of one with --metrics: what the application writes once it has run, unless the run drops it. Its labels get the
  // repository.
  std::shared_ptr<RunMetrics> metrics = nullptr;
  // Of one with --report: the files that the application writes once it has run or failed.
  std::shared_ptr<std::vector<std::string>> reports = nullptr;
  bool reads_configuration = true;  // false: it describes drstream itself, independent of any configuration
};

class CommandSet {
 public:
  explicit CommandSet(CLI::App& root) : root_(root) {}
  CLI::App& root() { return root_; }
  void add(Command command) { commands_.push_back(std::move(command)); }
  // The command that the parsed arguments chose; nullptr where none.
  [[nodiscard]] const Command* parsed() const;

 private:
  CLI::App& root_;
  std::vector<Command> commands_;
};

// Adds a subcommand to `parent` in the form that all share. `examples`: the section "Examples", one per line.
CLI::App* add_subcommand(CLI::App& parent, const std::string& name, const std::string& description,
                         const std::string& examples);

// The repository of --repository in reports and in the labels of metrics. A key or credentials in it are hidden.
std::string metrics_repository(const GlobalOptions& options);
// For the outcome of writing metrics: a failure is a warning, and changes nothing of what a run has done.
void warn_of_unwritten_metrics(const Result<void>& written, spdlog::logger& log);
// Adds --metrics and --metrics-push to a command that does such work.
std::shared_ptr<RunMetrics> add_run_metrics(CLI::App& app, std::string_view work);
// Adds --metrics-push and its credentials alone, for a command that makes its own metrics.
void add_metrics_push(CLI::App& app, MetricsPush& push);
// Adds --report.
std::shared_ptr<std::vector<std::string>> add_reports(CLI::App& app);

void add_init_command(CommandSet& commands);
void add_push_command(CommandSet& commands);
void add_resume_command(CommandSet& commands);
void add_copy_command(CommandSet& commands);
void add_list_command(CommandSet& commands);
void add_show_command(CommandSet& commands);
void add_forget_command(CommandSet& commands);
void add_pull_command(CommandSet& commands);
void add_hold_command(CommandSet& commands);
void add_unforget_command(CommandSet& commands);
void add_verify_command(CommandSet& commands);
void add_scrub_command(CommandSet& commands);
void add_sweep_command(CommandSet& commands);
void add_prune_command(CommandSet& commands);
void add_repair_command(CommandSet& commands);
void add_stats_command(CommandSet& commands);
void add_status_command(CommandSet& commands);
void add_kafka_commands(CommandSet& commands);
void add_key_commands(CommandSet& commands);
void add_policy_commands(CommandSet& commands);
void add_doctor_command(CommandSet& commands);
void add_config_commands(CommandSet& commands);
void add_version_command(CommandSet& commands);
void add_help_command(CommandSet& commands);
void add_completion_command(CommandSet& commands);
void add_complete_command(CommandSet& commands);
void add_man_command(CommandSet& commands);

}  // namespace drs
