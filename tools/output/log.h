// The log: lines on stderr, as text ("drstream: warning: ...") or as one JSON object each (--log-format json).
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string_view>

#include "tools/output/console.h"

namespace drs {

enum class LogFormat { kText, kJson };

struct LogOptions {
  LogFormat format = LogFormat::kText;
  bool quiet = false;  // warnings and errors only
  int verbosity = 0;   // 1: debug, 2: trace
};

// `console` must outlive the logger. The logger may be used from any thread.
std::shared_ptr<spdlog::logger> make_logger(Console& console, const LogOptions& options);

// One line of the JSON log: {"time": ..., "level": ..., "message": ...}.
std::string json_log_line(std::int64_t time_ns, std::string_view level, std::string_view message);

}  // namespace drs
