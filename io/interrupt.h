// Interrupt: a flag that wakes a thread waiting in poll. Once raised it stays raised. And the one way we wait for
// pipes.
#pragma once

#include <chrono>
#include <optional>

#include "io/fd.h"
#include "io/result.h"

namespace drs {

class Interrupt {
 public:
  static Result<Interrupt> create();  // Errors: kIo (no descriptors left)
  void raise() const;                 // any thread
  [[nodiscard]] bool is_raised() const;
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  explicit Interrupt(Fd event) : event_(std::move(event)) {}
  Fd event_;
};

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

struct WaitRequest {
  int fd = -1;             // -1: nothing but the others
  short events = 0;        // POLLIN or POLLOUT
  int exit_fd = -1;        // readable once a child has ended
  int guard_fd = -1;       // hung up once the guardian of a child is gone
  Deadline deadline = {};  // none: for ever
};

// What ended the wait. Nothing set: the deadline passed.
struct Wake {
  bool interrupted = false;
  bool ready = false;  // also when the other end is gone: the next read or write tells
  bool exited = false;
  bool unguarded = false;
};

Wake wait_for(const Interrupt& interrupt, const WaitRequest& request);

}  // namespace drs
