#include "tools/config/retention.h"

#include <CLI/CLI.hpp>

#include "tools/cli/option_builder.h"
#include "tools/config/settings.h"
#include "tools/config/stream_table.h"
#include "tools/repository/keep_rules_text.h"

namespace drs {

Result<Retention> read_retention(const ConfigTable& table) {
  Retention out;
  out.origin = table.origin;
  CLI::App app;
  KeepOptions keep;
  for (CLI::Option* const option : add_keep_options(app, keep)) as_setting(option);
  DRS_RETURN_IF_ERROR(read_stream_table(table, app, out.streams, "a retention"));
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
  return first_table_of(retentions, stream);
}

}  // namespace drs
