#include "tools/config/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <string_view>

#include "tools/cli/option_builder.h"
#include "tools/config/config_file.h"
#include "tools/config/settings.h"
#include "tools/repository/keys.h"
#include "tools/repository/repository_location.h"

namespace drs {
namespace {

bool has_option(const CLI::App& app, const std::string& key) {
  if (app.get_option_no_throw("--" + key) != nullptr) return true;
  return std::ranges::any_of(app.get_subcommands({}), [&](const CLI::App* child) { return has_option(*child, key); });
}

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

using Kind = RepositoryLocation::Kind;

// The key of a table that names the place. The others are settings: those of keys, stores and caches by the names of
// their options, and these, which only a place has.
constexpr std::string_view kPlaceKey = "place";
constexpr std::array<std::string_view, 2> kPlaceAlone = {"profile", "credentials-file"};

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kLocal: return "a directory";
    case Kind::kS3: return "a bucket of S3";
    case Kind::kGcs: return "a bucket of Google";
  }
  return "";
}

// Whether places of the kind have the setting. A setting of no particular kind is one of all buckets.
bool has_setting(Kind kind, std::string_view key) {
  RepositoryLocation place;
  place.kind = kind;
  if (setting_of(place, key) != nullptr) return true;
  if (kind == Kind::kLocal) return false;
  for (const Kind other : {Kind::kS3, Kind::kGcs}) {
    place.kind = other;
    if (setting_of(place, key) != nullptr) return false;
  }
  return true;
}

Error unknown_table_key(const ConfigTable& table, const ConfigEntry& entry, const std::vector<Setting>& settings) {
  CLI::App global;
  GlobalOptions unused;
  declare_global_options(global, unused);
  if (global.get_option_no_throw("--" + entry.key) != nullptr)
    return config_error(
        entry.origin, fmt::format("'{}' is not a setting of one repository: put it above the first table", entry.key));
  std::vector<std::string> known;
  for (const Setting& setting : settings) known.push_back(setting.key);
  return config_error(entry.origin, fmt::format("a repository has no setting '{}' ([repository.{}]){}", entry.key,
                                                table.name, did_you_mean(entry.key, known)));
}

// Whether the key is accepted in tables only.
bool is_table_key(std::string_view key) {
  return key == kPlaceKey || std::ranges::find(kPlaceAlone, key) != kPlaceAlone.end();
}

// A [repository.NAME] as the place that it names, with its own settings. `base`: the options that it starts from.
// Errors: kUsage, with file and line (no place, an unknown key, a setting that places of this kind do not have, a wrong
// type or value, a secret).
Result<NamedRepository> named_repository(const ConfigTable& table, const GlobalOptions& base) {
  for (const ConfigEntry& entry : table.entries) DRS_RETURN_IF_ERROR(refuse_secret(entry));
  DRS_RETURN_IF_ERROR(refuse_two_keys(table.entries));
  NamedRepository out{"", table.origin, base.cloud, base.cache, {}};
  CLI::App app;
  declare_place_options(app, out.key, out.cloud, out.cache);
  as_setting(add_text(app, "--place", out.place, "PLACE", ""));
  as_setting(add_text(app, "--profile", out.cloud.profile, "NAME", ""));
  as_setting(add_text(app, "--credentials-file", out.cloud.credentials_file, "FILE", ""));
  const std::vector<Setting> settings = settings_of(app);

  const auto named = std::ranges::find(table.entries, kPlaceKey, &ConfigEntry::key);
  if (named == table.entries.end())
    return config_error(table.origin, fmt::format("[repository.{}] names no place; it needs place = \"/path\", "
                                                  "\"s3://bucket/prefix\" or \"gs://bucket/prefix\"",
                                                  table.name));
  DRS_RETURN_IF_ERROR(give_value(*find_setting(settings, kPlaceKey), *named));
  if (out.place.starts_with('@'))
    return config_error(named->origin, "'place' takes a directory, s3://bucket/prefix or gs://bucket/prefix");
  const auto place = parse_repository_location(out.place, base);
  if (!place.ok()) return config_error(named->origin, place.error().message);

  for (const ConfigEntry& entry : table.entries) {
    if (entry.key == kPlaceKey) continue;
    const Setting* const setting = find_setting(settings, entry.key);
    if (setting == nullptr) return unknown_table_key(table, entry, settings);
    if (!has_setting(place->kind, entry.key))
      return config_error(entry.origin, fmt::format("'{}' is not a setting of {}, which {} is", entry.key,
                                                    kind_name(place->kind), place->name));
    DRS_RETURN_IF_ERROR(give_value(*setting, entry));
  }
  return out;
}

