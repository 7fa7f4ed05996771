// Console: standard error, shared by log lines and one status line that is rewritten in place. Whole lines only, so
// that lines of several threads never mix. What cannot be written is dropped: there is nowhere left to say so. A reader
// that has stopped reading is waited for, but not for long once a signal has asked us to stop. Threads: any.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "io/cancel.h"
#include "io/line_sender.h"
#include "tools/terminal_style.h"

namespace drs {

class Console {
 public:
  // `fd` is borrowed. On a terminal the status line is drawn in place; elsewhere each status is a line of its own.
  // `stop`: what a signal cancels; borrowed, nullptr for none.
  explicit Console(int fd, const CancelToken* stop = nullptr);
  ~Console() { end_status(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Writes `text`, which may have several lines, and a line feed if it does not end in one. What a terminal would obey
  // is escaped (tools/printable.h). `tone` colours the first line, on a terminal that has colours.
  void write_lines(std::string_view text, Tone tone = Tone::kPlain);
  // Shows `text` as the status until the next status or end_status. Dropped, not waited for, where the other side of fd
  // does not read (Ctrl-S).
  void status(std::string_view text);
  // Takes the status line away.
  void end_status();
  // Whether a reader of ours that does not read is waited for once more (LineSender::deliver): always, until a signal
  // has asked us to stop, and for 2 s in all after that.
  [[nodiscard]] bool waits_for_reader();
  [[nodiscard]] bool is_terminal() const { return style_.is_terminal; }
  // How long a status may be now.
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
