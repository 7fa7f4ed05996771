// LineSender: sends lines to a reader that may be slow, stopped or gone. The reader sees complete lines in order. A
// line that does not fit in time is dropped; no call waits longer than the caller allows.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "io/fd.h"

namespace drs {

class LineSender {
 public:
  // Borrows `fd` and leaves its flags unchanged, since other processes share them.
  explicit LineSender(int fd);
  // Sends the line, or drops it if there is no room within `patience`. Returns false if the reader has closed its end.
  bool send(std::string_view line, std::chrono::milliseconds patience);

  enum class Delivery : std::uint8_t {
    kWhole,
    kGivenUp,  // the rest was dropped
    kFailed,   // see errno; EPIPE: the reader has closed its end
  };
  // Sends all of `lines`. Waits for room while `go_on` returns true; calls it about ten times a second.
  Delivery deliver(std::string_view lines, const std::function<bool()>& go_on);

 private:
  // Writes the rest of a begun line, then `text`, and removes the written bytes from the front of `text`. Returns false
  // if the write failed (errno).
  bool advance(std::string_view& text, std::chrono::milliseconds patience);
  bool write_some(std::string_view& text, std::chrono::milliseconds patience);
  void keep_begun(std::string_view line, std::string_view rest);

  int fd_;
  Fd reopened_;  // the same pipe or terminal, reopened non-blocking with separate flags
  bool is_socket_ = false;
  std::size_t step_bytes_max_;  // the most bytes that one write can take without blocking
  std::string begun_;           // the unsent rest of a partly sent line
};

}  // namespace drs
