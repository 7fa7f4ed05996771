#include "tools/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/helper_thread.h"
#include "tools/duration_text.h"
#include "tools/output.h"
#include "tools/percent_text.h"
#include "tools/size_text.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kInterval{250};
// Where each status is a line of its own, in a log.
constexpr std::chrono::seconds kLogInterval{5};
// A reader that is merely busy shall get the last line, too.
constexpr std::chrono::milliseconds kLastLinePatience{500};
constexpr double kRateWindowSeconds = 2;

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::optional<double> seconds_left(const ProgressSnapshot& now) {
  if (now.total_bytes <= now.bytes || now.bytes_per_second <= 0) return {};
  return static_cast<double>(now.total_bytes - now.bytes) / now.bytes_per_second;
}

}  // namespace

bool shows_progress(ProgressMode mode, const Console& console, bool quiet) {
  if (mode == ProgressMode::kAuto) return console.is_terminal() && !quiet;
  return mode == ProgressMode::kAlways;
}

std::string progress_text(std::string_view verb, const ProgressSnapshot& now) {
  const std::string uploads = fmt::format("{} of {}", now.uploaded_objects, now.spooled_objects);
  if (verb == "resume") return fmt::format("resume  uploading {}", uploads);
  if (now.spool_is_complete) return fmt::format("{} {}  spooled, uploading {}", verb, format_size(now.bytes), uploads);
  std::string text = fmt::format("{} {}", verb, format_size(now.bytes));
  if (now.total_bytes > 0)
    text += fmt::format(" of {}  {}", format_size(now.total_bytes),
                        format_percent(std::min(now.bytes, now.total_bytes), now.total_bytes));
  text += fmt::format("  {}/s", format_size(static_cast<std::uint64_t>(now.bytes_per_second)));
  if (verb == "push" && now.bytes > 0) {
    text += fmt::format("  new {}", format_percent(std::min(now.new_bytes, now.bytes), now.bytes));
    if (now.stored_bytes > 0)
      text += fmt::format("  ratio {:.1f}", static_cast<double>(now.bytes) / static_cast<double>(now.stored_bytes));
  }
  if (now.spooled_objects > 0) text += fmt::format("  uploaded {}", uploads);
  if (now.problems > 0) text += fmt::format("  {} problems", now.problems);
  if (const auto left = seconds_left(now))
    text += fmt::format("  {} left", format_duration(std::chrono::duration<double>(*left)));
  return text;
}

std::string progress_json(std::string_view verb, const ProgressSnapshot& now) {
  nlohmann::ordered_json line;
  line["schema"] = "drstream.progress/1";
  line["verb"] = verb;
  line["seconds"] = now.seconds;
  line["bytes"] = now.bytes;
  if (now.total_bytes > 0) line["total_bytes"] = now.total_bytes;
  line["new_bytes"] = now.new_bytes;
  line["stored_bytes"] = now.stored_bytes;
  line["bytes_per_second"] = now.bytes_per_second;
  line["problems"] = now.problems;
  if (now.spooled_objects > 0) {
    line["spooled_objects"] = now.spooled_objects;
    line["uploaded_objects"] = now.uploaded_objects;
    line["spool_is_complete"] = now.spool_is_complete;
  }
  if (const auto left = seconds_left(now)) line["seconds_left"] = *left;
  return json_text(line, -1) + "\n";
}

ProgressReporter::ProgressReporter(const ProgressOptions& options, std::span<const ProgressCounters> counters,
                                   Console& console, const Clock& clock)
    : options_(options),
      counters_(counters),
      console_(console),
      clock_(clock),
      started_(clock.steady()),
      rate_since_(started_) {
  if (!options_.on_console && !options_.fd) return;
  if (options_.fd) sender_.emplace(*options_.fd);
  // Without a thread the work goes on unseen.
  auto thread = start_helper_thread([this] { run(); }, [](const Error&) {});
  if (thread.ok()) thread_ = *std::move(thread);
}

ProgressReporter::~ProgressReporter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
  console_.end_status();
}

void ProgressReporter::run() {
  std::unique_lock lock(mutex_);
  while (!stop_changed_.wait_for(lock, kInterval, [this] { return stop_; })) report(false);
  report(true);
}

void ProgressReporter::report(bool last) {
  ProgressSnapshot now;
  for (const ProgressCounters& counters : counters_) {
    now.bytes = std::max(now.bytes, counters.bytes.load());
    now.total_bytes = std::max(now.total_bytes, counters.total_bytes.load());
    now.new_bytes = std::max(now.new_bytes, counters.new_bytes.load());
    now.stored_bytes = std::max(now.stored_bytes, counters.stored_bytes.load());
    now.problems = std::max(now.problems, counters.problems.load());
    now.spooled_objects += counters.spooled_objects.load();
    now.uploaded_objects += counters.uploaded_objects.load();
    now.spool_is_complete = now.spool_is_complete || counters.spool_is_complete.load();
  }
  if (now.total_bytes == 0) now.total_bytes = options_.size_hint.value_or(0);
  const auto time = clock_.steady();
  now.seconds = seconds_between(started_, time);
  const double window = seconds_between(rate_since_, time);
  if (rate_ <= 0 || window >= kRateWindowSeconds) {
    if (window > 0) rate_ = static_cast<double>(now.bytes - rate_bytes_) / window;
    if (window >= kRateWindowSeconds) {
      rate_since_ = time;
      rate_bytes_ = now.bytes;
    }
  }
  now.bytes_per_second = rate_;
  const auto patience = last ? kLastLinePatience : std::chrono::milliseconds(0);
  if (sender_ && !sender_->send(progress_json(options_.verb, now), patience)) sender_.reset();
  if (!options_.on_console || last) return;
  if (!console_.is_terminal()) {
    if (time < next_log_) return;
    next_log_ = time + kLogInterval;
  }
  console_.status(progress_text(options_.verb, now));
}

}  // namespace drs
