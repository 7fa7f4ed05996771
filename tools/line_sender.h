// LineSender: lines to a reader that may be slow, stopped or gone. Whole lines, in order; what the reader has no room
// for is dropped, and nothing ever waits for it longer than asked.
#pragma once

#include <chrono>
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

 private:
  // Writes what fits and takes it off the front of `text`. False: the reader is gone.
  bool write_some(std::string& text, std::chrono::milliseconds patience);

  int fd_;
  Fd reopened_;  // the same pipe or terminal with flags of its own: it does not block
  bool is_socket_ = false;
  std::string begun_;  // the rest of a line that was sent in part
};

}  // namespace drs
