// Signals that ask us to stop. SIGINT, SIGTERM and SIGHUP are blocked in every thread and taken by a thread of their
// own: the first cancels the work, which then ends in order; the second exits at once, and no child survives that.
// Signals within a second of the first count as the same one: `timeout` signals its child and then their process group,
// and a terminal and a supervisor may both pass one on.
#pragma once

#include <signal.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "io/base/cancel.h"
#include "io/base/result.h"

namespace drs {

// Whether a signal has asked us to stop.
class SignalState {
 public:
  virtual ~SignalState() = default;
  // The first signal that asked us to stop, or 0. Any thread.
  [[nodiscard]] virtual int received() const = 0;
  // From now on the first signal cancels `gentle` instead of the work, which then ends early and keeps what it has; the
  // second one cancels the work, the third exits. nullptr: as before. A signal that came earlier has its effect.
  virtual void set_gentle(CancelToken* gentle) const = 0;
};

class SignalThread final : public SignalState {
 public:
  // Blocks the signals for this thread and all that it starts: before any other thread is started. A signal that was
  // ignored when we started (nohup, a shell's background job) stays ignored. `cancel` must outlive it. Errors: kBusy
  // (no thread can be started).
  static Result<std::unique_ptr<SignalThread>> start(CancelToken& cancel);
  ~SignalThread() override;
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;
  [[nodiscard]] int received() const override { return received_.load(); }
  void set_gentle(CancelToken* gentle) const override;

 private:
  explicit SignalThread(CancelToken& cancel);
  void run();
  bool cancel_gently();
  CancelToken& cancel_;
  mutable std::mutex gentle_mutex_;
  mutable CancelToken* gentle_ = nullptr;
  sigset_t signals_;
  std::atomic<int> received_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace drs
