#include "tools/cli/reference_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/ascii.h"
#include "tools/cli/help_text.h"
#include "tools/cli/help_topics.h"

namespace drs {
namespace {

constexpr std::size_t kColumns = 120;

constexpr std::string_view kGlobalTitle = "Options of every command";

// Escapes text outside of `code` that Markdown would read as emphasis, HTML or the beginning of a list.
std::string escaped(std::string_view text) {
  std::string out;
  bool in_code = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '`') in_code = !in_code;
    const bool alone = (i == 0 || text[i - 1] == ' ') && (i + 1 == text.size() || text[i + 1] == ' ');
    if (!in_code && (c == '*' || c == '<' || (alone && (c == '-' || c == '+')))) out += '\\';
    out += c;
  }
  return out;
}

std::string sentence(std::string_view text) {
  return escaped(text) + (text.ends_with('.') ? "" : ".");
}

std::string paragraph(std::string_view text) {
  return wrapped_text(text, {.columns = kColumns}) + "\n";
}

std::string list_item(std::string_view text) {
  return "- " + wrapped_text(text, {.columns = kColumns, .indent = 2, .used = 2});
}

// "Exit status" -> "exit-status": how a link names a heading.
std::string anchor(std::string_view heading) {
  std::string out = ascii_lower(heading);
  std::ranges::replace(out, ' ', '-');
  return out;
}

std::string link(std::string_view text, std::string_view heading) {
  return fmt::format("[{}](#{})", text, anchor(heading));
}

// The section "Examples": indented lines are commands, other lines explain them.
std::string examples_text(std::string_view lines) {
  std::string commands;
  std::string remark;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    if (line.starts_with("  "))
      commands += fmt::format("    {}\n", line.substr(2));
    else
      remark += (remark.empty() ? "" : " ") + std::string(line);
  }
  return "Examples:\n\n" + commands + "\n" + (remark.empty() ? "" : paragraph(escaped(remark)));
}

std::string option_item(const OptionEntry& option) {
  std::string names;
  for (const std::string& name : option.names) {
    const bool last = name == option.names.back();
    names += fmt::format("{}`{}{}`", names.empty() ? "" : ", ", name,
                         last && !option.value_name.empty() ? " " + option.value_name : "");
  }
  const std::string variable = option.variable.empty() ? "" : fmt::format(" Variable: `{}`.", option.variable);
  return list_item(fmt::format("{}: {}{}", names, sentence(option.description), variable));
}

bool is_help(const OptionEntry& option) {
  return option.names.back() == "--help";
}

// `before` and `after` stand around the title of each group.
std::string option_lists(const CommandEntry& entry, bool with_help, std::string_view before, std::string_view after) {
  std::string out;
  for (const std::string& group : entry.option_groups()) {
    std::string items;
    for (const OptionEntry& option : entry.options)
      if (option.group == group && (with_help || !is_help(option))) items += option_item(option);
    if (!items.empty()) out += fmt::format("{}{}{}\n\n{}\n", before, group, after, items);
  }
  return out;
}

// `printed`: the examples of its parent, which are not repeated.
std::string command_text(const CommandEntry& command, const std::string& printed = "") {
  std::string out = fmt::format("### {}\n\n{}", command.invocation(), paragraph(sentence(command.description)));
  out += fmt::format("    {}\n\n", synopsis_of(command));
  std::string items;
  for (const CommandEntry& child : command.children)
    items += list_item(link(child.name(), child.invocation()) + ": " + sentence(child.description));
  for (const PositionalEntry& positional : command.positionals)
    items += list_item(fmt::format("`{}`: {}", positional.name, sentence(positional.description)));
  if (!items.empty()) out += items + "\n";
  out += option_lists(command, false, "", ":");
  if (command.examples != printed) out += examples_text(command.examples);
  for (const CommandEntry& child : command.children) out += command_text(child, command.examples);
  return out;
}

std::string exit_code_table(const HelpTopic& topic) {
  std::string out = "| exit code | meaning |\n|---|---|\n";
  for (const HelpItem& item : topic.items) out += fmt::format("| {} | {} |\n", item.term, escaped(item.text));
  return out + "\n";
}

std::string topic_text(const HelpTopic& topic) {
  std::string out = fmt::format("## {}\n\n", topic.title);
  if (topic.name == kExitCodesTopic) return out + exit_code_table(topic);
  bool in_list = false;
  for (const HelpItem& item : topic.items) {
    if (item.term.empty() && in_list) out += '\n';
    in_list = !item.term.empty();
    out += in_list ? list_item(fmt::format("`{}`: {}", item.term, sentence(item.text))) : paragraph(escaped(item.text));
  }
  return out + (in_list ? "\n" : "");
}

std::string contents(const CommandEntry& root) {
  std::string out = list_item(link(kGlobalTitle, kGlobalTitle));
  for (const CommandGroup& group : command_groups()) {
    std::string links;
    for (const CommandEntry* const command : commands_of(root, group))
      links += (links.empty() ? "" : ", ") + link(command->name(), command->invocation());
    if (links.empty()) continue;
    out += list_item(fmt::format("{}: {}", group.title, links));
  }
  std::string topics;
  for (const HelpTopic& topic : help_topics(root))
    topics += (topics.empty() ? "" : ", ") + link(topic.title, topic.title);
  return out + list_item("Of all commands: " + topics) + "\n";
}

}  // namespace

std::string reference_page(const CommandEntry& root) {
  std::string out = "# Reference\n\n";
  out += paragraph(
      "Every command with its options, as `drstream help` shows them. `drstream man --format markdown` generates this "
      "page: change the texts in the sources, not here. [JSON.md](JSON.md) describes the output of `--json`.");
  out += contents(root);
  out += fmt::format("## {}\n\nThey stand before or behind the command's name.\n\n", kGlobalTitle);
  out += option_lists(root, true, "### ", "");
  for (const CommandGroup& group : command_groups()) {
    if (commands_of(root, group).empty()) continue;
    out += fmt::format("## {}\n\n", group.title);
    for (const CommandEntry* const command : commands_of(root, group)) out += command_text(*command);
  }
  for (const HelpTopic& topic : help_topics(root)) out += topic_text(topic);
  out.pop_back();
  return out;
}

}  // namespace drs
