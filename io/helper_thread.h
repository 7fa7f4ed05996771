// Threads of the library's own. They block every signal, so that signals reach the threads of the program that asked
// for them.
#pragma once

#include <csignal>
#include <functional>
#include <system_error>
#include <thread>

#include "io/result.h"

namespace drs {

// Errors: kIo when the machine has no more threads.
inline Result<std::thread> start_helper_thread(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<std::thread> started = Error{ErrorCode::kIo, "cannot start a thread"};
  try {
    started = std::thread(std::move(body));
  } catch (const std::system_error& failure) {
    started = error_from_errno(failure.code().value(), "cannot start a thread");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace drs
