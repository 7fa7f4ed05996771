// Signals that ask us to stop. SIGINT, SIGTERM and SIGHUP are blocked in every thread and taken by one of ours: the
// first cancels the work, which then ends in order; the second kills our children and exits at once.
#pragma once

#include <signal.h>

#include <atomic>
#include <thread>

#include "io/cancel.h"
#include "tools/signal_state.h"

namespace drs {

class SignalThread final : public SignalState {
 public:
  // Blocks the signals for this thread and all that it starts: construct before any other thread. A signal that was
  // ignored when we started (nohup, a shell's background job) stays ignored. `cancel` must outlive it.
  explicit SignalThread(CancelToken& cancel);
  ~SignalThread() override;
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;
  [[nodiscard]] int received() const override { return received_.load(); }

 private:
  void run();
  CancelToken& cancel_;
  sigset_t signals_;
  std::atomic<int> received_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace drs
