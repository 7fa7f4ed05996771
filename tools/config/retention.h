// A [[retention]] table of a configuration file: which streams it is for, and the rules that `drstream forget` applies
// to them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/pipeline/keeping/keep_rules.h"
#include "io/base/result.h"
#include "tools/config/config_file.h"

namespace drs {

struct Retention {
  std::vector<std::string> streams;  // names and patterns, as `drstream list` takes them
  KeepRules rules;
  std::string origin;  // "/etc/drstream/config.toml:12"
};

// Its keys are `streams` and the long names of the options of `drstream forget`: keep-daily = 7. Errors: kUsage, with
// file and line (no streams, no rule, an unknown key, a wrong type or value, a secret).
Result<Retention> read_retention(const ConfigTable& table);

// The first that is for the stream; nullptr if there is none.
const Retention* retention_of(const std::vector<Retention>& retentions, const std::string& stream);

}  // namespace drs
