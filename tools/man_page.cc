#include "tools/man_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/exit_code.h"
#include "tools/version.h"

namespace drs {
namespace {

// Text as roff takes it: backslashes, minus signs that stay minus signs, no line that begins as a request does.
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

std::string invocation(const CommandEntry& entry) {
  std::string name = "drstream";
  for (const std::string& part : entry.path) name += " " + part;
  return name;
}

bool takes_child_command(const CommandEntry& entry) {
  return std::any_of(entry.options.begin(), entry.options.end(), [](const OptionEntry& option) {
    return std::find(option.names.begin(), option.names.end(), "--exec") != option.names.end();
  });
}

std::string synopsis(const CommandEntry& entry) {
  std::string line = fmt::format("\\fB{}\\fR", escaped(invocation(entry)));
  for (const PositionalEntry& positional : entry.positionals) {
    const std::string name = fmt::format("\\fI{}\\fR{}", escaped(positional.name), positional.repeatable ? "..." : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  line += " [\\fIoptions\\fR]";
  if (takes_child_command(entry)) line += " [\\fB\\-\\-exec \\-\\-\\fR \\fICMD\\fR...]";
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
  std::vector<std::string> groups;
  for (const OptionEntry& option : entry.options)
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) groups.push_back(option.group);
  std::string out = ".SH OPTIONS\n";
  for (const std::string& group : groups) {
    if (groups.size() > 1) out += fmt::format(".SS {}\n", escaped(group));
    for (const OptionEntry& option : entry.options)
      if (option.group == group) out += option_item(option);
  }
  return out;
}

std::string exit_status_section() {
  std::string out = ".SH EXIT STATUS\n";
  for (const ExitCodeMeaning& row : exit_code_meanings())
    out += fmt::format(".TP\n.B {}\n{}\n", static_cast<int>(row.exit), escaped(row.meaning));
  return out + ".TP\n.B 128+N\nStopped by signal N.\n";
}

std::string values_section() {
  return ".SH VALUES\n"
         ".TP\n.I SIZE\nBytes, or a number with a unit: 4096, 64MiB, 1.5G. K, M, G, T and P count in 1024; KB, MB, GB, "
         "TB "
         "and PB in 1000.\n"
         ".TP\n.I DURATION\n30s, 5m, 2h, 1d, 1h30m, 500ms; without a unit, seconds.\n"
         ".TP\n.I TIME\n2026\\-11\\-20, 2026\\-11\\-20T02:00, \"2026\\-11\\-20 02:00:05\", in local time, or with Z or "
         "+01:00 after the time of day; and now.\n"
         ".TP\n.I PERCENT\nA number with its sign: 10%, 12.5%.\n"
         ".TP\n.I SNAPSHOT\nA stream (its latest snapshot), stream@latest, stream@TIME (the newest at or before it), "
         "an "
         "id, or the first 8 or more digits of one.\n";
}

std::string keys_section() {
  return ".SH KEYS\n"
         "A key is 64 hex digits, or a passphrase. It is looked for in this order: \\fB\\-\\-key\\-file\\fR, "
         "\\fB\\-\\-passphrase\\-file\\fR, \\fB\\-\\-passphrase\\-command\\fR (only one of them may be given), the "
         "variables \\fBBACKUP_ENCRYPTION_KEY_FILE\\fR (the name of a file), \\fBBACKUP_ENCRYPTION_KEY\\fR (the key "
         "itself) and \\fBDRSTREAM_PASSPHRASE\\fR (with a warning), then a prompt on the terminal. A key is never on "
         "the command line, and the variables are removed "
         "before another command is started. The repository that \\fBdrstream copy\\fR reads from has options and "
         "variables "
         "of its own, \\fB\\-\\-from\\-key\\-file\\fR and so on, \\fBBACKUP_FROM_ENCRYPTION_KEY_FILE\\fR and "
         "\\fBBACKUP_FROM_ENCRYPTION_KEY\\fR; without them the same key is tried.\n";
}

std::string commands_section(const CommandEntry& entry) {
  std::string out = ".SH COMMANDS\n";
  for (const CommandEntry& child : entry.children)
    out += fmt::format(".TP\n\\fB{}\\fR(1)\n{}.\n", escaped(page_name(child)), escaped(child.description));
  return out;
}

std::string page_text(const CommandEntry& entry) {
  const bool is_root = entry.path.empty();
  std::string name = page_name(entry);
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
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
    out += values_section() + keys_section() + exit_status_section();
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
