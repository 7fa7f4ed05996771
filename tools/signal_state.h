// SignalState: whether a signal has asked us to stop.
#pragma once

namespace drs {

class SignalState {
 public:
  virtual ~SignalState() = default;
  // The first signal that asked us to stop, or 0. Any thread.
  [[nodiscard]] virtual int received() const = 0;
};

}  // namespace drs
