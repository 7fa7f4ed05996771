#include "tools/config/retention.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "tools/cli/option_builder.h"
#include "tools/config/settings.h"
#include "tools/repository/keep_rules_text.h"
#include "tools/repository/selector_text.h"

namespace drs {

Result<Retention> read_retention(const ConfigTable& table) {
  Retention out;
  out.origin = table.origin;
  CLI::App app;
  KeepOptions keep;
  for (CLI::Option* const option : add_keep_options(app, keep)) as_setting(option);
  as_setting(add_texts(app, "--streams", out.streams, "PATTERN", ""));
  const std::vector<Setting> settings = settings_of(app);
  for (const ConfigEntry& entry : table.entries) {
    DRS_RETURN_IF_ERROR(refuse_secret(entry));
    const Setting* const setting = find_setting(settings, entry.key);
    if (setting == nullptr) {
      std::vector<std::string> known;
      for (const Setting& one : settings) known.push_back(one.key);
      return config_error(entry.origin,
                          fmt::format("a retention has no key '{}'{}", entry.key, did_you_mean(entry.key, known)));
    }
    DRS_RETURN_IF_ERROR(give_value(*setting, entry));
  }
  for (const std::string& text : out.streams)
    if (!is_stream_pattern(text))
      if (const auto name = check_stream_name(text); !name.ok())
        return config_error(table.origin, name.error().message);
  if (out.streams.empty())
    return config_error(table.origin,
                        "the retention is for no stream: give streams = \"pg/\", a name, a pattern, or a list of them; "
                        "\"*\" is every stream");
  const auto rules = keep.all();
  if (!rules.ok()) return config_error(table.origin, rules.error().message);
  out.rules = *rules;
  if (out.rules.empty())
    return config_error(table.origin,
                        "the retention has no rule: give one, such as keep-daily = 7, or keep-last = \"unlimited\" to "
                        "keep everything");
  return out;
}

const Retention* retention_of(const std::vector<Retention>& retentions, const std::string& stream) {
  const auto found = std::ranges::find_if(retentions, [&](const Retention& retention) {
    return std::ranges::any_of(retention.streams,
                               [&](const std::string& text) { return stream_matches(text, stream); });
  });
  return found == retentions.end() ? nullptr : &*found;
}

}  // namespace drs
