// drstream help, completion and man: the documentation that the command prints.
#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "tools/cli/command_tree.h"
#include "tools/cli/completion.h"
#include "tools/cli/help_text.h"
#include "tools/cli/help_topics.h"
#include "tools/cli/man_page.h"
#include "tools/cli/option_builder.h"
#include "tools/cli/parse_hints.h"
#include "tools/cli/reference_page.h"
#include "tools/command.h"

namespace drs {
namespace {

Result<ExitCode> run_help(CommandContext& context, const std::vector<std::string>& words) {
  const CommandEntry root = command_tree(context.root);
  const std::string text = help_of(root, words);
  if (text.empty()) {
    const CLI::App* app = &context.root;
    auto word = words.begin();
    for (; word + 1 != words.end(); ++word) {
      const std::vector<const CLI::App*> children = app->get_subcommands({});
      const auto child = std::ranges::find(children, *word, &CLI::App::get_name);
      if (child == children.end()) break;
      app = *child;
    }
    std::string topics;
    for (const std::string& name : help_topic_names(root)) topics += (topics.empty() ? "" : ", ") + name;
    return Error(ErrorCode::kUsage, with_advice(unknown_command_text(*app, *word), "topics of help are " + topics));
  }
  context.output.page(text);
  return ExitCode::kOk;
}

enum class Shell { kBash, kZsh, kFish };

Result<ExitCode> run_completion(CommandContext& context, Shell shell) {
  const CommandEntry tree = command_tree(context.root);
  switch (shell) {
    case Shell::kBash: context.output.page(bash_completion(tree)); break;
    case Shell::kZsh: context.output.page(zsh_completion(tree)); break;
    case Shell::kFish: context.output.page(fish_completion(tree)); break;
  }
  return ExitCode::kOk;
}

enum class ManFormat { kMan, kMarkdown };

struct ManCommand {
  std::string page;
  std::string output_dir;
  ManFormat format = ManFormat::kMan;
};

Result<void> write_page(const std::string& directory, const ManPage& page) {
  const std::string path = directory + "/" + page.name + ".1";
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << page.text;
  file.close();
  if (!file) return error_from_errno(errno, "write " + path);
  return {};
}

Result<ExitCode> run_man(CommandContext& context, const ManCommand& command) {
  const CommandEntry tree = command_tree(context.root);
  if (command.format == ManFormat::kMarkdown) {
    context.output.page(reference_page(tree));
    return ExitCode::kOk;
  }
  const std::vector<ManPage> pages = man_pages(tree);
  if (!command.output_dir.empty()) {
    std::error_code unknown;
    if (!std::filesystem::is_directory(command.output_dir, unknown))
      return Error(ErrorCode::kUsage, "--output-dir " + command.output_dir + " is not a directory");
    for (const ManPage& page : pages) DRS_RETURN_IF_ERROR(write_page(command.output_dir, page));
    return ExitCode::kOk;
  }
  for (const ManPage& page : pages) {
    if (page.name != command.page) continue;
    context.output.page(page.text);
    return ExitCode::kOk;
  }
  return Error(ErrorCode::kUsage, "there is no page '" + command.page + "'; accepted are drstream, drstream-push, ...");
}

}  // namespace

void add_help_command(CommandSet& commands) {
  const auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* const app =
      add_subcommand(commands.root(), "help", "Show the help of a command, with examples, or of a topic",
                     "  drstream help push\n  drstream help key add\n  drstream help exit-codes\n");
  app->add_option("COMMAND", *words, "The command, or the topic: environment, exit-codes, global, keys, stores, values")
      ->type_name("");
  commands.add({
      .app = app,
      .effect = CommandEffect::kReads,
      .run = [words](CommandContext& context) { return run_help(context, *words); },
      .reads_configuration = false,
  });
}

void add_completion_command(CommandSet& commands) {
  CLI::App* const app = add_subcommand(commands.root(), "completion", "Print the completion script of a shell",
                                       "  source <(drstream completion bash)\n"
                                       "  drstream completion zsh > ~/.zfunc/_drstream\n"
                                       "  drstream completion fish > ~/.config/fish/completions/drstream.fish\n");
  app->require_subcommand(0, 1);
  constexpr std::array kShells = {std::pair{"bash", Shell::kBash}, std::pair{"zsh", Shell::kZsh},
                                  std::pair{"fish", Shell::kFish}};
  for (const auto& [name, shell] : kShells) {
    CLI::App* const child = add_subcommand(*app, name, std::string("Print the completion script of ") + name, "");
    commands.add({
        .app = child,
        .effect = CommandEffect::kReads,
        .run = [shell = shell](CommandContext& context) { return run_completion(context, shell); },
        .reads_configuration = false,
    });
  }
}

void add_man_command(CommandSet& commands) {
  const auto command = std::make_shared<ManCommand>();
  command->page = "drstream";
  CLI::App* const app = add_subcommand(commands.root(), "man", "Print a manual page as the build installs it", "");
  app->group("");  // hidden
  CLI::Option* const page = app->add_option("PAGE", command->page, "The page: drstream, drstream-push, ...");
  page->type_name("");
  CLI::Option* const output_dir =
      app->add_option("--output-dir", command->output_dir, "Write all pages into this directory");
  output_dir->type_name("DIR");
  add_choice<ManFormat>(*app, "--format", command->format,
                        {{"man", ManFormat::kMan}, {"markdown", ManFormat::kMarkdown}},
                        "markdown: print all of it as one page, docs/REFERENCE.md")
      ->excludes(page)
      ->excludes(output_dir);
  commands.add({
      .app = app,
      .effect = CommandEffect::kReads,
      .run = [command](CommandContext& context) { return run_man(context, *command); },
      .reads_configuration = false,
  });
}

}  // namespace drs
