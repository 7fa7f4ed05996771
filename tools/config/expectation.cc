#include "tools/config/expectation.h"

#include <CLI/CLI.hpp>

#include "tools/cli/option_builder.h"
#include "tools/config/settings.h"
#include "tools/config/stream_table.h"
#include "tools/output/quantity_text.h"

namespace drs {

Result<Expectation> read_expectation(const ConfigTable& table) {
  Expectation out;
  out.origin = table.origin;
  CLI::App app;
  as_setting(add_parsed(app, "--newest-within", out.newest_within, parse_duration, "DURATION", ""));
  as_setting(add_parsed(app, "--verified-within", out.verified_within, parse_duration, "DURATION", ""));
  as_setting(add_flag(app, "--ignore", out.ignored, ""));
  DRS_RETURN_IF_ERROR(read_stream_table(table, app, out.streams, "an expectation"));
  if (out.ignored && (out.newest_within || out.verified_within))
    return config_error(table.origin, "streams that are ignored have no newest-within and no verified-within");
  return out;
}

}  // namespace drs