// The work of configure(), step by step.
class Configurator {
 public:
  explicit Configurator(const ParsedModel& model)
      : model_(model), settings_(settings_of(model.root)), scratch_(settings_of(model.scratch)) {
    for (const CLI::App* app = &model_.root; app != nullptr;
         app = app->get_subcommands().empty() ? nullptr : app->get_subcommands().back())
      for (const CLI::Option* option : app->parse_order())
        if (!option->get_lnames().empty()) model_.options.typed.insert(option->get_lnames().front());
    for (const Setting& setting : settings_) {
      if (!setting.given()) continue;
      const auto* const option = *std::ranges::find_if(setting.options, [](const auto* o) { return o->count() > 0; });
      const bool typed = model_.options.typed.contains(setting.key);
      out_.settings.push_back({setting.key, option->results(), typed ? setting.option_name() : setting.variable});
    }
  }

  enum class Presence : std::uint8_t { kOptional, kRequired };
  Result<void> read(const std::string& path, Presence presence, CancelToken& cancel) {
    DRS_ASSIGN_OR_RETURN(const std::optional<std::string> text, read_config_file(path, cancel));
    if (!text && presence == Presence::kRequired)
      return Error(ErrorCode::kUsage, fmt::format("there is no configuration file '{}', which --config names (or "
                                                  "DRSTREAM_CONFIG); without it the default files are read",
                                                  path));
    out_.files.push_back({path, text.has_value()});
    if (!text) return {};
    DRS_ASSIGN_OR_RETURN(ConfigFile file, parse_config_file(*text, path));
    DRS_RETURN_IF_ERROR(check(file));
    for (const ConfigTable& table : file.retentions) {
      DRS_ASSIGN_OR_RETURN(Retention retention, read_retention(table));
      out_.retentions.push_back(std::move(retention));
    }
    for (const ConfigTable& table : file.expectations) {
      DRS_ASSIGN_OR_RETURN(Expectation expectation, read_expectation(table));
      out_.expectations.push_back(std::move(expectation));
    }
    files_.push_back(std::move(file));
    return {};
  }

  // Of a file that exists and cannot be read: what it names is not known.
  void skip(const std::string& warning) {
    out_.warnings.push_back(warning);
    skipped_ = true;
  }

  // The files were read in order of precedence.
  Result<Configuration> apply() {
    for (const ConfigFile& file : files_) DRS_RETURN_IF_ERROR(set(file.entries));
    for (const ConfigFile& file : files_)
      for (const ConfigTable& table : file.repositories) DRS_RETURN_IF_ERROR(add(table));
    if (!skipped_) DRS_RETURN_IF_ERROR(check_names());
    DRS_RETURN_IF_ERROR(check_variables());
    return std::move(out_);
  }

 private:
  // Each @NAME in a file is one that a file has, even if the setting is overridden.
  [[nodiscard]] Result<void> check_names() const {
    for (const ConfigFile& file : files_) {
      for (const ConfigEntry& entry : file.entries) {
        if (!names_place(*find_setting(settings_, entry.key))) continue;
        for (const std::string& value : entry.values) {
          if (!value.starts_with('@')) continue;
          const auto place = parse_repository_location(value, model_.options);
          if (!place.ok()) return config_error(entry.origin, fmt::format("'{}': {}", entry.key, place.error().message));
        }
      }
    }
    return {};
  }

  // A variable is set once for calls in every working directory, as a file is.
  Result<void> check_variables() {
    const auto relative = std::ranges::find_if(out_.settings, [](const Configuration::Value& value) {
      return value.key == "state-dir" && value.origin == variable_name(value.key) &&
             !value.values.back().starts_with('/');
    });
    if (relative != out_.settings.end())
      return config_error(relative->origin, fmt::format("it takes a path that begins with /: '{}' would depend on the "
                                                        "working directory",
                                                        relative->values.back()));
    for (std::string& warning : unknown_variable_warnings(model_.root, settings_))
      out_.warnings.push_back(std::move(warning));
    return {};
  }

  // Every entry, including those that another source overrides.
  Result<void> check(const ConfigFile& file) const {
    DRS_RETURN_IF_ERROR(refuse_two_keys(file.entries));
    for (const ConfigEntry& entry : file.entries) {
      DRS_RETURN_IF_ERROR(refuse_secret(entry));
      const Setting* const setting = find_setting(scratch_, entry.key);
      if (setting == nullptr || !setting->in_file) return unknown_key(entry);
      for (CLI::Option* const option : setting->options) option->clear();  // another file's value
      DRS_RETURN_IF_ERROR(give_value(*setting, entry));
    }
    return {};
  }

