#include "tools/config/settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "engine/repository/edit_distance.h"
#include "io/base/ascii.h"
#include "sinks/kafka/kafka_settings.h"
#include "tools/cli/option_builder.h"
#include "tools/output/printable.h"
#include "tools/repository/keys.h"

namespace drs {
namespace {

// A file cannot say where it is itself, nor which descriptors a process has.
constexpr std::array<std::string_view, 2> kNotInFile = {"config", "progress-fd"};
constexpr std::array<std::string_view, 4> kKeySettings = {"key-file", "passphrase-file", "passphrase-command",
                                                          "unencrypted"};  // the last with "from-" alone

void add_settings(CLI::App& app, std::vector<Setting>& out) {
  for (CLI::Option* const option : app.get_options()) {
    if (option->get_envname().empty()) continue;
    const std::string& key = option->get_lnames().front();
    const auto known = std::ranges::find(out, key, &Setting::key);
    if (known != out.end()) {
      known->options.push_back(option);
      continue;
    }
    Setting setting;
    setting.key = key;
    setting.variable = option->get_envname();
    setting.value_name = option->get_expected_max() == 0 ? "" : option->get_type_name();
    setting.repeatable = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    setting.in_file = std::ranges::find(kNotInFile, key) == kNotInFile.end();
    setting.options = {option};
    out.push_back(std::move(setting));
  }
  for (CLI::App* const child : app.get_subcommands({})) add_settings(*child, out);
}

using Form = ConfigEntry::Form;

// Names under which people write the key itself, or credentials of a cloud.
constexpr std::array<std::string_view, 11> kSecretKeys = {
    "key",   "raw-key", "encryption-key", "backup-encryption-key", "passphrase",   "password",
    "token", "secret",  "secret-key",     "secret-access-key",     "session-token"};

// "KEY_FILE" as "key-file".
std::string as_key(std::string text) {
  std::ranges::replace(text, '_', '-');
  return ascii_lower(text);
}

bool is_path(std::string_view value_name, std::string_view value) {
  if (value_name == "FILE" || value_name == "DIR") return true;
  return value_name == "PLACE" && !value.starts_with('@') && value.find("://") == std::string_view::npos;
}

Result<void> check_form(const Setting& setting, const ConfigEntry& entry) {
  const auto wrong = [&](std::string_view accepted) {
    return config_error(entry.origin, fmt::format("'{}' takes {}", entry.key, accepted));
  };
  if (setting.value_name.empty()) {
    if (entry.form == Form::kBoolean || (entry.form == Form::kInteger && setting.repeatable)) return {};
    return wrong(setting.repeatable ? "true, false or a number" : "true or false, without quotes");
  }
  const bool takes_number = setting.value_name == "N" || setting.value_name == "SIZE";
  if (entry.form == Form::kTexts && !setting.repeatable) return wrong("one value, not a list");
  if (entry.form == Form::kBoolean || (entry.form == Form::kInteger && !takes_number))
    return wrong(takes_number ? "a number, or text in quotes" : "text in quotes");
  for (const std::string& value : entry.values)
    if (is_path(setting.value_name, value) && !value.starts_with('/'))
      return wrong(fmt::format("a path that begins with /: '{}' would depend on the working directory", value));
  return {};
}

constexpr std::string_view kVariablePrefix = "DRSTREAM_";

// "DRSTREAM_KEY_FILE" as "key-file".
std::string stem_of(const std::string& variable) {
  return as_key(variable.substr(kVariablePrefix.size()));
}

// The variables of this project's tests and benchmarks, and of failpoints.
bool is_of_tests(std::string_view variable) {
  constexpr std::array<std::string_view, 2> kPrefixes = {"DRSTREAM_TEST_", "DRSTREAM_FAILPOINT"};
  constexpr std::array<std::string_view, 5> kNames = {"DRSTREAM_BUILD", "DRSTREAM_BINARY", "DRSTREAM_BENCH_DATA",
                                                      "DRSTREAM_BIG_INDEX", "DRSTREAM_SERVICES_CACHE"};
  return std::ranges::find(kNames, variable) != kNames.end() ||
         std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return variable.starts_with(prefix); });
}

constexpr std::size_t kMistakesMax = 2;  // in a name that still means another

// Of every option, settings or not: one that only the command line gives has a warning of its own (tools/application).
void add_variables(const CLI::App& app, std::set<std::string>& out) {
  for (const CLI::Option* const option : app.get_options()) out.insert(variable_name(*option));
  for (const CLI::App* const child : app.get_subcommands({})) add_variables(*child, out);
}

}  // namespace

bool Setting::given() const {
  return std::ranges::any_of(options, [](const CLI::Option* option) { return option->count() > 0; });
}

std::string Setting::option_name() const {
  return "--" + options.front()->get_lnames().back();
}

