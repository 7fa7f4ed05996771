#include "tools/output/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "io/helper_thread.h"
#include "tools/output/output.h"
#include "tools/output/quantity_text.h"

namespace drs {
namespace {

constexpr std::chrono::milliseconds kInterval{250};
// Where each status is a line of its own, in a log.
constexpr std::chrono::seconds kLogInterval{5};
// So that a reader that is briefly busy gets the last line, too.
constexpr std::chrono::milliseconds kLastLinePatience{500};
constexpr std::chrono::seconds kIdleTold{3};

// Of an operation or a part of it.
std::optional<std::chrono::duration<double>> time_left(const auto& now) {
  if (now.total_bytes <= now.bytes || now.bytes_per_second <= 0) return {};
  return std::chrono::duration<double>(static_cast<double>(now.total_bytes - now.bytes) / now.bytes_per_second);
}

bool is_done(const PartSnapshot& part) {
  return part.bytes >= part.total_bytes;
}

// Those that are begun and not done.
nlohmann::ordered_json topics_json(const std::vector<PartSnapshot>& parts) {
  nlohmann::ordered_json topics = nlohmann::ordered_json::array();
  for (const PartSnapshot& part : parts) {
    if (part.bytes == 0 || is_done(part)) continue;
    nlohmann::ordered_json& topic = topics.emplace_back();
    topic["topic"] = part.name;
    topic["bytes"] = part.bytes;
    topic["total_bytes"] = part.total_bytes;
    if (const auto left = time_left(part)) topic["remaining_seconds"] = left->count();
  }
  return topics;
}

}  // namespace

bool shows_progress(ProgressMode mode, const Console& console, bool quiet) {
  if (mode == ProgressMode::kAuto) return console.is_terminal() && !quiet;
  return mode == ProgressMode::kAlways;
}

std::string progress_text(std::string_view command, const ProgressSnapshot& now, std::size_t columns) {
  const std::string uploads = fmt::format("{} of {}", now.uploaded_objects, now.spooled_objects);
  const std::string elapsed = fmt::format("elapsed {}", format_duration(now.elapsed));
  const std::string_view about = now.total_is_guess ? "about " : "";
  // A guess that has been exceeded is no longer useful.
  const bool total_is_known = now.total_bytes > 0 && !(now.total_is_guess && now.bytes > now.total_bytes);
  std::vector<std::string> parts;
  if (command == "resume") {
    parts = {fmt::format("resume  uploading {}", uploads), elapsed};
  } else if (now.spool_is_complete) {
    parts = {fmt::format("{} {}  spooled, uploading {}", command, format_size(now.bytes), uploads), elapsed};
  } else {
    std::string done = fmt::format("{} {}", command, format_size(now.bytes));
    if (total_is_known) {
      parts.push_back(done + fmt::format(" of {}{}", about, format_size(now.total_bytes)));
      parts.push_back(format_percent(std::min(now.bytes, now.total_bytes), now.total_bytes));
    } else {
      parts.push_back(std::move(done));
    }
    parts.push_back(now.idle >= kIdleTold
                        ? (total_is_known && !now.total_is_guess ? "waiting for the file" : "waiting for the producer")
                        : format_size(static_cast<std::uint64_t>(now.bytes_per_second)) + "/s");
    if (now.parts.size() > 1)
      parts.push_back(fmt::format("{} of {} topics", std::ranges::count_if(now.parts, is_done), now.parts.size()));
    if (now.problems > 0) parts.push_back(fmt::format("{} problems", now.problems));
    if (const auto left = time_left(now); left && now.idle < kIdleTold)
      parts.push_back(fmt::format("{}{} left", about, format_duration(*left)));
    parts.push_back(elapsed);
    if (now.spooled_objects > 0) parts.push_back(fmt::format("uploaded {}", uploads));
    if (command == "push" && now.bytes > 0) {
      parts.push_back(fmt::format("stored {}", format_size(now.stored_bytes)));
      parts.push_back(fmt::format("new {}", format_percent(std::min(now.new_bytes, now.bytes), now.bytes)));
    }
  }
  std::string text = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i)
    if (text.size() + 2 + parts[i].size() <= columns) text += "  " + parts[i];
  return text;
}

