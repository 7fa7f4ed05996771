// The files that a command line, the environment and a configuration name. A report or a metrics file replaces what has
// its name: it must not be the restored data, the source or the key.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "io/base/result.h"

namespace drs {

// Whether two paths lead to one file. Where not both exist, the paths decide, without symbolic links and "..".
bool are_one_file(const std::string& a, const std::string& b);

struct NamedFile {
  std::string name;  // what names it: "--output"
  std::string path;
};

// Every value of the options of `command` and of the commands above it that take a FILE. Requires that it was parsed.
std::vector<NamedFile> named_files(const CLI::App& command);

// Compares each file of --report and --metrics with every other of `files`. Errors: kUsage (two are one file).
Result<void> check_written_apart(const std::vector<NamedFile>& files);

}  // namespace drs
