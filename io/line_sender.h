// LineSender: lines to a reader that may be slow, stopped or gone. Whole lines, in order; what the reader has no room
// for is dropped, and nothing ever waits for it longer than asked.
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
  // `fd` is borrowed. Its flags, which other processes share, stay as they are.
  explicit LineSender(int fd);
  // Sends the line, or drops it if there is no room within `patience`. False: the reader is gone.
  bool send(std::string_view line, std::chrono::milliseconds patience);

  enum class Delivery : std::uint8_t {
    kWhole,
    kGivenUp,  // the rest is dropped
    kFailed,   // see errno; EPIPE: the reader is gone
  };
  // Sends all of `lines`, and waits for room as long as `go_on` says so, which is asked about ten times a second.
  Delivery deliver(std::string_view lines, const std::function<bool()>& go_on);

 private:
  // Writes what was begun, then of `text`, and takes what was written off its front. False: the reader is gone.
  bool advance(std::string_view& text, std::chrono::milliseconds patience);
  bool write_some(std::string_view& text, std::chrono::milliseconds patience);
  void keep_begun(std::string_view line, std::string_view rest);

  int fd_;
  Fd reopened_;  // the same pipe or terminal with flags of its own: it does not block
  bool is_socket_ = false;
  std::size_t step_bytes_max_;  // of one write, so that it does not block
  std::string begun_;           // the rest of a line that was sent in part
};

}  // namespace drs
