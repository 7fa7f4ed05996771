#include "io/failpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "io/fd.h"

namespace drs {
namespace {

enum class Action : std::uint8_t { kAbort, kHang, kEio, kEnospc };

struct Specification {
  std::string name;
  std::uint64_t nth = 1;
  Action action = Action::kAbort;
};

std::optional<Action> parse_action(std::string_view text) {
  if (text == "abort") return Action::kAbort;
  if (text == "hang") return Action::kHang;
  if (text == "eio") return Action::kEio;
  if (text == "enospc") return Action::kEnospc;
  return std::nullopt;
}

std::optional<Specification> parse(std::string_view text) {
  Specification specification;
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos) return std::nullopt;
  const auto action = parse_action(text.substr(last + 1));
  if (!action) return std::nullopt;
  specification.action = *action;
  std::string_view name = text.substr(0, last);
  if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    const std::string_view count = name.substr(colon + 1);
    const auto [end, problem] = std::from_chars(count.data(), count.data() + count.size(), specification.nth);
    if (problem != std::errc{} || end != count.data() + count.size() || specification.nth == 0) return std::nullopt;
    name = name.substr(0, colon);
  }
  if (name.empty()) return std::nullopt;
  specification.name = name;
  return specification;
}

struct State {
  std::mutex mutex;
  std::string text;  // the specification as given, for the message
  std::optional<Specification> specification;
  std::uint64_t hits = 0;
  std::string log_path;  // empty: none
  Fd log;
};

State& state() {
  static State instance;
  return instance;
}

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

// Reads the variables once, before main: they come from the test that started the process.
[[maybe_unused]] const bool environment_read = [] {
  set_failpoints(environment("DRSTREAM_FAILPOINT"), std::string(environment("DRSTREAM_FAILPOINT_LOG")));
  return true;
}();

Result<void> perform(Action action, std::string_view name) {
  switch (action) {
    case Action::kAbort: ::raise(SIGKILL); break;
    case Action::kHang:
      while (true) ::pause();
    case Action::kEio: return error_from_errno(EIO, "failpoint " + std::string(name));
    case Action::kEnospc: return error_from_errno(ENOSPC, "failpoint " + std::string(name));
  }
  return {};
}

}  // namespace

namespace failpoint_detail {

constinit std::atomic<bool> armed = false;

Result<void> hit(std::string_view name) {
  State& points = state();
  std::optional<Action> action;
  {
    const std::scoped_lock lock(points.mutex);
    if (!points.log_path.empty() && !points.log)
      return Error(ErrorCode::kUsage, "DRSTREAM_FAILPOINT_LOG=" + points.log_path + " cannot be opened");
    if (points.log) {
      const std::string line = std::string(name) + '\n';
      // One write per line: with O_APPEND, lines of several processes do not interleave.
      if (::write(points.log.get(), line.data(), line.size()) < 0) return error_from_errno(errno, "failpoint log");
    }
    if (points.text.empty()) return {};
    if (!points.specification) {
      return Error(ErrorCode::kUsage,
                   "DRSTREAM_FAILPOINT=" + points.text + " is not name[:n]:abort|hang|eio|enospc with n from 1");
    }
    if (points.specification->name != name || ++points.hits != points.specification->nth) return {};
    action = points.specification->action;
  }
  return perform(*action, name);
}

}  // namespace failpoint_detail

void set_failpoints(std::string_view specification, const std::string& log_path) {
  State& points = state();
  const std::scoped_lock lock(points.mutex);
  points.text = specification;
  points.specification = parse(specification);
  points.hits = 0;
  points.log_path = log_path;
  points.log = Fd(-1);
  if (!log_path.empty()) points.log = Fd(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  failpoint_detail::armed = !points.text.empty() || !log_path.empty();
}

}  // namespace drs
