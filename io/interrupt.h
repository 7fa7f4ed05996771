// Interrupt: a flag that wakes threads blocked in poll. Once raised, it stays raised. wait_for is the common wait for
// pipes and children.
#pragma once

#include <chrono>
#include <optional>

#include "io/base/result.h"
#include "io/fd.h"

namespace drs {

class Interrupt {
 public:
  static Result<Interrupt> create();  // Errors: kIo (out of descriptors)
  void raise() const;                 // thread-safe
  [[nodiscard]] bool is_raised() const;
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  explicit Interrupt(Fd event) : event_(std::move(event)) {}
  Fd event_;
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

struct WaitRequest {
  int fd = -1;             // -1: none
  short events = 0;        // POLLIN or POLLOUT
  int exit_fd = -1;        // readable once a child has exited; -1: none
  int guard_fd = -1;       // hung up once the guardian of a child has exited; -1: none
  Deadline deadline = {};  // none: waits indefinitely
};

// What ended the wait. If nothing is set, the deadline passed.
struct Wake {
  bool interrupted = false;
  bool ready = false;  // also if the other end is closed: the next read or write reports that
  bool exited = false;
  bool unguarded = false;
};

Wake wait_for(const Interrupt& interrupt, const WaitRequest& request);

}  // namespace drs