  [[nodiscard]] Error unknown_key(const ConfigEntry& entry) const {
    if (is_table_key(entry.key))
      return config_error(
          entry.origin,
          fmt::format("'{}' is a setting of one repository: put it below a [repository.NAME]", entry.key));
    if (has_option(model_.root, entry.key))
      return config_error(entry.origin,
                          fmt::format("--{} is not a setting: give it on the command line, not in a file", entry.key));
    std::vector<std::string> known;
    for (const Setting& setting : settings_)
      if (setting.in_file) known.push_back(setting.key);
    return config_error(entry.origin,
                        fmt::format("there is no setting '{}'{}", entry.key, did_you_mean(entry.key, known)));
  }

  // A key in a file counts only if no stronger source gives one.
  [[nodiscard]] bool key_is_given(std::string_view prefix) const {
    const bool by_setting = std::ranges::any_of(settings_, [&](const Setting& setting) {
      return key_setting_prefix(setting.key) == prefix && setting.given();
    });
    if (by_setting) return true;
    if (prefix.empty()) return key_is_supplied({});
    return prefix == "from-" && (is_set("BACKUP_FROM_ENCRYPTION_KEY_FILE") || is_set("BACKUP_FROM_ENCRYPTION_KEY"));
  }

  Result<void> set(const std::vector<ConfigEntry>& entries) {
    for (const ConfigEntry& entry : entries) {
      const Setting& setting = *find_setting(settings_, entry.key);
      const auto prefix = key_setting_prefix(entry.key);
      if (prefix ? key_is_given(*prefix) : setting.given()) continue;
      DRS_RETURN_IF_ERROR(give_value(setting, entry));
      out_.settings.push_back({entry.key, entry.values, entry.origin});
    }
    return {};
  }

  // Whether the command line overrides the entry, which it does only for the repository of -r.
  [[nodiscard]] bool is_overridden(const ConfigTable& table, const ConfigEntry& entry) const {
    if (model_.options.repository != "@" + table.name) return false;
    const auto prefix = key_setting_prefix(entry.key);
    if (!prefix) return model_.options.typed.contains(entry.key);
    return std::ranges::any_of(model_.options.typed,
                               [&](const std::string& key) { return key_setting_prefix(key) == prefix; });
  }

  Result<void> add(ConfigTable table) {
    DRS_ASSIGN_OR_RETURN(NamedRepository repository, named_repository(table, model_.options));
    if (model_.options.repositories.contains(table.name)) return {};
    if (std::erase_if(table.entries, [&](const ConfigEntry& entry) { return is_overridden(table, entry); }) > 0) {
      DRS_ASSIGN_OR_RETURN(repository, named_repository(table, model_.options));
    }
    Configuration::Repository shown{table.name, table.origin, {}};
    for (const ConfigEntry& entry : table.entries)
      if (entry.key != kPlaceKey) shown.values.push_back({entry.key, entry.values, entry.origin});
    out_.repositories.push_back(std::move(shown));
    model_.options.repositories.emplace(table.name, std::move(repository));
    return {};
  }

  const ParsedModel& model_;
  const std::vector<Setting> settings_;
  const std::vector<Setting> scratch_;
  std::vector<ConfigFile> files_;
  Configuration out_;
  bool skipped_ = false;
};

}  // namespace

ConfigPaths default_config_paths() {
  ConfigPaths paths{"", "/etc/drstream/config.toml"};
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  if (config != nullptr && *config == '/')
    paths.user = std::string(config) + "/drstream/config.toml";
  else if (home != nullptr && *home == '/')
    paths.user = std::string(home) + "/.config/drstream/config.toml";
  return paths;
}

Result<Configuration> configure(const ParsedModel& model, const ConfigPaths& paths, CancelToken& cancel) {
  Configurator configurator(model);
  if (!model.options.config_file.empty()) {
    DRS_RETURN_IF_ERROR(configurator.read(model.options.config_file, Configurator::Presence::kRequired, cancel));
    return configurator.apply();
  }
  if (!paths.user.empty())
    DRS_RETURN_IF_ERROR(configurator.read(paths.user, Configurator::Presence::kOptional, cancel));
  if (const auto read = configurator.read(paths.system, Configurator::Presence::kOptional, cancel); !read.ok()) {
    // An administrator may deny other users access to it.
    if (read.error().error_number != EACCES) return read.error();
    configurator.skip(read.error().message + "; its settings are ignored");
  }
  return configurator.apply();
}

}  // namespace drs
