// A table of a configuration file that is for some streams: [[retention]], [[expect]]. Its keys are `streams` and the
// long names of options.
#pragma once

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/result.h"
#include "tools/config/config_file.h"
#include "tools/repository/selector_text.h"

namespace drs {

// Gives the values of the table to the options of `app`, and `streams`. `what`: of the table, for messages: "a
// retention". Errors: kUsage, with file and line (no streams, an unknown key, a wrong type or value, a secret).
Result<void> read_stream_table(const ConfigTable& table, CLI::App& app, std::vector<std::string>& streams,
                               std::string_view what);

// The first table that is for the stream, or for a pattern that is given in its place; nullptr if there is none.
template <typename Tables>
auto first_table_of(const Tables& tables, const std::string& stream) -> decltype(&*tables.begin()) {
  const auto is_for = [&](const std::string& text) { return text == stream || stream_matches(text, stream); };
  const auto found =
      std::ranges::find_if(tables, [&](const auto& table) { return std::ranges::any_of(table.streams, is_for); });
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace drs
