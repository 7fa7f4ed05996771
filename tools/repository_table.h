// A [repository.NAME] of the configuration as the place that it names, with its own settings.
#pragma once

#include <string_view>
#include <vector>

#include "io/result.h"
#include "tools/config_file.h"
#include "tools/global_options.h"

namespace drs {

// The key of a table that names the place; the others are settings: of keys, stores and caches by the names of their
// options, and what a place alone has ("profile", "credentials-file").
inline constexpr std::string_view kPlaceKey = "place";
// True of what stands in tables alone.
bool is_table_key(std::string_view key);

// `base`: the options that it starts from. Errors: kUsage, with file and line (no place, an unknown key, a setting that
// a place of its kind has not, a wrong type or value, a secret).
Result<NamedRepository> named_repository(const ConfigTable& table, const GlobalOptions& base);

}  // namespace drs
