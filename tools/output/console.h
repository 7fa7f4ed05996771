// Console: standard error, shared by log lines and one status line that is rewritten in place. Whole lines only, so
// that lines of several threads never mix. Text that cannot be written is dropped, since there is no other place to
// report it. Writes wait for a reader that has stopped reading, but only briefly once a signal has asked us to stop.
// Threads: any.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "io/base/cancel.h"
#include "io/line_sender.h"
#include "tools/output/terminal.h"

namespace drs {

class Console {
 public:
  // `fd` is borrowed. On a terminal the status line is drawn in place; elsewhere each status is a line of its own.
  // `stop`: what a signal cancels; borrowed, nullptr for none.
  explicit Console(int fd, const CancelToken* stop = nullptr);
  ~Console() { end_status(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Writes `text`, which may have several lines, and a line feed if it does not end in one. Terminal control characters
  // are escaped (tools/output/printable.h). On a terminal lines are wrapped and coloured: `lines_for`.
  void write_lines(std::string_view text, Tone tone = Tone::kPlain);
  // Shows `text` as the status until the next status or end_status. Dropped if the reader of fd does not read (Ctrl-S).
  void status(std::string_view text);
  // Removes the status line.
  void end_status();
  // Whether a writer waits once more for a reader that does not read (LineSender::deliver): always until a signal has
  // asked us to stop, and for 2 s in all after that.
  [[nodiscard]] bool waits_for_reader();
  [[nodiscard]] bool is_terminal() const { return style_.is_terminal; }
  // The columns that a status may take now.
  [[nodiscard]] std::size_t status_columns() const;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  [[nodiscard]] std::string erased_line() const;
  [[nodiscard]] std::string fitted_status() const;
  [[nodiscard]] bool has_room() const;
  void emit(std::string_view text);
  const int fd_;
  const TerminalStyle style_;
  const CancelToken* const stop_;
  std::atomic<int> looks_left_;  // after the signal
  std::mutex mutex_;
  LineSender sender_;
  std::string status_;  // as shown; empty: none
};

// Writes all of `text` to a descriptor; false (and errno) where that fails. Waits where the descriptor is non-blocking.
bool write_all(int fd, std::string_view text);

}  // namespace drs
