// The configuration: settings and named repositories out of files, below the command line and the environment.
//
//   options > variables > ~/.config/drstream/config.toml > /etc/drstream/config.toml
//
// Keys above the first table are settings (tools/config/settings.h) by the long name of their option: `memory =
// "1GiB"`. A table [repository.NAME] is a place with settings of its own, for `-r @NAME` and wherever else a place is
// named: like those behind the '?' of a place, they take precedence over options and variables. Only an option on the
// command line takes precedence over the table of -r.
//
// [[retention]] tables have the rules of `drstream forget` (tools/config/retention.h): of those of all files, in order
// of precedence, the first that matches a stream counts. [[expect]] tables say what `drstream status` expects,
// likewise.
//
// The ways to give one key exclude each other, and the strongest source counts: a key given by an option replaces one
// in the environment, and that one in a file.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/base/cancel.h"
#include "io/base/result.h"
#include "tools/config/expectation.h"
#include "tools/config/retention.h"
#include "tools/repository/global_options.h"

namespace drs {

// What was set, for `drstream config check`.
struct Configuration {
  struct File {
    std::string path;
    bool found = false;
  };
  struct Value {
    std::string key;
    std::vector<std::string> values;
    std::string origin;  // "--memory", "DRSTREAM_MEMORY", "/etc/drstream/config.toml:3"
  };
  struct Repository {
    std::string name;
    std::string origin;
    std::vector<Value> values;  // its own, without the place
  };
  std::vector<File> files;  // that were looked for, in order of precedence
  std::vector<Value> settings;
  std::vector<Repository> repositories;
  std::vector<Retention> retentions;      // in order of precedence
  std::vector<Expectation> expectations;  // likewise
  std::vector<std::string> warnings;
};

struct ConfigPaths {
  std::string user;    // ${XDG_CONFIG_HOME}/drstream/config.toml, or ~/.config/...; empty: there is neither variable
  std::string system;  // /etc/drstream/config.toml
};
ConfigPaths default_config_paths();

// The parsed command line. All are borrowed.
struct ParsedModel {
  CLI::App& root;
  GlobalOptions& options;
  CLI::App& scratch;  // of a second model, in which every value of a file is checked, even if another source wins
};

// Reads the files, or only that of --config. Sets the model's options that neither the command line nor the environment
// has set, and their `repositories` and `typed`. Errors: kUsage, with file, line and key (unknown key, wrong type or
// value, a key itself as a value, an @NAME that no file has, those of read_retention; those of
// tools/config/config_file.h; no file at --config; a relative DRSTREAM_STATE_DIR), kCancelled.
Result<Configuration> configure(const ParsedModel& model, const ConfigPaths& paths, CancelToken& cancel);

}  // namespace drs
