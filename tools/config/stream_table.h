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

// The first table that is for the stream; nullptr if there is none.
template <typename T>
const T* first_table_of(const std::vector<T>& tables, const std::string& stream) {
  const auto found = std::ranges::find_if(tables, [&](const T& table) {
    return std::ranges::any_of(table.streams, [&](const std::string& text) { return stream_matches(text, stream); });
  });
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace drs
