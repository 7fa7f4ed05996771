#include "tools/output/log.h"

#include <spdlog/sinks/base_sink.h>

#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "tools/output/output.h"
#include "tools/output/printable.h"
#include "tools/output/time_text.h"

namespace drs {
namespace {

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return "trace";
    case spdlog::level::debug: return "debug";
    case spdlog::level::info: return "info";
    case spdlog::level::warn: return "warning";
    default: return "error";
  }
}

class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  ConsoleSink(Console& console, LogFormat format) : console_(console), format_(format) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view text(message.payload.data(), message.payload.size());
    const std::string_view level = level_name(message.level);
    if (format_ == LogFormat::kJson) {
      const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(message.time.time_since_epoch());
      console_.write_lines(json_log_line(time.count(), level, text), Tone::kVerbatim);
      return;
    }
    std::string line = "drstream: ";
    if (message.level != spdlog::level::info) line.append(level).append(": ");
    line += printable_message(text);
    console_.write_lines(line, message.level >= spdlog::level::err    ? Tone::kError
                               : message.level == spdlog::level::warn ? Tone::kWarning
                                                                      : Tone::kPlain);
  }
  void flush_() override {}

  Console& console_;
  const LogFormat format_;
};

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(Console& console, const LogOptions& options) {
  auto logger = std::make_shared<spdlog::logger>("drstream", std::make_shared<ConsoleSink>(console, options.format));
  if (options.verbosity >= 2)
    logger->set_level(spdlog::level::trace);
  else if (options.verbosity == 1)
    logger->set_level(spdlog::level::debug);
  else
    logger->set_level(options.quiet ? spdlog::level::warn : spdlog::level::info);
  return logger;
}

std::string json_log_line(std::int64_t time_ns, std::string_view level, std::string_view message) {
  nlohmann::ordered_json line;
  line["time"] = format_time_utc(time_ns);
  line["level"] = level;
  line["message"] = message;
  return dump_json(line, JsonLayout::kOneLine);
}

}  // namespace drs
