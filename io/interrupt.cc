#include "io/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>

namespace drs {

Result<Interrupt> Interrupt::create() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return error_from_errno(errno, "eventfd");
  return Interrupt(std::move(event));
}

void Interrupt::raise() const {
  const std::uint64_t one = 1;
  // Fails only if the counter is full, and then the interrupt is already raised.
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

bool Interrupt::is_raised() const {
  pollfd entry{.fd = event_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 1;
}

Wake wait_for(const Interrupt& interrupt, const WaitRequest& request) {
  using std::chrono::milliseconds;
  std::array<pollfd, 4> entries = {{{.fd = interrupt.fd(), .events = POLLIN, .revents = 0},
                                    {.fd = request.fd, .events = request.events, .revents = 0},
                                    {.fd = request.exit_fd, .events = POLLIN, .revents = 0},
                                    {.fd = request.guard_fd, .events = 0, .revents = 0}}};
  for (;;) {
    int timeout_ms = -1;
    if (request.deadline.has_value()) {
      const auto left = std::chrono::ceil<milliseconds>(*request.deadline - std::chrono::steady_clock::now());
      timeout_ms = static_cast<int>(std::clamp<milliseconds::rep>(left.count(), 0, std::numeric_limits<int>::max()));
    }
    const int count = ::poll(entries.data(), entries.size(), timeout_ms);
    if (count == 0) return {};
    if (count > 0) {
      return {.interrupted = entries[0].revents != 0,
              .ready = entries[1].revents != 0,
              .exited = entries[2].revents != 0,
              .unguarded = entries[3].revents != 0};
    }
    DRS_ASSERT(errno == EINTR || errno == ENOMEM, "poll refused its arguments");
  }
}

}  // namespace drs
