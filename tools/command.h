// What a subcommand is to the rest of the tool: a piece of the CLI11 model, a function that runs it, and what it does
// to backups. Each cmd_*.cc defines one `add_*_command`.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/cancel.h"
#include "io/clock.h"
#include "io/guardian.h"
#include "tools/exit_code.h"
#include "tools/global_options.h"
#include "tools/log.h"
#include "tools/output.h"
#include "tools/report.h"
#include "tools/signal_state.h"

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
  CommandEffect effect;        // of the command, until it learns better: decides what its failure means
  std::string next_step = {};  // of its failure, where the command knows better than its kind does
};

// How a command's progress is shown. `verb` must outlive what is made of it.
ProgressOptions progress_options(const CommandContext& context, std::string_view verb);

// kOk, or another code where the command did its work and the answer is bad news (verify). An Error is told by the
// caller.
using RunCommand = std::function<Result<ExitCode>(CommandContext&)>;

struct Command {
  CLI::App* app = nullptr;
  CommandEffect effect = CommandEffect::kReads;
  bool takes_child_command = false;  // "-- CMD..."
  RunCommand run;
  bool reads_configuration = true;  // false: it says what drstream is, whatever is configured
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

// A subcommand of `parent` with the form that all share. `examples`: what stands under "Examples", one per line.
CLI::App* add_subcommand(CLI::App& parent, const std::string& name, const std::string& description,
                         const std::string& examples);

void add_init_command(CommandSet& commands);
void add_push_command(CommandSet& commands);
void add_resume_command(CommandSet& commands);
void add_copy_command(CommandSet& commands);
void add_list_command(CommandSet& commands);
void add_show_command(CommandSet& commands);
void add_pull_command(CommandSet& commands);
void add_verify_command(CommandSet& commands);
void add_scrub_command(CommandSet& commands);
void add_repair_command(CommandSet& commands);
void add_stats_command(CommandSet& commands);
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
