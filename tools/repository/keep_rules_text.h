// The rules of a retention as people write them, as options and in configuration files, and the reasons that they give.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/pipeline/keeping/keep_rules.h"
#include "io/base/result.h"

namespace drs {

// A count: a whole number (0: no such rule), or "unlimited" (also -1). Errors: kUsage, saying what is accepted.
Result<std::uint64_t> parse_keep_count(std::string_view text);

struct KeepOptions {
  KeepRules rules;                // without the tags
  std::vector<std::string> tags;  // "env=production", "env"
  // Errors: kUsage (a tag that cannot be read).
  [[nodiscard]] Result<KeepRules> all() const;
};
// Declares --keep-last, --keep-hourly and so on, and returns them. `options` must outlive the parsing.
std::vector<CLI::Option*> add_keep_options(CLI::App& app, KeepOptions& options);

std::string format_keep_rules(const KeepRules& rules);               // "--keep-daily 7 --keep-tag env=production"
std::string format_reasons(const std::vector<KeepReason>& reasons);  // "daily, weekly (oldest)"

}  // namespace drs
