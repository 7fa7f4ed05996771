#include "tools/cli/man_page.h"

#include <fmt/format.h>

#include "io/base/ascii.h"
#include "tools/cli/help_text.h"
#include "tools/cli/help_topics.h"
#include "tools/cli/identity.h"

namespace drs {
namespace {

// Escapes text for roff: backslashes, minus signs that stay minus signs, no line that begins like a request.
std::string escaped(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      default: out += c;
    }
  }
  return out;
}

std::string page_name(const CommandEntry& entry) {
  std::string name = "drstream";
  for (const std::string& part : entry.path) name += "-" + part;
  return name;
}

std::string synopsis(const CommandEntry& entry) {
  std::string line = fmt::format("\\fB{}\\fR", escaped(entry.invocation()));
  for (const PositionalEntry& positional : entry.positionals) {
    const std::string name = fmt::format("\\fI{}\\fR{}", escaped(positional.name), positional.repeatable ? "..." : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  line += " [\\fIoptions\\fR]";
  if (entry.takes_child_command()) line += " [\\fB\\-\\-exec \\-\\-\\fR \\fICMD\\fR...]";
  if (!entry.children.empty()) line += " \\fIcommand\\fR";
  return line + "\n";
}

std::string option_item(const OptionEntry& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += names.empty() ? "" : ", ";
    names += fmt::format("\\fB{}\\fR", escaped(name));
  }
  if (!option.value_name.empty())
    names += option.value_is_optional ? fmt::format(" {}", escaped(option.value_name))
                                      : fmt::format(" \\fI{}\\fR", escaped(option.value_name));
  std::string out = fmt::format(".TP\n{}\n{}.\n", names, escaped(option.description));
  if (!option.variable.empty()) out += fmt::format("Variable: {}.\n", escaped(option.variable));
  return out;
}

std::string option_sections(const CommandEntry& entry) {
  const std::vector<std::string> groups = entry.option_groups();
  std::string out = ".SH OPTIONS\n";
  for (const std::string& group : groups) {
    if (groups.size() > 1) out += fmt::format(".SS {}\n", escaped(group));
    for (const OptionEntry& option : entry.options)
      if (option.group == group) out += option_item(option);
  }
  return out;
}

std::string topic_section(const HelpTopic& topic) {
  std::string out = fmt::format(".SH {}\n", escaped(ascii_upper(topic.title)));
  for (const HelpItem& item : topic.items)
    out += item.term.empty() ? fmt::format(".PP\n{}\n", escaped(item.text))
                             : fmt::format(".TP\n.B {}\n{}\n", escaped(item.term), escaped(item.text));
  return out;
}

std::string command_item(const CommandEntry& command) {
  return fmt::format(".TP\n\\fB{}\\fR(1)\n{}.\n", escaped(page_name(command)), escaped(command.description));
}

std::string commands_section(const CommandEntry& entry) {
  std::string out = ".SH COMMANDS\n";
  if (!entry.path.empty())
    for (const CommandEntry& child : entry.children) out += command_item(child);
  else
    for (const CommandGroup& group : command_groups()) {
      if (commands_of(entry, group).empty()) continue;
      out += fmt::format(".SS {}\n", escaped(group.title));
      for (const CommandEntry* const command : commands_of(entry, group)) out += command_item(*command);
    }
  return out;
}

std::string page_text(const CommandEntry& entry) {
  const bool is_root = entry.path.empty();
  std::string name = page_name(entry);
  const std::string title = ascii_upper(name);
  std::string description = entry.description;
  if (description.ends_with('.')) description.pop_back();
  std::string out = fmt::format(".TH {} 1 \"\" \"{}\" \"drstream manual\"\n", escaped(title), version_line());
  out += fmt::format(".SH NAME\n{} \\- {}\n", escaped(name),
                     escaped(is_root ? "streaming backup with deduplication, encryption and proof" : description));
  out += ".SH SYNOPSIS\n" + synopsis(entry);
  out += fmt::format(".SH DESCRIPTION\n{}.\n", escaped(description));
  if (!is_root) out += "Options of every command, values, keys and exit codes: \\fBdrstream\\fR(1).\n";
  if (!entry.children.empty()) out += commands_section(entry);
  for (const PositionalEntry& positional : entry.positionals)
    out += fmt::format(".TP\n\\fI{}\\fR\n{}.\n", escaped(positional.name), escaped(positional.description));
  out += option_sections(entry);
  if (!entry.examples.empty()) out += ".SH EXAMPLES\n.nf\n" + escaped(entry.examples) + ".fi\n";
  if (is_root)
    for (const HelpTopic& topic : help_topics(entry)) out += topic_section(topic);
  else
    out += ".SH SEE ALSO\n\\fBdrstream\\fR(1)\n";
  return out;
}

void add_pages(const CommandEntry& entry, std::vector<ManPage>& pages) {
  pages.push_back({page_name(entry), page_text(entry)});
  for (const CommandEntry& child : entry.children) add_pages(child, pages);
}

}  // namespace

std::vector<ManPage> man_pages(const CommandEntry& root) {
  std::vector<ManPage> pages;
  add_pages(root, pages);
  return pages;
}

}  // namespace drs
