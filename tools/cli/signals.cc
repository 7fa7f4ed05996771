#include "tools/cli/signals.h"

#include <unistd.h>

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "io/helper_thread.h"
#include "tools/output/exit_code.h"
#include "tools/output/terminal.h"

namespace drs {
namespace {

constexpr std::chrono::seconds kSameSignal{1};

// The children in our session: passphrase commands. A child that leads a session of its own has a guardian, which ends
// it as soon as we are gone, so the guardian must not be killed here.
void kill_children() {
  const pid_t session = ::getsid(0);
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream children(task.path() / "children");
    for (pid_t child = 0; children >> child;) {
      if (::getsid(child) == session) ::kill(child, SIGKILL);
    }
  }
}

}  // namespace

SignalThread::SignalThread(CancelToken& cancel) : cancel_(cancel) {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGUSR1);  // ends the thread
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    const bool ignored = ::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!ignored) ::sigaddset(&signals_, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

Result<std::unique_ptr<SignalThread>> SignalThread::start(CancelToken& cancel) {
  std::unique_ptr<SignalThread> signals(new SignalThread(cancel));
  DRS_ASSIGN_OR_RETURN(signals->thread_, start_helper_thread([raw = signals.get()] { raw->run(); }, must_not_throw));
  return signals;
}

SignalThread::~SignalThread() {
  if (!thread_.joinable()) return;
  stop_ = true;
  ::pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void SignalThread::set_gentle(CancelToken* gentle) const {
  const std::lock_guard lock(gentle_mutex_);
  gentle_ = gentle;
}

bool SignalThread::cancel_gently() {
  const std::lock_guard lock(gentle_mutex_);
  if (gentle_ == nullptr) return false;
  gentle_->cancel();
  return true;
}

void SignalThread::run() {
  std::chrono::steady_clock::time_point last;
  while (true) {
    int number = 0;
    if (::sigwait(&signals_, &number) != 0) continue;
    if (stop_) return;
    if (number == SIGUSR1) continue;
    const auto now = std::chrono::steady_clock::now();
    int none = 0;
    const bool first = received_.compare_exchange_strong(none, number);
    if (!first && now - last < kSameSignal) continue;
    last = now;
    if (first && cancel_gently()) continue;
    if (!cancel_.cancelled()) {
      cancel_.cancel();
      continue;
    }
    kill_children();
    restore_terminal_echo();
    ::_exit(exit_status_of_signal(number));
  }
}

}  // namespace drs
