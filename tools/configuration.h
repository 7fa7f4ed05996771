// The configuration: settings and named repositories out of files, below the command line and the environment.
//
//   options > variables > ~/.config/drstream/config.toml > /etc/drstream/config.toml
//
// Keys above the first table are settings (tools/settings.h) by the long name of their option: `memory = "1GiB"`. A
// table [repository.NAME] is a place with settings of its own, for `-r @NAME` and wherever else a place is named: as
// with those behind the '?' of a place, they come before options and variables. Only an option on the command line
// comes before what the table of -r says.
//
// Of three ways to give a key, one source counts: a key in the environment takes the place of one in a file.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/cancel.h"
#include "io/result.h"
#include "tools/global_options.h"

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
  std::vector<File> files;  // that were looked for, the strongest first
  std::vector<Value> settings;
  std::vector<Repository> repositories;
  std::vector<std::string> warnings;
};

struct ConfigPaths {
  std::string user;    // ${XDG_CONFIG_HOME}/drstream/config.toml, or ~/.config/...; empty: there is neither variable
  std::string system;  // /etc/drstream/config.toml
};
ConfigPaths default_config_paths();

// What parsing the command line has made. All are borrowed.
struct ParsedModel {
  CLI::App& root;
  GlobalOptions& options;
  CLI::App& scratch;  // of a second model: every value of a file is tried there, also where another source wins
};

// Reads the files, or that of --config in their place, and sets what neither the command line nor the environment has
// set, in the model's options; and their `repositories`. Errors: kUsage, with file, line and key (unknown key, wrong
// type or value, a key itself as a value; those of tools/config_file.h; no file at --config), kCancelled.
Result<Configuration> configure(const ParsedModel& model, const ConfigPaths& paths, CancelToken& cancel);

}  // namespace drs
