#include "tools/cli/help_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tools/cli/help_topics.h"

namespace drs {
namespace {

constexpr std::size_t kTermColumns = 28;   // of an option or an item, with its indent
constexpr std::size_t kGroupColumns = 12;  // of a group's title in the overview
constexpr std::size_t kNameColumns = 9;    // of a command's name there

// Needed by nearly every call; the other global options are a topic.
constexpr std::array<std::string_view, 3> kNeededByAll = {"--repository", "--key-file", "--json"};

constexpr std::string_view kQuickStart =
    "  openssl rand -hex 32 > ~/drs.key; chmod 600 ~/drs.key  # keep a copy elsewhere\n"
    "  export DRSTREAM_REPOSITORY=~/drs BACKUP_ENCRYPTION_KEY_FILE=~/drs.key\n"
    "  drstream init && drstream push pg/app --exec -- pg_dump -Fc -Z0 app\n"
    "  drstream pull pg/app --exec -- pg_restore -d new\n";

// `columns`: of the term, with its indent.
std::string item_text(const std::string& term, const std::string& text, std::size_t columns = kTermColumns) {
  if (term.empty()) return wrapped_text(text, {});
  std::string out = "  " + term;
  if (out.size() + 2 > columns)
    out += "\n" + std::string(columns, ' ');
  else
    out.resize(columns, ' ');
  return out + wrapped_text(text, {.indent = columns, .used = columns});
}

std::string option_text(const OptionEntry& option) {
  std::string term;
  for (const std::string& name : option.names) term += (term.empty() ? "" : ",") + name;
  if (!option.value_name.empty()) term += " " + option.value_name;
  return item_text(term, option.description + (option.variable.empty() ? "" : " [" + option.variable + "]"));
}

// The options of a command by group; `-h` is left to the overview.
std::string options_text(const CommandEntry& entry) {
  std::string out;
  for (const std::string& group : entry.option_groups()) {
    std::string options;
    for (const OptionEntry& option : entry.options)
      if (option.group == group && option.names.back() != "--help") options += option_text(option);
    if (!options.empty()) out += fmt::format("\n{}:\n{}", group, options);
  }
  return out;
}

std::string topic_text(const HelpTopic& topic) {
  std::string out = topic.title + ":\n";
  std::size_t columns = 0;
  for (const HelpItem& item : topic.items) columns = std::max(columns, item.term.size() + 4);
  columns = std::min(columns, kTermColumns);
  for (const HelpItem& item : topic.items) out += item_text(item.term, item.text, columns);
  return out;
}

std::string topic_help(const CommandEntry& root, const std::string& name) {
  if (name == kGlobalTopic)
    return "Options of every command; they stand before or behind its name.\n" + options_text(root);
  for (const HelpTopic& topic : help_topics(root))
    if (topic.name == name) return topic_text(topic);
  return "";
}

}  // namespace

std::string wrapped_text(std::string_view text, const TextLines& lines) {
  std::string out;
  std::size_t column = lines.used;
  bool line_begins = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!line_begins && column + 1 + word.size() > lines.columns) {
      out += "\n" + std::string(lines.indent, ' ');
      column = lines.indent;
      line_begins = true;
    }
    out += (line_begins ? "" : " ") + std::string(word);
    column += word.size() + (line_begins ? 0 : 1);
    line_begins = false;
  }
  return out + "\n";
}

std::span<const CommandGroup> command_groups() {
  static const std::array kGroups = {
      CommandGroup{"Back up", {"push", "resume", "copy"}},
      CommandGroup{"Restore", {"pull"}},
      CommandGroup{"Look", {"list", "show", "status", "stats"}},
      CommandGroup{"Retain", {"forget", "unforget", "hold", "prune"}},
      CommandGroup{"Prove", {"verify", "scrub", "sweep"}},
      CommandGroup{"Kafka", {"kafka"}},
      CommandGroup{"Administer", {"init", "key", "repair", "policy", "doctor"}},
      CommandGroup{"Other", {"help", "config", "completion", "version"}},
  };
  return kGroups;
}

std::vector<const CommandEntry*> commands_of(const CommandEntry& root, const CommandGroup& group) {
  std::vector<const CommandEntry*> commands;
  for (const std::string_view name : group.commands)
    if (const CommandEntry* const command = find_command(root, {std::string(name)})) commands.push_back(command);
  return commands;
}

std::string synopsis_of(const CommandEntry& command) {
  std::string line = command.invocation();
  if (!command.children.empty()) line += " COMMAND";
  for (const PositionalEntry& positional : command.positionals) {
    const std::string name = positional.name + (positional.repeatable ? "..." : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  line += " [options]";
  if (command.takes_child_command()) line += " [--exec -- CMD...]";
  return line;
}

std::string overview_text(const CommandEntry& root) {
  std::string out = root.description + "\n" + std::string(kQuickStart) + "\n";
  std::string others;
  for (const CommandGroup& group : command_groups()) {
    std::string title(group.title);
    for (const CommandEntry* const command : commands_of(root, group)) {
      if (group.title == "Administer" || group.title == "Other") {  // on one line, since the lines are few
        if (command->name() != "help") others += (others.empty() ? "" : ", ") + command->name();
        continue;
      }
      out += fmt::format("{:<{}}{:<{}}{}\n", title, kGroupColumns, command->name(), kNameColumns, command->description);
      title.clear();
    }
  }
  std::string topics;
  for (const std::string& name : help_topic_names(root)) topics += (topics.empty() ? "" : ", ") + name;
  out += fmt::format("{:<{}}{}\n", "Administer", kGroupColumns, others);
  // One line, since the overview fits a screen.
  out += fmt::format("{:<{}}help COMMAND, {}\n", "Help", kGroupColumns, topics);
  return out;
}

std::string command_help(const CommandEntry& root, const CommandEntry& command) {
  std::string out = wrapped_text(command.description, {}) + "\nUsage: " + synopsis_of(command) + "\n";
  if (!command.examples.empty()) out += "\nExamples:\n" + command.examples;
  std::string arguments;
  for (const CommandEntry& child : command.children) arguments += item_text(child.name(), child.description);
  for (const PositionalEntry& positional : command.positionals)
    arguments += item_text(positional.name, positional.description);
  if (!arguments.empty()) out += "\n" + arguments;
  out += options_text(command) + "\nFor every command:\n";
  for (const std::string_view name : kNeededByAll)
    for (const OptionEntry& option : root.options)
      if (option.names.back() == name) out += option_text(option);
  return out + item_text("drstream help global", "The other options of every command");
}

std::string help_of(const CommandEntry& root, const std::vector<std::string>& words) {
  if (words.empty()) return overview_text(root);
  if (const CommandEntry* const command = find_command(root, words)) return command_help(root, *command);
  std::string topic;
  for (const std::string& word : words) topic += (topic.empty() ? "" : "-") + word;
  return topic_help(root, topic);
}

}  // namespace drs
