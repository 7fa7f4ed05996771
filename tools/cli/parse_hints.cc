#include "tools/cli/parse_hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "engine/repository/edit_distance.h"
#include "tools/cli/child_command.h"

namespace drs {
namespace {

constexpr std::string_view kPush = "`drstream push STREAM` stores a snapshot";
constexpr std::string_view kList = "`drstream list` shows the snapshots, `drstream show` one of them";
constexpr std::string_view kPull = "`drstream pull` restores a snapshot: to stdout, into a command or to a file";
constexpr std::string_view kForget = "`drstream forget` removes snapshots, by rules or by their ids";
constexpr std::string_view kKeys =
    "`drstream key add` adds a key or passphrase, and `drstream key remove` takes the old one away";
constexpr std::string_view kNoWal = "drstream keeps no WAL: use pgBackRest, or an archive_command of your own, for it";
constexpr std::string_view kNoLocks = "drstream leaves no locks behind, so there is nothing to remove";

constexpr std::size_t kMistakesMax = 2;  // that many still mean it

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
    ForeignCommand{"expire", kForget},
    ForeignCommand{"delete", kForget},
    ForeignCommand{"compact", "`drstream prune` gives back the space of what no snapshot needs"},
    ForeignCommand{"remove", kForget},
    ForeignCommand{"rm", kForget},
    ForeignCommand{"tag", "a snapshot never changes; `drstream push --tag KEY=VALUE` tags a new one"},
    ForeignCommand{"diff", "drstream compares no snapshots; `drstream pull` both, and compare what they restore"},
    ForeignCommand{"passwd", kKeys},
    ForeignCommand{"change-passphrase", kKeys},
    ForeignCommand{"archive-push", kNoWal},
    ForeignCommand{"archive-get", kNoWal},
    ForeignCommand{"mount", "drstream cannot mount snapshots; `drstream pull -o FILE` restores one, or a part of it"},
    ForeignCommand{"unlock", kNoLocks},
    ForeignCommand{"break-lock", kNoLocks},
};

std::vector<std::string> left_words(const CLI::App& app) {
  const CLI::App* top = &app;
  while (top->get_parent() != nullptr) top = top->get_parent();
  return top->remaining(true);
}

// A word in the place of a command of `app`; empty if there is none.
std::string unknown_word(const CLI::App& app, const std::vector<std::string>& own) {
  if (command_names(app).empty()) return "";
  const std::vector<std::string> left = left_words(app);
  const auto is_word = [&](const std::string& text) {
    return !text.starts_with('-') && std::ranges::find(left, text) != left.end();
  };
  const auto word = std::ranges::find_if(own, is_word);
  return word == own.end() ? "" : *word;
}

// The long option of `app` and its parents that `name`, without the dashes, nearly is; empty where there is none.
std::string nearest_option(const CLI::App* app, std::string_view name) {
  std::vector<std::string> known;
  for (; app != nullptr; app = app->get_parent())
    for (const CLI::Option* option : app->get_options())
      known.insert(known.end(), option->get_lnames().begin(), option->get_lnames().end());
  // Of a short name any other is near.
  const std::string* const nearest = nearest_name(name, known, std::min(kMistakesMax, name.size() / 3));
  return nearest == nullptr ? "" : *nearest;
}

// The first option that there is not, else the first word that no argument takes.
std::string unexpected_text(const CLI::App& app, const std::vector<std::string>& own) {
  const std::vector<std::string> left = left_words(app);
  const auto is_left = [&](const std::string& word) { return std::ranges::find(left, word) != left.end(); };
  const auto option =
      std::ranges::find_if(own, [&](const std::string& word) { return word.starts_with('-') && is_left(word); });
  if (option == own.end()) {
    const auto word = std::ranges::find_if(own, is_left);
    return word == own.end() ? "" : fmt::format("unexpected argument '{}'", *word);
  }
  const std::string_view name = std::string_view(*option).substr(0, option->find('='));
  const std::string nearest = name.starts_with("--") ? nearest_option(&app, name.substr(2)) : "";
  return fmt::format("there is no option '{}'{}", name, nearest.empty() ? "" : "; did you mean '--" + nearest + "'?");
}

// The hint for --exec with a command but without the "--" before it; empty if that is not the mistake.
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

// The message of CLI11 for an option that takes one value, given several times: "--level: At Most 1 required but
// received 2". Empty for another one.
std::string given_again_text(std::string_view message) {
  constexpr std::string_view kAtMostOne = ": At Most 1 required but received ";
  const std::size_t at = message.find(kAtMostOne);
  if (at == std::string_view::npos) return "";
  return fmt::format("{} is given {} times, and takes one value: give it once", message.substr(0, at),
                     message.substr(at + kAtMostOne.size()));
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
  std::vector<std::string> known;
  for (const CLI::App* child : app.get_subcommands({}))
    if (!child->get_group().empty()) known.push_back(child->get_name());
  if (const std::string* const nearest = nearest_name(word, known, kMistakesMax))
    return unknown("did you mean '" + *nearest + "'?");
  const std::string names = command_names(app);
  return unknown(names.empty() ? "'" + path + "' has none below it" : "accepted are " + names);
}

std::string with_advice(std::string text, std::string advice) {
  if (!text.ends_with('?')) return text + "; " + advice;
  if (!advice.empty() && advice.front() >= 'a' && advice.front() <= 'z')
    advice.front() = static_cast<char>(advice.front() - 'a' + 'A');
  return text + " " + advice;
}

std::string parse_error_text(const CLI::Error& error, const CLI::App& app, const Arguments& arguments) {
  const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (is_extra)
    if (const std::string word = unknown_word(app, arguments.own); !word.empty())
      return unknown_command_text(app, word);
  // A flag with a value that is not a boolean, such as --exec=pg_dump. Every option with a value has a parser of its
  // own (tools/cli/option_builder.h).
  const bool is_conversion = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
  if (is_extra || is_conversion)
    if (std::string text = exec_without_mark_text(app, arguments); !text.empty()) return text;
  if (is_extra)
    if (std::string text = unexpected_text(app, arguments.own); !text.empty()) return text;
  if (is_conversion)
    return fmt::format("{}; accepted for a flag are true and false, for --verbose a number", error.what());
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
    if (std::string text = given_again_text(error.what()); !text.empty()) return text;
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !arguments.child.empty())
    return fmt::format("{}; what stands behind -- is the command that --exec runs", error.what());
  return error.what();
}

}  // namespace drs
