// The first error of a set of threads. It is the one reported; every thread then winds down.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "io/base/cancel.h"
#include "io/base/catch_thrown.h"
#include "io/base/result.h"

namespace drs {

// Thread-safe.
class Failure {
 public:
  void fail(Error error) {
    {
      const std::lock_guard lock(mutex_);
      if (error_) return;
      error_ = std::move(error);
    }
    stop_.cancel();
  }
  // Runs `work`. An exception from a library becomes the failure.
  template <typename Work>
  void guard(const Work& work) {
    auto done = catch_thrown([&]() -> Result<void> {
      work();
      return {};
    });
    if (!done.ok()) fail(std::move(done).error());
  }
  // `wake` runs once: on the failing thread, or at once if there is a failure already. It wakes the waiting threads so
  // that they see `failed`. Their owner keeps the registration, whose destructor waits for a running `wake`.
  CancelToken::Registration on_failure(std::function<void()> wake) { return stop_.on_cancel(std::move(wake)); }
  [[nodiscard]] bool failed() const { return stop_.cancelled(); }
  [[nodiscard]] Result<void> result() const {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Error> error_;
  CancelToken stop_;
};

}  // namespace drs
