// drstream config check: which configuration files were read, what is set by what, and what each @NAME stands for.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tools/command.h"
#include "tools/configuration.h"
#include "tools/key_digits.h"
#include "tools/repository_place.h"

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

Result<ExitCode> run_check(CommandContext& context) {
  const Configuration& configuration = context.configuration;
  nlohmann::ordered_json document;
  document["files"] = nlohmann::ordered_json::array();
  std::string text;
  for (const Configuration::File& file : configuration.files) {
    document["files"].push_back({{"path", file.path}, {"found", file.found}});
    text += fmt::format("{} {}\n", file.found ? "read    " : "no file ", file.path);
  }
  document["settings"] = values_json(configuration.settings);
  document["state_dir"] = context.options.state_dir;
  text += fmt::format("\nsettings{}\n{}", configuration.settings.empty() ? ": none, all are at their defaults" : "",
                      values_text(configuration.settings));
  text += fmt::format("heads are kept in {}\n",
                      context.options.state_dir.empty() ? "no folder" : context.options.state_dir);
  document["repositories"] = nlohmann::ordered_json::array();
  for (const Configuration::Repository& repository : configuration.repositories) {
    DRS_ASSIGN_OR_RETURN(const RepositoryPlace place, parse_repository_place("@" + repository.name, context.options));
    document["repositories"].push_back({{"name", repository.name},
                                        {"repository", place.name},
                                        {"own_key", place.key.any()},
                                        {"origin", repository.origin},
                                        {"settings", values_json(repository.values)}});
    text += fmt::format("\n@{} is {}, {}  ({})\n{}", repository.name, place.name,
                        place.key.any() ? "with a key of its own" : "with the key of the settings or the environment",
                        repository.origin, values_text(repository.values));
  }
  context.output.document("drstream.config/1", document);
  context.output.text(text);
  return ExitCode::kOk;
}

}  // namespace

void add_config_commands(CommandSet& commands) {
  CLI::App* const config = add_subcommand(commands.root(), "config", "Look at the configuration", "");
  config->require_subcommand(0, 1);
  CLI::App* const check =
      add_subcommand(*config, "check", "Read the configuration and show what is set, by what, and what each @NAME is",
                     "  drstream config check\n"
                     "  drstream config check --config /etc/drstream/nightly.toml --json\n");
  commands.add({check, CommandEffect::kReads, false, run_check});
}

}  // namespace drs
