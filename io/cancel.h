// CancelToken: one flag that asks long work to stop, with callbacks for what blocks. Set once, from any thread (a
// signal is turned into a call by the tool's signal thread; nothing here runs in a signal handler).
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace drs {

class CancelToken {
 public:
  [[nodiscard]] bool cancelled() const { return flag_.load(std::memory_order_acquire); }
  // Sets the flag and calls every registered function once.
  void cancel() {
    std::vector<std::function<void()>> callbacks;
    {
      const std::lock_guard lock(mutex_);
      if (flag_.exchange(true)) return;
      callbacks.swap(callbacks_);
    }
    for (const auto& callback : callbacks) callback();
  }
  // `callback` runs at cancel, or now if that has been. It must stay callable as long as the token lives.
  void on_cancel(std::function<void()> callback) {
    {
      const std::lock_guard lock(mutex_);
      if (!flag_.load()) {
        callbacks_.push_back(std::move(callback));
        return;
      }
    }
    callback();
  }

 private:
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  std::vector<std::function<void()>> callbacks_;
};

}  // namespace drs