std::string progress_json(std::string_view command, const ProgressSnapshot& now) {
  nlohmann::ordered_json line;
  line["schema"] = "drstream.progress/1";
  line["command"] = command;
  line["seconds"] = now.elapsed.count();
  line["bytes"] = now.bytes;
  if (now.total_bytes > 0) {
    line["total_bytes"] = now.total_bytes;
    line["total_is_guess"] = now.total_is_guess;
  }
  line["new_bytes"] = now.new_bytes;
  line["stored_bytes"] = now.stored_bytes;
  line["bytes_per_second"] = now.bytes_per_second;
  line["problems_found"] = now.problems;
  line["idle_seconds"] = now.idle.count();
  if (now.spooled_objects > 0) {
    line["objects_spooled"] = now.spooled_objects;
    line["objects_uploaded"] = now.uploaded_objects;
    line["spool_is_complete"] = now.spool_is_complete;
  }
  if (const auto left = time_left(now)) line["remaining_seconds"] = left->count();
  if (!now.parts.empty()) {
    line["topics_total"] = now.parts.size();
    line["topics_done"] = std::ranges::count_if(now.parts, is_done);
    line["topics"] = topics_json(now.parts);
  }
  return dump_json(line, JsonLayout::kOneLine) + "\n";
}

void RecentRate::add(Time time, std::uint64_t bytes) {
  samples_.push_back({time, bytes});
  while (samples_.size() > 2 && samples_[1].time <= time - kWindow) samples_.pop_front();
}

double RecentRate::bytes_per_second() const {
  const std::chrono::duration<double> window = samples_.back().time - samples_.front().time;
  if (window.count() <= 0) return 0;
  return static_cast<double>(samples_.back().bytes - samples_.front().bytes) / window.count();
}

ProgressReporter::ProgressReporter(const ProgressOptions& options, std::span<const ProgressCounters> counters,
                                   Console& console, const Clock& clock)
    : options_(options),
      counters_(counters),
      console_(console),
      clock_(clock),
      started_(clock.steady()),
      rate_(started_),
      part_rates_(counters.front().parts.size(), RecentRate(started_)),
      moved_(started_) {
  if (!options_.on_console && !options_.fd) return;
  if (options_.fd) sender_.emplace(*options_.fd);
  // Without a thread the work continues without progress.
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
  while (!stop_changed_.wait_for(lock, kInterval, [this] { return stop_; })) report();
  report_last();
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
  now.elapsed = time - started_;
  rate_.add(time, now.bytes);
  now.bytes_per_second = rate_.bytes_per_second();
  for (std::size_t i = 0; i < part_rates_.size(); ++i) {
    const ProgressPart& part = counters_.front().parts[i];
    part_rates_[i].add(time, part.bytes);
    now.parts.push_back({part.name, part.bytes, part.total_bytes, part_rates_[i].bytes_per_second()});
  }
  if (now.bytes != moved_bytes_ || !waits_for_producer) moved_ = time;
  moved_bytes_ = now.bytes;
  now.idle = time - moved_;
  return now;
}

void ProgressReporter::report() {
  const ProgressSnapshot now = count();
  send(now, std::chrono::milliseconds(0));
  if (!options_.on_console) return;
  if (!console_.is_terminal()) {
    if (clock_.steady() < next_log_) return;
    next_log_ = clock_.steady() + kLogInterval;
  }
  const std::string text = progress_text(options_.command, now, console_.status_columns());
  if (options_.log_format == LogFormat::kJson && !console_.is_terminal())
    console_.status(json_log_line(clock_.wall_ns(), "info", text));
  else
    console_.status(text);
}

void ProgressReporter::report_last() {
  send(count(), kLastLinePatience);
}

void ProgressReporter::send(const ProgressSnapshot& now, std::chrono::milliseconds patience) {
  if (sender_ && !sender_->send(progress_json(options_.command, now), patience)) sender_.reset();
}

}  // namespace drs
