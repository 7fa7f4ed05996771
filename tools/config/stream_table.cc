#include "tools/config/stream_table.h"

#include <fmt/format.h>

#include "tools/cli/option_builder.h"
#include "tools/config/settings.h"

namespace drs {

Result<void> read_stream_table(const ConfigTable& table, CLI::App& app, std::vector<std::string>& streams,
                               std::string_view what) {
  as_setting(add_texts(app, "--streams", streams, "PATTERN", ""));
  const std::vector<Setting> settings = settings_of(app);
  for (const ConfigEntry& entry : table.entries) {
    DRS_RETURN_IF_ERROR(refuse_secret(entry));
    const Setting* const setting = find_setting(settings, entry.key);
    if (setting == nullptr) {
      std::vector<std::string> known;
      for (const Setting& one : settings) known.push_back(one.key);
      return config_error(entry.origin,
                          fmt::format("{} has no key '{}'{}", what, entry.key, did_you_mean(entry.key, known)));
    }
    DRS_RETURN_IF_ERROR(give_value(*setting, entry));
  }
  for (const std::string& text : streams)
    if (!is_stream_pattern(text))
      if (const auto name = check_stream_name(text); !name.ok())
        return config_error(table.origin, name.error().message);
  if (streams.empty())
    return config_error(
        table.origin, fmt::format("{} is for no stream: give streams = \"pg/\", a name, a pattern, or a list of them; "
                                  "\"*\" is every stream",
                                  what));
  return {};
}

}  // namespace drs
