#include "tools/parse_hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/repository/edit_distance.h"
#include "tools/child_command_check.h"

namespace drs {
namespace {

constexpr std::string_view kPush = "`drstream push STREAM` stores a snapshot";
constexpr std::string_view kList = "`drstream list` shows the snapshots, `drstream show` one of them";
constexpr std::string_view kPull = "`drstream pull` restores a snapshot: to stdout, into a command or to a file";
constexpr std::string_view kNoRemoval = "drstream cannot remove snapshots yet";
constexpr std::string_view kNoLocks = "drstream leaves no lock behind that would have to be removed";

constexpr std::array kForeignCommands = {
    ForeignCommand{"backup", kPush},
    ForeignCommand{"create", kPush},
    ForeignCommand{"snapshots", kList},
    ForeignCommand{"info", kList},
    ForeignCommand{"ls", kList},
    ForeignCommand{"restore", kPull},
    ForeignCommand{"extract", kPull},
    ForeignCommand{"dump", kPull},
    ForeignCommand{"check", "`drstream verify` proves that snapshots can be restored"},
    ForeignCommand{"stanza-create",
                   "a stream begins with its first push; `drstream init` makes the repository that holds it"},
    ForeignCommand{"forget", kNoRemoval},
    ForeignCommand{"prune", kNoRemoval},
    ForeignCommand{"expire", kNoRemoval},
    ForeignCommand{"delete", kNoRemoval},
    ForeignCommand{"compact", kNoRemoval},
    ForeignCommand{"mount", "drstream cannot mount snapshots; `drstream pull -o FILE` restores one, or a part of it"},
    ForeignCommand{"unlock", kNoLocks},
    ForeignCommand{"break-lock", kNoLocks},
};

std::vector<std::string> left_words(const CLI::App& app) {
  const CLI::App* top = &app;
  while (top->get_parent() != nullptr) top = top->get_parent();
  return top->remaining(true);
}

// A word where a command of `app` was expected; empty where there is none.
std::string unknown_word(const CLI::App& app, const std::vector<std::string>& own) {
  if (command_names(app).empty()) return "";
  const std::vector<std::string> left = left_words(app);
  const auto is_word = [&](const std::string& text) {
    return !text.starts_with('-') && std::ranges::find(left, text) != left.end();
  };
  const auto word = std::ranges::find_if(own, is_word);
  return word == own.end() ? "" : *word;
}

// A command line that gives --exec its command without the "--" before it; empty where it is none.
std::string exec_without_mark_text(const CLI::App& app, const Arguments& arguments) {
  if (arguments.has_mark || app.get_option_no_throw("--exec") == nullptr) return "";
  std::string command;
  bool has_exec = false;
  for (const std::string& word : arguments.own) {
    has_exec = has_exec || word == "--exec" || word.starts_with("--exec=");
    if (word.starts_with("--exec=")) command = word.substr(std::string_view("--exec=").size());
  }
  if (!has_exec) return "";
  for (const std::string& word : left_words(app))
    if (command.empty() && !word.starts_with('-')) command = word;
  if (const auto checked = check_child_command({command}); !checked.ok()) return checked.error().message;
  return fmt::format("the command that --exec runs stands behind --, such as: drstream {} ... --exec -- {} ...",
                     command_path(&app), command.empty() ? "CMD" : command);
}

}  // namespace

std::span<const ForeignCommand> foreign_commands() {
  return kForeignCommands;
}

std::vector<std::string> command_words(const CLI::App* app) {
  std::vector<std::string> words;
  for (; app != nullptr && app->get_parent() != nullptr; app = app->get_parent())
    words.insert(words.begin(), app->get_name());
  return words;
}

std::string command_path(const CLI::App* app) {
  std::string path;
  for (const std::string& word : command_words(app)) path += (path.empty() ? "" : " ") + word;
  return path;
}

std::string command_names(const CLI::App& app) {
  std::string names;
  for (const CLI::App* child : app.get_subcommands({}))
    if (!child->get_group().empty()) names += (names.empty() ? "" : ", ") + child->get_name();
  return names;
}

std::string unknown_command_text(const CLI::App& app, const std::string& word) {
  const std::string path = command_path(&app);
  const auto unknown = [&](std::string_view advice) {
    return fmt::format("there is no command '{}{}{}'; {}", path, path.empty() ? "" : " ", word, advice);
  };
  const auto foreign = std::ranges::find(kForeignCommands, word, &ForeignCommand::name);
  if (path.empty() && foreign != kForeignCommands.end()) return unknown(foreign->advice);
  std::string nearest;
  std::size_t least = 3;  // two mistakes still mean it
  for (const CLI::App* child : app.get_subcommands({})) {
    if (child->get_group().empty() || edit_distance(child->get_name(), word) >= least) continue;
    nearest = child->get_name();
    least = edit_distance(nearest, word);
  }
  if (!nearest.empty()) return unknown("did you mean '" + nearest + "'?");
  const std::string names = command_names(app);
  return unknown(names.empty() ? "'" + path + "' has none below it" : "accepted are " + names);
}

std::string parse_error_text(const CLI::Error& error, const CLI::App& app, const Arguments& arguments) {
  const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (is_extra)
    if (const std::string word = unknown_word(app, arguments.own); !word.empty())
      return unknown_command_text(app, word);
  // A flag with a value that is none, such as --exec=pg_dump. Every option with a value has a parser of its own
  // (tools/option_builder.h).
  const bool is_conversion = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
  if (is_extra || is_conversion)
    if (std::string text = exec_without_mark_text(app, arguments); !text.empty()) return text;
  if (is_conversion)
    return fmt::format("{}; accepted for a flag are true and false, for --verbose a number", error.what());
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !arguments.child.empty())
    return fmt::format("{}; what stands behind -- is the command that --exec runs", error.what());
  return error.what();
}

}  // namespace drs
