#include "tools/settings.h"

#include <algorithm>
#include <array>

namespace drs {
namespace {

// A file cannot say where the file is, and knows no descriptor of a process.
constexpr std::array<std::string_view, 2> kNotInFile = {"config", "progress-fd"};
constexpr std::array<std::string_view, 3> kKeySettings = {"key-file", "passphrase-file", "passphrase-command"};

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

}  // namespace drs
