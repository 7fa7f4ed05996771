// Values of a configuration file, as the options of their names read them.
#pragma once

#include <string>
#include <vector>

#include "io/result.h"
#include "tools/config_file.h"
#include "tools/settings.h"

namespace drs {

// kUsage, with the place in the file in front.
Error config_error(const std::string& origin, const std::string& text);

// Sets the options of `setting` as if they had been given. Errors: kUsage (a wrong type; a relative path, which would
// mean another file in each folder; what the option's parser says).
Result<void> give_value(const Setting& setting, const ConfigEntry& entry);

// Refuses a key or passphrase itself, under whatever name, without showing it. Errors: kUsage.
Result<void> refuse_secret(const ConfigEntry& entry);

// Refuses two ways to give one key. Errors: kUsage.
Result<void> refuse_two_keys(const std::vector<ConfigEntry>& entries);

// "; did you mean 'key-file'?"; empty where none of `known` is near.
std::string did_you_mean(const std::string& key, const std::vector<std::string>& known);

}  // namespace drs
