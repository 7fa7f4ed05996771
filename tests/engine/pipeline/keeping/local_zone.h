// Local time in tests: a zone for the duration of a test, and times written as people write them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "engine/format/kinds.h"

namespace drs::test {

// Makes `zone` the zone of local time. One at a time.
class LocalZone {
 public:
  explicit LocalZone(const std::string& zone) {
    if (const char* const before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
  }
  ~LocalZone() {
    before_ ? ::setenv("TZ", before_->c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }
  LocalZone(const LocalZone&) = delete;
  LocalZone& operator=(const LocalZone&) = delete;

 private:
  std::optional<std::string> before_;
};

enum class Summer { kUnknown = -1, kNo = 0, kYes = 1 };  // which of two equal times of day, when summer time ends

// "2024-06-30 23:50:00" of local time.
inline WallNs local_ns(const std::string& text, Summer summer = Summer::kUnknown) {
  std::tm time{};
  const char* const end = ::strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &time);
  EXPECT_TRUE(end != nullptr && *end == '\0') << text;
  time.tm_isdst = static_cast<int>(summer);
  return WallNs{std::mktime(&time)} * 1'000'000'000;
}

inline std::string local_text(WallNs time_ns) {
  const std::time_t seconds = time_ns / 1'000'000'000;
  std::tm time{};
  ::localtime_r(&seconds, &time);
  char text[64];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &time)};
}

}  // namespace drs::test
