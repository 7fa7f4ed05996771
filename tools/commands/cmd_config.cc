// drstream config check: which configuration files were read, what is set by what, and what each @NAME stands for.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tools/command.h"
#include "tools/config/configuration.h"
#include "tools/config/settings.h"
#include "tools/output/printable.h"
#include "tools/output/quantity_text.h"
#include "tools/repository/keep_rules_text.h"
#include "tools/repository/repository_location.h"

namespace drs {
namespace {

std::string joined(const std::vector<std::string>& values) {
  std::string out;
  for (const std::string& value : values) out += (out.empty() ? "" : ", ") + hide_key_digits(value);
  return out;
}

nlohmann::ordered_json values_json(const std::vector<Configuration::Value>& values) {
  auto out = nlohmann::ordered_json::array();
  for (const Configuration::Value& value : values) {
    auto texts = nlohmann::ordered_json::array();
    for (const std::string& text : value.values) texts.push_back(hide_key_digits(text));
    out.push_back({{"name", value.key}, {"values", texts}, {"origin", value.origin}});
  }
  return out;
}

std::string values_text(const std::vector<Configuration::Value>& values) {
  std::string out;
  for (const Configuration::Value& value : values)
    out += fmt::format("  {:<20} {}  ({})\n", value.key, joined(value.values), value.origin);
  return out;
}

// An @NAME of an option or a variable that no file has. Those in files were refused when these were read.
Result<void> check_names(const CommandContext& context) {
  const std::vector<Setting> settings = settings_of(context.root);
  for (const Configuration::Value& value : context.configuration.settings) {
    if (!names_place(*find_setting(settings, value.key))) continue;
    for (const std::string& text : value.values) {
      if (!text.starts_with('@')) continue;
      if (const auto place = parse_repository_location(text, context.options); !place.ok())
        return place.error().with_context(value.origin);
    }
  }
  return {};
}

// A file with a key or credentials may be made later, or be readable to another user: no reason to fail.
void warn_of_missing_files(CommandContext& context, const std::vector<Configuration::Value>& values) {
  for (const Configuration::Value& value : values) {
    const bool is_read = value.key.ends_with("key-file") || value.key.ends_with("passphrase-file") ||
                         value.key == "credentials-file" || value.key == "ca-file";
    if (!is_read) continue;
    for (const std::string& path : value.values)
      if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0)
        context.log.warn("{}: '{}' cannot be read: {}: {}", value.origin, value.key, hide_key_digits(path),
                         std::strerror(errno));
  }
}

std::string expectation_text(const Expectation& expected) {
  if (expected.ignored) return "ignored";
  std::string out = expected.newest_within ? "a snapshot within " + format_duration(*expected.newest_within)
                                           : std::string("a snapshot of any age");
  if (expected.verified_within) out += ", proven within " + format_duration(*expected.verified_within);
  return out;
}

Result<ExitCode> run_check(CommandContext& context) {
  const Configuration& configuration = context.configuration;
  DRS_RETURN_IF_ERROR(check_names(context));
  warn_of_missing_files(context, configuration.settings);
  for (const Configuration::Repository& repository : configuration.repositories)
    warn_of_missing_files(context, repository.values);
  nlohmann::ordered_json document;
  document["files"] = nlohmann::ordered_json::array();
  std::string text;
  for (const Configuration::File& file : configuration.files) {
    document["files"].push_back({{"path", file.path}, {"found", file.found}});
    text += fmt::format("{} {}\n", file.found ? "read    " : "no file ", file.path);
  }
  document["settings"] = values_json(configuration.settings);
  set_text(document, "state_dir", context.options.state_dir);
  text += fmt::format("\nsettings{}\n{}", configuration.settings.empty() ? ": none, all are at their defaults" : "",
                      values_text(configuration.settings));
  text += fmt::format("heads are kept in {}\n",
                      context.options.state_dir.empty() ? "no folder" : context.options.state_dir);
  document["repositories"] = nlohmann::ordered_json::array();
  for (const Configuration::Repository& repository : configuration.repositories) {
    DRS_ASSIGN_OR_RETURN(const RepositoryLocation place,
                         parse_repository_location("@" + repository.name, context.options));
    document["repositories"].push_back({{"name", repository.name},
                                        {"place", place.name},
                                        {"own_key", place.key.any()},
                                        {"origin", repository.origin},
                                        {"settings", values_json(repository.values)}});
    text += fmt::format("\n@{} is {}, {}  ({})\n{}", repository.name, place.name,
                        place.key.any() ? "with a key of its own" : "with the key of the settings or the environment",
                        repository.origin, values_text(repository.values));
  }
  document["retentions"] = nlohmann::ordered_json::array();
  if (!configuration.retentions.empty()) text += "\nretentions, of which the first that matches a stream counts\n";
  for (const Retention& retention : configuration.retentions) {
    const std::string rules = format_keep_rules(retention.rules);
    document["retentions"].push_back({{"streams", retention.streams}, {"rules", rules}, {"origin", retention.origin}});
    text += fmt::format("  {:<20} {}  ({})\n", joined(retention.streams), rules, retention.origin);
  }
  document["expectations"] = nlohmann::ordered_json::array();
  if (!configuration.expectations.empty()) text += "\nexpected by `status`; the first that matches a stream counts\n";
  for (const Expectation& expected : configuration.expectations) {
    nlohmann::ordered_json& one = document["expectations"].emplace_back();
    one["streams"] = expected.streams;
    if (expected.newest_within)
      one["newest_within_seconds"] = static_cast<double>(expected.newest_within->count()) / 1e3;
    if (expected.verified_within)
      one["verified_within_seconds"] = static_cast<double>(expected.verified_within->count()) / 1e3;
    one["ignored"] = expected.ignored;
    one["origin"] = expected.origin;
    text += fmt::format("  {:<20} {}  ({})\n", joined(expected.streams), expectation_text(expected), expected.origin);
  }
  context.output.document("drstream.config-check/1", document);
  context.output.text(text);
  return ExitCode::kOk;
}

}  // namespace

void add_config_commands(CommandSet& commands) {
  CLI::App* const config = add_subcommand(commands.root(), "config", "Check the configuration", "");
  config->require_subcommand(0, 1);
  CLI::App* const check = add_subcommand(
      *config, "check", "Read the configuration and show each setting, its source, and the place of each @NAME",
      "  drstream config check\n"
      "  drstream config check --config /etc/drstream/nightly.toml --json\n");
  commands.add({check, CommandEffect::kReads, run_check});
}

}  // namespace drs
