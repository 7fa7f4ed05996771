#include "tools/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <string_view>

#include "tools/config_file.h"
#include "tools/config_values.h"
#include "tools/keys.h"
#include "tools/repository_table.h"
#include "tools/settings.h"

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

// The work of configure(), step by step.
class Configurator {
 public:
  explicit Configurator(const ParsedModel& model)
      : model_(model), settings_(settings_of(model.root)), scratch_(settings_of(model.scratch)) {
    for (const CLI::App* app = &model_.root; app != nullptr;
         app = app->get_subcommands().empty() ? nullptr : app->get_subcommands().back())
      for (const CLI::Option* option : app->parse_order())
        if (!option->get_lnames().empty()) on_command_line_.insert(option->get_lnames().front());
    for (const Setting& setting : settings_) {
      if (!setting.given()) continue;
      const auto* const option = *std::ranges::find_if(setting.options, [](const auto* o) { return o->count() > 0; });
      const bool typed = on_command_line_.contains(setting.key);
      out_.settings.push_back({setting.key, option->results(), typed ? setting.option_name() : setting.variable});
    }
  }

  Result<void> read(const std::string& path, bool required, CancelToken& cancel) {
    DRS_ASSIGN_OR_RETURN(const std::optional<std::string> text, read_config_file(path, cancel));
    if (!text && required)
      return Error{ErrorCode::kUsage, fmt::format("there is no configuration file '{}', which --config names (or "
                                                  "DRSTREAM_CONFIG); without it the default files are read",
                                                  path)};
    out_.files.push_back({path, text.has_value()});
    if (!text) return {};
    DRS_ASSIGN_OR_RETURN(ConfigFile file, parse_config_file(*text, path));
    DRS_RETURN_IF_ERROR(check(file));
    files_.push_back(std::move(file));
    return {};
  }

  void warn(std::string text) { out_.warnings.push_back(std::move(text)); }

  // The strongest file was read first.
  Result<Configuration> apply() {
    for (const ConfigFile& file : files_) DRS_RETURN_IF_ERROR(set(file.entries));
    for (const ConfigFile& file : files_)
      for (const ConfigTable& table : file.repositories) DRS_RETURN_IF_ERROR(add(table));
    return std::move(out_);
  }

 private:
  // All that is in the file, whether it will count or not.
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
          fmt::format("'{}' is a setting of one repository: it belongs below a [repository.NAME]", entry.key));
    if (has_option(model_.root, entry.key))
      return config_error(entry.origin, fmt::format("--{} is given with each call, not in a file", entry.key));
    std::vector<std::string> known;
    for (const Setting& setting : settings_)
      if (setting.in_file) known.push_back(setting.key);
    return config_error(entry.origin,
                        fmt::format("there is no setting '{}'{}", entry.key, did_you_mean(entry.key, known)));
  }

  // A file's key counts only where none is given otherwise.
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

  // Whether the command line says otherwise: for the repository of -r alone.
  [[nodiscard]] bool is_overridden(const ConfigTable& table, const ConfigEntry& entry) const {
    if (model_.options.repository != "@" + table.name) return false;
    const auto prefix = key_setting_prefix(entry.key);
    if (!prefix) return on_command_line_.contains(entry.key);
    return std::ranges::any_of(on_command_line_,
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
  std::set<std::string> on_command_line_;  // keys
  std::vector<ConfigFile> files_;
  Configuration out_;
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
    DRS_RETURN_IF_ERROR(configurator.read(model.options.config_file, true, cancel));
    return configurator.apply();
  }
  if (!paths.user.empty()) DRS_RETURN_IF_ERROR(configurator.read(paths.user, false, cancel));
  if (const auto read = configurator.read(paths.system, false, cancel); !read.ok()) {
    // An administrator may keep it from other users.
    if (read.error().error_number != EACCES) return read.error();
    configurator.warn(read.error().message + "; its settings do not count");
  }
  return configurator.apply();
}

}  // namespace drs
