// Progress of long work: a status line on the console and JSON lines to a descriptor, from the counters that the work
// adds to. Never on stdout.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/base/clock.h"
#include "io/base/progress.h"
#include "io/line_sender.h"
#include "tools/output/console.h"
#include "tools/output/log.h"

namespace drs {

enum class ProgressMode { kAuto, kAlways, kNever };

struct ProgressOptions {
  std::string_view command;  // "push", "repair index"
  bool on_console = false;
  std::optional<int> fd;                    // JSON lines, dropped where the reader is slow; borrowed
  std::optional<std::uint64_t> size_bytes;  // where the work does not know its total
  std::optional<std::uint64_t> size_hint;   // the same, but a guess
  LogFormat log_format = LogFormat::kText;  // kJson: off a terminal each status is a log line
};

// Whether `mode` wants a status line here. `quiet` matters to kAuto alone.
bool shows_progress(ProgressMode mode, const Console& console, bool quiet);

// What was counted at one moment.
struct PartSnapshot {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint64_t total_bytes = 0;
  double bytes_per_second = 0;
};
struct ProgressSnapshot {
  std::uint64_t bytes = 0;
  std::uint64_t total_bytes = 0;  // 0: not known
  bool total_is_guess = false;
  std::chrono::duration<double> idle{};  // how long the source has waited for the producer
  std::uint64_t new_bytes = 0;
  std::uint64_t stored_bytes = 0;
  std::uint64_t problems = 0;
  std::uint64_t spooled_objects = 0;  // 0: no spool
  std::uint64_t uploaded_objects = 0;
  bool spool_is_complete = false;
  double bytes_per_second = 0;  // of the last seconds
  std::chrono::duration<double> elapsed{};
  std::vector<PartSnapshot> parts;
};
// "push 1.5 GiB of about 4 GiB  37.5 %  512 MiB/s  about 5.0 s left  elapsed 3.0 s  stored 42 MiB  new 11 %", the most
// important part first; parts that do not fit into `columns` are left out.
std::string progress_text(std::string_view command, const ProgressSnapshot& now, std::size_t columns);
// {"schema":"drstream.progress/1","command":"push","bytes":...}, one line.
std::string progress_json(std::string_view command, const ProgressSnapshot& now);

// The rate of the last seconds, from samples of a running count.
class RecentRate {
 public:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{5};
  explicit RecentRate(Time started) : samples_{{started, 0}} {}
  void add(Time time, std::uint64_t bytes);
  [[nodiscard]] double bytes_per_second() const;

 private:
  struct Sample {
    Time time;
    std::uint64_t bytes;
  };
  std::deque<Sample> samples_;  // never empty; all but the first lie in the window
};

// Reports from construction to destruction, which removes the status line and writes a last JSON line.
class ProgressReporter {
 public:
  // All references must outlive it.
  ProgressReporter(const ProgressOptions& options, const ProgressCounters& counters, Console& console,
                   const Clock& clock)
      : ProgressReporter(options, std::span(&counters, 1), console, clock) {}
  // For several that do the same work side by side: reports the maximum of each count.
  ProgressReporter(const ProgressOptions& options, std::span<const ProgressCounters> counters, Console& console,
                   const Clock& clock);
  ~ProgressReporter();
  ProgressReporter(const ProgressReporter&) = delete;
  ProgressReporter& operator=(const ProgressReporter&) = delete;

 private:
  void run();
  void report();
  void report_last();
  void send(const ProgressSnapshot& now, std::chrono::milliseconds patience);
  [[nodiscard]] ProgressSnapshot count();
  const ProgressOptions options_;
  const std::span<const ProgressCounters> counters_;
  Console& console_;
  const Clock& clock_;
  const std::chrono::steady_clock::time_point started_;
  RecentRate rate_;
  std::vector<RecentRate> part_rates_;
  std::chrono::steady_clock::time_point moved_;  // when bytes last came, or the source last did not wait
  std::uint64_t moved_bytes_ = 0;
  std::optional<LineSender> sender_;                  // to options_.fd, as long as it has a reader
  std::chrono::steady_clock::time_point next_log_{};  // of a status that is a line of its own
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace drs
