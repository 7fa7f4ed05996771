// An [[expect]] table of a configuration file: which streams there should be, and how old their newest snapshot and
// its proof may get.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "io/base/result.h"
#include "tools/config/config_file.h"

namespace drs {

struct Expectation {
  std::vector<std::string> streams;  // names and patterns, as `drstream list` takes them; each has a snapshot at least
  std::optional<std::chrono::milliseconds> newest_within;
  std::optional<std::chrono::milliseconds> verified_within;  // the age of the proof that it can be restored
  bool ignored = false;                                      // `drstream status` does not judge them
  std::string origin;                                        // "/etc/drstream/config.toml:12"
};

// Its keys are `streams`, `newest-within`, `verified-within` and `ignore`. Errors: kUsage, with file and line (those of
// read_stream_table; an age for streams that are ignored).
Result<Expectation> read_expectation(const ConfigTable& table);

}  // namespace drs
