// StderrTap: copies a child's stderr to ours, line by line, and keeps the tail for messages. Ends an unfinished last
// line with a line feed. The filter must remove terminal control sequences.
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

  // Returns the text to write instead of a line, or of a part of a long line; a part ends with a complete UTF-8
  // character.
  using Filter = std::string (*)(std::string_view text);

  // Reads `read_end` on a separate thread and writes to `pass_to` (borrowed), through `filter` unless it is null.
  // Errors: kIo, kBusy (no thread left).
  static Result<std::unique_ptr<StderrTap>> start(Fd read_end, int pass_to, Filter filter);
  ~StderrTap() { finish(); }
  StderrTap(const StderrTap&) = delete;
  StderrTap& operator=(const StderrTap&) = delete;

  // From now on waits at most 2 s in all for a reader of `pass_to` that has stopped reading. Thread-safe.
  void hurry() { hurried_ = true; }
  // Call when the child has exited: drains the pipe and ends the thread, even if another process keeps the pipe open.
  void finish();
  // The last kTailBytesMax bytes of the child's stderr.
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
  int looks_left_;    // remaining waits once hurried
  std::string line_;  // a partial line, not passed on yet
  mutable std::mutex mutex_;
  std::string tail_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace drs
