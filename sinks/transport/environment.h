// Environment: everything that the search for credentials and settings reads from outside, passed in so that tests need
// no environment, files, children or network.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/bytes.h"
#include "io/base/clock.h"
#include "io/base/error_class.h"
#include "io/base/result.h"
#include "sinks/transport/http_message.h"

namespace drs {

struct Environment {
  // The value of an environment variable, as a view into the environment itself; none if it is not set.
  std::function<std::optional<std::string_view>(const char* name)> environment;
  // Reads a small file whole. Errors: kNotFound; kCancelled; any other for a file that exists and cannot be read.
  std::function<Result<SecretBytes>(const std::string& path)> read_file;
  HttpFetch fetch;
  // The output of a command, run without a shell; for `credential_process`. May be empty: the setting is refused then.
  // Errors: kUsage for a command that cannot be run; kCancelled; any other for a command that failed or took too long.
  std::function<Result<SecretBytes>(const std::string& command)> run_command;
  const Clock& clock;

  // As `environment`, but what is empty counts as not set.
  [[nodiscard]] std::optional<std::string_view> variable(const char* name) const {
    const std::optional<std::string_view> value = environment(name);
    return value && !value->empty() ? value : std::nullopt;
  }
};

// The error for a setting that names a file which read_file refused.
inline Error unreadable_file(const std::string& what, const Error& why) {
  const Error error = why.with_context(what + " cannot be read");
  return error.code == ErrorCode::kCancelled ? error : as_code_unless_shortage(ErrorCode::kUsage, error);
}

}  // namespace drs
