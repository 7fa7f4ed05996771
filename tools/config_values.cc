#include "tools/config_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "engine/repository/edit_distance.h"
#include "tools/key_digits.h"

namespace drs {
namespace {

using Form = ConfigEntry::Form;

// What people write for the key itself, or for the credentials of a cloud.
constexpr std::array<std::string_view, 11> kSecretKeys = {
    "key",   "raw-key", "encryption-key", "backup-encryption-key", "passphrase",   "password",
    "token", "secret",  "secret-key",     "secret-access-key",     "session-token"};

// "KEY_FILE" as "key-file".
std::string as_key(std::string text) {
  for (char& c : text) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
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
      return wrong(
          fmt::format("a path that begins with /: '{}' would depend on the folder in which drstream is called", value));
  return {};
}

}  // namespace

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
  std::string nearest;
  std::size_t least = 3;  // two mistakes still mean it
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(as_key(key), name);
    if (distance >= least) continue;
    nearest = name;
    least = distance;
  }
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

}  // namespace drs
