#include "engine/pipeline/copy/stream_bridge.h"

#include <algorithm>
#include <cstring>

namespace drs {

void StreamBridge::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!ended()) error_ = std::move(error);
  changed_.notify_all();
}

void StreamBridge::cancel() {
  fail(Error(ErrorCode::kCancelled, "cancelled"));
}

Result<void> StreamBridge::write(ByteView bytes) {
  std::unique_lock lock(mutex_);
  while (!bytes.empty()) {
    changed_.wait(lock, [&] { return error_ || filling_ < started_.size(); });
    if (error_) return *error_;
    // Copy without the lock: the owner of a started buffer does not touch it until finish() returns it, and finish()
    // waits for writing_.
    writing_ = true;
    const Started target = started_[filling_];
    lock.unlock();
    const std::size_t count = std::min(bytes.size(), target.buffer.size() - target.filled);
    std::memcpy(target.buffer.data() + target.filled, bytes.data(), count);
    bytes = bytes.subspan(count);
    lock.lock();
    writing_ = false;
    Started& filled = started_[filling_];
    filled.filled += count;
    if (filled.filled == filled.buffer.size()) ++filling_;
    changed_.notify_all();
  }
  return {};
}

Result<void> StreamBridge::commit() {
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  committed_ = true;
  changed_.notify_all();
  return {};
}

void StreamBridge::start(MutableByteView buffer) {
  const std::lock_guard lock(mutex_);
  started_.push_back({buffer, 0});
  changed_.notify_all();
}

Result<std::size_t> StreamBridge::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !writing_ && (ended() || filling_ > 0); });
  if (error_) return *error_;
  const std::size_t count = started_.front().filled;
  started_.pop_front();
  if (filling_ > 0) --filling_;
  return count;
}

}  // namespace drs
