// The echo of a terminal, off while a secret is typed and on again whatever ends or stops us: every signal that ends a
// process by default, a stop (Ctrl-Z; off again once continued), and the exit at a second SIGTERM. SIGKILL alone leaves
// it off.
#pragma once

namespace drs {

// Turns the echo off while it lives; one at a time.
class SilencedEcho {
 public:
  explicit SilencedEcho(int fd);  // borrowed
  ~SilencedEcho();
  SilencedEcho(const SilencedEcho&) = delete;
  SilencedEcho& operator=(const SilencedEcho&) = delete;
  // False: this terminal's echo could not be turned off.
  [[nodiscard]] bool silent() const { return silent_; }

 private:
  bool silent_ = false;
};

// Turns a silenced echo on again, from any thread and from signal handlers: for an exit that runs no destructor.
void restore_terminal_echo();

}  // namespace drs
