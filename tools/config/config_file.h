// One configuration file as text: which keys it sets, to which values, and on which line. Their meaning is not known
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/cancel.h"
#include "io/base/result.h"

namespace drs {

struct ConfigEntry {
  enum class Form : std::uint8_t { kText, kInteger, kBoolean, kTexts };
  std::string key;
  Form form = Form::kText;
  std::vector<std::string> values;  // one, but for kTexts; as the option of this name reads them
  std::string origin;               // "/etc/drstream/config.toml:3"
};

// A [repository.NAME], or one of the [[retention]] and [[expect]] tables.
struct ConfigTable {
  std::string name;  // of a repository
  std::string origin;
  std::vector<ConfigEntry> entries;  // by line
};

struct ConfigFile {
  std::vector<ConfigEntry> entries;  // above the first table, by line
  std::vector<ConfigTable> repositories;
  std::vector<ConfigTable> retentions;    // in the order of the file
  std::vector<ConfigTable> expectations;  // likewise
};

// The text of the file; nullopt where there is none. A file can name commands that run with our rights: it must belong
// to the user who runs us or to root, and only the owner may be able to write it. Errors: kUsage, with the path
// (writable by others, of another owner, larger than 1 MiB, a directory; with its errno where it cannot be read),
// kCancelled (a FIFO).
Result<std::optional<std::string>> read_config_file(const std::string& path, CancelToken& cancel);

// Errors: kUsage, with path and line: not valid TOML; a table other than [repository.NAME], [[retention]] and
// [[expect]]; a number with a fraction, a time or a list of something other than text as a value.
Result<ConfigFile> parse_config_file(std::string_view text, const std::string& path);

}  // namespace drs
