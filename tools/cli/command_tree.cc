#include "tools/cli/command_tree.h"

#include <algorithm>
#include <string_view>

namespace drs {
namespace {

constexpr std::string_view kExamplesTitle = "Examples:\n";

std::vector<std::string> split_choices(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find('|', begin);
    out.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return out;
    begin = end + 1;
  }
}

// What a value is, by its name in the help.
ValueKind value_kind(const std::string& name) {
  if (name == "FILE") return ValueKind::kFile;
  if (name == "DIR" || name == "PLACE") return ValueKind::kDirectory;
  if (name == "STREAM") return ValueKind::kStream;
  if (name == "SNAPSHOT") return ValueKind::kSnapshot;
  if (name == "COMMAND") return ValueKind::kCommand;
  return name.find('|') == std::string::npos ? ValueKind::kText : ValueKind::kChoice;
}

OptionEntry option_entry(const CLI::Option& option) {
  OptionEntry entry;
  for (const std::string& name : option.get_snames()) entry.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) entry.names.push_back("--" + name);
  entry.description = option.get_description();
  entry.variable = option.get_envname();
  entry.group = option.get_group();
  entry.repeatable = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (option.get_expected_max() == 0) return entry;
  entry.value_name = option.get_type_name();
  entry.value_is_optional = option.get_expected_min() == 0;
  entry.value = value_kind(entry.value_name);
  if (entry.value == ValueKind::kChoice) entry.choices = split_choices(entry.value_name);
  return entry;
}

CommandEntry command_entry(const CLI::App& app, std::vector<std::string> path) {
  CommandEntry entry;
  entry.path = std::move(path);
  entry.description = app.get_description();
  const std::string footer = app.get_footer();
  if (footer.starts_with(kExamplesTitle)) entry.examples = footer.substr(kExamplesTitle.size());
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional())
      entry.options.push_back(option_entry(*option));
    else
      entry.positionals.push_back({option->get_name(true), option->get_description(), option->get_required(),
                                   option->get_expected_max() > 1, value_kind(option->get_name(true))});
  }
  for (const CLI::App* child : app.get_subcommands({})) {
    if (child->get_group().empty()) continue;
    std::vector<std::string> child_path = entry.path;
    child_path.push_back(child->get_name());
    entry.children.push_back(command_entry(*child, std::move(child_path)));
  }
  return entry;
}

}  // namespace

bool CommandEntry::takes_child_command() const {
  return std::ranges::any_of(options, [](const OptionEntry& option) {
    return std::ranges::find(option.names, "--exec") != option.names.end();
  });
}

std::vector<std::string> CommandEntry::option_groups() const {
  std::vector<std::string> groups;
  for (const OptionEntry& option : options)
    if (std::ranges::find(groups, option.group) == groups.end()) groups.push_back(option.group);
  return groups;
}

std::string CommandEntry::invocation() const {
  std::string out = "drstream";
  for (const std::string& part : path) out += " " + part;
  return out;
}

std::vector<std::string> repository_options(const CommandEntry& root) {
  std::vector<std::string> names;
  for (const OptionEntry& option : root.options)
    if (option.takes_value()) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

const CommandEntry* find_command(const CommandEntry& root, const std::vector<std::string>& path) {
  const CommandEntry* entry = &root;
  for (const std::string& name : path) {
    const auto child = std::ranges::find(entry->children, name, &CommandEntry::name);
    if (child == entry->children.end()) return nullptr;
    entry = &*child;
  }
  return entry;
}

CommandEntry command_tree(const CLI::App& root) {
  return command_entry(root, {});
}

}  // namespace drs
