// The first error of a set of threads. Whoever fails first decides what is reported; everybody then winds down.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "io/catch_thrown.h"
#include "io/result.h"

namespace drs {

class Failure {
 public:
  // `on_first` runs once, on the failing thread: it wakes whoever waits.
  explicit Failure(std::function<void()> on_first) : on_first_(std::move(on_first)) {}
  void fail(Error error) {
    {
      const std::lock_guard lock(mutex_);
      if (error_) return;
      error_ = std::move(error);
      failed_.store(true, std::memory_order_release);
    }
    const std::lock_guard lock(callback_mutex_);
    if (on_first_) on_first_();
  }
  // Runs `work`, and fails with what a library throws in it.
  template <typename Work>
  void guard(const Work& work) {
    auto done = catch_thrown([&]() -> Result<void> {
      work();
      return {};
    });
    if (!done.ok()) fail(std::move(done).error());
  }
  // From now on nobody is woken: what `on_first` would wake is about to go. Waits for it if it runs.
  void silence() {
    const std::lock_guard lock(callback_mutex_);
    on_first_ = nullptr;
  }
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_acquire); }
  [[nodiscard]] Result<void> result() const {
    const std::lock_guard lock(mutex_);
    if (error_) return *error_;
    return {};
  }

 private:
  std::mutex callback_mutex_;
  std::function<void()> on_first_;
  mutable std::mutex mutex_;
  std::optional<Error> error_;
  std::atomic<bool> failed_{false};
};

}  // namespace drs
