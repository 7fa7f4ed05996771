// Surroundings: all that the search for credentials and settings takes from outside, passed in so that it is tested
// without an environment, files, children or a network.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "io/bytes.h"
#include "io/clock.h"
#include "io/error_class.h"
#include "io/result.h"
#include "sinks/http_message.h"

namespace drs {

struct Surroundings {
  // The value of an environment variable, as a view of the environment itself; none where it is not set.
  std::function<std::optional<std::string_view>(const char* name)> environment;
  // A whole small file. Errors: kNotFound; kCancelled; any other for a file that is there and cannot be read.
  std::function<Result<SecretBytes>(const std::string& path)> read_file;
  HttpFetch fetch;
  // What a command prints, run without a shell; for `credential_process`. Errors: kUsage for what cannot be run;
  // kCancelled; any other for a command that failed or took too long. May be empty: the setting is refused then.
  std::function<Result<SecretBytes>(const std::string& command)> run_command;
  const Clock& clock;

  // As `environment`, but what is empty counts as not set.
  [[nodiscard]] std::optional<std::string_view> variable(const char* name) const {
    const std::optional<std::string_view> value = environment(name);
    return value && !value->empty() ? value : std::nullopt;
  }
};

// The error of a setting that names a file which read_file refused.
inline Error unreadable_file(const std::string& what, const Error& why) {
  const Error error = why.with_context(what + " cannot be read");
  return error.code == ErrorCode::kCancelled ? error : as_code_unless_shortage(ErrorCode::kUsage, error);
}

}  // namespace drs
