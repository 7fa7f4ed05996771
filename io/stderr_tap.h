// StderrTap: passes what a child writes to its stderr on to ours, line by line, and keeps the last of it for messages.
// What a terminal would obey in it is the filter's to take out.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "io/interrupt.h"
#include "io/line_sender.h"
#include "io/pipe.h"

namespace drs {

class StderrTap {
 public:
  static constexpr std::size_t kTailBytesMax = 4096;

  // What is written in place of a line, or of a part of a long one, which ends with a whole character.
  using Filter = std::string (*)(std::string_view text);

  // Reads `read_end` on a thread of its own and writes to `pass_to` (borrowed), through `filter` unless it is null.
  // Errors: kIo.
  static Result<std::unique_ptr<StderrTap>> start(Fd read_end, int pass_to, Filter filter);
  ~StderrTap() { finish(); }
  StderrTap(const StderrTap&) = delete;
  StderrTap& operator=(const StderrTap&) = delete;

  // Any thread: whoever reads what is passed on, and has stopped reading, is waited for no longer than 2 s from now on.
  void hurry() { hurried_ = true; }
  // For when the child is gone: takes what is still in the pipe and ends, even where another process keeps it open.
  void finish();
  // The last of what was said, at most kTailBytesMax.
  [[nodiscard]] std::string tail() const;

 private:
  StderrTap(Fd read_end, int pass_to, Filter filter, Interrupt stop);
  void read_to_end();
  void take(std::string_view text);
  void pass(std::size_t bytes);  // of line_
  void write(std::string_view text);

  const Fd read_end_;
  LineSender pass_to_;
  const Filter filter_;
  const Interrupt stop_;
  std::atomic<bool> hurried_ = false;
  int looks_left_;    // once hurried
  std::string line_;  // begun and not passed on
  mutable std::mutex mutex_;
  std::string tail_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace drs
