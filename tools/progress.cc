#include "tools/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

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
constexpr double kIdleToldSeconds = 3;

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

std::string progress_text(std::string_view verb, const ProgressSnapshot& now, std::size_t columns) {
  const std::string uploads = fmt::format("{} of {}", now.uploaded_objects, now.spooled_objects);
  const std::string elapsed = fmt::format("elapsed {}", format_duration(std::chrono::duration<double>(now.seconds)));
  const std::string_view about = now.total_is_guess ? "about " : "";
  // A guess that was wrong says nothing any more.
  const bool total_is_known = now.total_bytes > 0 && !(now.total_is_guess && now.bytes > now.total_bytes);
  std::vector<std::string> parts;
  if (verb == "resume") {
    parts = {fmt::format("resume  uploading {}", uploads), elapsed};
  } else if (now.spool_is_complete) {
    parts = {fmt::format("{} {}  spooled, uploading {}", verb, format_size(now.bytes), uploads), elapsed};
  } else {
    std::string done = fmt::format("{} {}", verb, format_size(now.bytes));
    if (total_is_known) {
      parts.push_back(done + fmt::format(" of {}{}", about, format_size(now.total_bytes)));
      parts.push_back(format_percent(std::min(now.bytes, now.total_bytes), now.total_bytes));
    } else {
      parts.push_back(std::move(done));
    }
    parts.push_back(now.idle_seconds >= kIdleToldSeconds
                        ? (total_is_known && !now.total_is_guess ? "waiting for the file" : "waiting for the producer")
                        : format_size(static_cast<std::uint64_t>(now.bytes_per_second)) + "/s");
    if (now.problems > 0) parts.push_back(fmt::format("{} problems", now.problems));
    if (const auto left = seconds_left(now); left && now.idle_seconds < kIdleToldSeconds)
      parts.push_back(fmt::format("{}{} left", about, format_duration(std::chrono::duration<double>(*left))));
    parts.push_back(elapsed);
    if (now.spooled_objects > 0) parts.push_back(fmt::format("uploaded {}", uploads));
    if (verb == "push" && now.bytes > 0) {
      parts.push_back(fmt::format("stored {}", format_size(now.stored_bytes)));
      parts.push_back(fmt::format("new {}", format_percent(std::min(now.new_bytes, now.bytes), now.bytes)));
    }
  }
  std::string text = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (text.size() + 2 + parts[i].size() <= columns) text += "  " + parts[i];
  return text;
}

std::string progress_json(std::string_view verb, const ProgressSnapshot& now) {
  nlohmann::ordered_json line;
  line["schema"] = "drstream.progress/1";
  line["verb"] = verb;
  line["seconds"] = now.seconds;
  line["bytes"] = now.bytes;
  if (now.total_bytes > 0) {
    line["total_bytes"] = now.total_bytes;
    line["total_is_guess"] = now.total_is_guess;
  }
  line["new_bytes"] = now.new_bytes;
  line["stored_bytes"] = now.stored_bytes;
  line["bytes_per_second"] = now.bytes_per_second;
  line["problems"] = now.problems;
  line["idle_seconds"] = now.idle_seconds;
  if (now.spooled_objects > 0) {
    line["spooled_objects"] = now.spooled_objects;
    line["uploaded_objects"] = now.uploaded_objects;
    line["spool_is_complete"] = now.spool_is_complete;
  }
  if (const auto left = seconds_left(now)) line["seconds_left"] = *left;
  return json_text(line, -1) + "\n";
}

void RecentRate::add(Time time, std::uint64_t bytes) {
  samples_.push_back({time, bytes});
  while (samples_.size() > 2 && samples_[1].time <= time - kWindow) samples_.pop_front();
}

double RecentRate::bytes_per_second() const {
  const double seconds = seconds_between(samples_.front().time, samples_.back().time);
  if (seconds <= 0) return 0;
  return static_cast<double>(samples_.back().bytes - samples_.front().bytes) / seconds;
}

ProgressReporter::ProgressReporter(const ProgressOptions& options, std::span<const ProgressCounters> counters,
                                   Console& console, const Clock& clock)
    : options_(options),
      counters_(counters),
      console_(console),
      clock_(clock),
      started_(clock.steady()),
      rate_(started_),
      moved_(started_) {
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

ProgressSnapshot ProgressReporter::count() {
  ProgressSnapshot now;
  std::uint64_t guessed_bytes = 0;
  bool waits_for_producer = false;
  for (const ProgressCounters& counters : counters_) {
    now.bytes = std::max(now.bytes, counters.bytes.load());
    now.total_bytes = std::max(now.total_bytes, counters.total_bytes.load());
    guessed_bytes = std::max(guessed_bytes, counters.guessed_bytes.load());
    waits_for_producer = waits_for_producer || counters.waits_for_producer.load();
    now.new_bytes = std::max(now.new_bytes, counters.new_bytes.load());
    now.stored_bytes = std::max(now.stored_bytes, counters.stored_bytes.load());
    now.problems = std::max(now.problems, counters.problems.load());
    now.spooled_objects += counters.spooled_objects.load();
    now.uploaded_objects += counters.uploaded_objects.load();
    now.spool_is_complete = now.spool_is_complete || counters.spool_is_complete.load();
  }
  if (now.total_bytes == 0) now.total_bytes = options_.size_bytes.value_or(0);
  if (now.total_bytes == 0) {
    now.total_bytes = options_.size_hint.value_or(guessed_bytes);
    now.total_is_guess = now.total_bytes > 0;
  }
  const auto time = clock_.steady();
  now.seconds = seconds_between(started_, time);
  rate_.add(time, now.bytes);
  now.bytes_per_second = rate_.bytes_per_second();
  if (now.bytes != moved_bytes_ || !waits_for_producer) moved_ = time;
  moved_bytes_ = now.bytes;
  now.idle_seconds = seconds_between(moved_, time);
  return now;
}

void ProgressReporter::report(bool last) {
  const ProgressSnapshot now = count();
  const auto patience = last ? kLastLinePatience : std::chrono::milliseconds(0);
  if (sender_ && !sender_->send(progress_json(options_.verb, now), patience)) sender_.reset();
  if (!options_.on_console || last) return;
  if (!console_.is_terminal()) {
    if (clock_.steady() < next_log_) return;
    next_log_ = clock_.steady() + kLogInterval;
  }
  console_.status(progress_text(options_.verb, now, console_.status_columns()));
}

}  // namespace drs