std::vector<Setting> settings_of(CLI::App& root) {
  std::vector<Setting> out;
  add_settings(root, out);
  std::ranges::sort(out, {}, &Setting::key);
  return out;
}

const Setting* find_setting(const std::vector<Setting>& settings, std::string_view key) {
  const auto found = std::ranges::find(settings, key, &Setting::key);
  return found == settings.end() ? nullptr : &*found;
}

std::optional<std::string_view> key_setting_prefix(std::string_view key) {
  for (const std::string_view name : kKeySettings) {
    if (!key.ends_with(name)) continue;
    const std::string_view prefix = key.substr(0, key.size() - name.size());
    if (prefix.empty() || prefix == "from-" || prefix == "new-") return prefix;
  }
  return std::nullopt;
}

void unset_overridden_key_variables(std::span<const std::string> arguments) {
  for (const std::string& argument : arguments) {
    if (!argument.starts_with("--")) continue;
    const auto prefix = key_setting_prefix(std::string_view(argument).substr(2, argument.find('=') - 2));
    if (!prefix) continue;
    for (const std::string_view name : kKeySettings) wipe_variable(variable_name(fmt::format("{}{}", *prefix, name)));
  }
}

Error config_error(const std::string& origin, const std::string& text) {
  return {ErrorCode::kUsage, origin + ": " + text};
}

Result<void> give_value(const Setting& setting, const ConfigEntry& entry) {
  DRS_RETURN_IF_ERROR(check_form(setting, entry));
  for (CLI::Option* const option : setting.options) {
    try {
      option->add_result(entry.values);
      option->run_callback();
    } catch (const CLI::Error& error) {
      std::string_view text = error.what();
      if (text.starts_with("--")) text.remove_prefix(2);
      return config_error(entry.origin, std::string(text));
    }
  }
  return {};
}

Result<void> refuse_secret(const ConfigEntry& entry) {
  const bool named = std::ranges::find(kSecretKeys, as_key(entry.key)) != kSecretKeys.end();
  const bool holds = has_key_digits(entry.key) || std::ranges::any_of(entry.values, has_key_digits);
  if (!named && !holds) return {};
  return config_error(entry.origin,
                      fmt::format("'{}' holds a secret, and a configuration must hold none: put a key or passphrase "
                                  "into a file of its own (mode 600) and name that file by key-file or "
                                  "passphrase-file, or use passphrase-command; for credentials of a cloud use profile "
                                  "or credentials-file",
                                  hide_key_digits(entry.key)));
}

Result<void> refuse_two_keys(const std::vector<ConfigEntry>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto prefix = key_setting_prefix(entries[i].key);
    for (std::size_t j = 0; prefix && j < i; ++j)
      if (key_setting_prefix(entries[j].key) == prefix)
        return config_error(entries[i].origin,
                            fmt::format("'{}' and '{}' exclude each other: give one", entries[j].key, entries[i].key));
  }
  return {};
}

std::string did_you_mean(const std::string& key, const std::vector<std::string>& known) {
  const std::string* const found = nearest_name(as_key(key), known, kMistakesMax);
  return found == nullptr ? "" : fmt::format("; did you mean '{}'?", *found);
}

std::vector<std::string> unknown_variable_warnings(const CLI::App& root, std::span<const Setting> settings) {
  std::set<std::string> of_options(key_variable_names().begin(), key_variable_names().end());
  add_variables(root, of_options);
  std::set<std::string> unknown;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string variable = text.substr(0, text.find('='));
    // What names a setting of librdkafka is read by the commands of Kafka, which refuse what it does not know.
    if (variable.starts_with(kVariablePrefix) && !variable.starts_with(kKafkaVariablePrefix) &&
        !is_of_tests(variable) && !of_options.contains(variable))
      unknown.insert(variable);
  }
  if (unknown.empty()) return {};
  std::map<std::string, std::string> known;  // variables by the names that people may give them
  for (const Setting& setting : settings) {
    known.emplace(setting.key, setting.variable);
    known.emplace(stem_of(setting.variable), setting.variable);
  }
  for (const std::string& variable : key_variable_names())
    if (variable.starts_with(kVariablePrefix)) known.emplace(stem_of(variable), variable);
  std::vector<std::string> names;
  for (const auto& [name, variable] : known) names.push_back(name);
  std::vector<std::string> warnings;
  for (const std::string& variable : unknown) {
    const std::string* const found = nearest_name(stem_of(variable), names, kMistakesMax);
    warnings.push_back(fmt::format("the variable {} is ignored: drstream has no such variable{}",
                                   hide_key_digits(variable),
                                   found == nullptr ? "; `drstream help environment` lists them"
                                                    : fmt::format("; did you mean {}?", known.at(*found))));
  }
  return warnings;
}

}  // namespace drs
