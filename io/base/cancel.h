// CancelToken: a flag that asks long-running work to stop, with callbacks that wake blocked threads. Thread-safe. The
// tool's signal thread calls cancel(); nothing here runs in a signal handler.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace drs {

class CancelToken {
 public:
  // Keeps a callback registered for its own lifetime. The destructor waits for a running callback.
  class [[nodiscard]] Registration {
   public:
    Registration(CancelToken& token, std::size_t number) : token_(&token), number_(number) {}
    ~Registration() {
      const std::lock_guard lock(token_->mutex_);
      token_->callbacks_.erase(number_);
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    CancelToken* token_;
    std::size_t number_;
  };

  [[nodiscard]] bool cancelled() const { return flag_.load(std::memory_order_acquire); }
  // Sets the flag and calls every registered callback. Later calls do nothing.
  void cancel() {
    const std::lock_guard lock(mutex_);
    if (flag_.exchange(true)) return;
    for (const auto& [number, callback] : callbacks_) callback();
  }
  // `callback` runs at cancel(), or immediately if the token is already cancelled. It must not block or use this token.
  Registration on_cancel(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    if (flag_.load()) callback();
    callbacks_.emplace(++last_number_, std::move(callback));
    return Registration(*this, last_number_);
  }

 private:
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  std::map<std::size_t, std::function<void()>> callbacks_;
  std::size_t last_number_ = 0;
};

}  // namespace drs
