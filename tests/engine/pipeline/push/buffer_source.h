// A Source over bytes in memory, which can be made to fail.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "io/source.h"

namespace drs {

class BufferSource final : public Source {
 public:
  explicit BufferSource(ByteView stream) : stream_(stream) {}
  // The source fails after this many bytes.
  void fail_at(std::size_t bytes) { fail_at_ = bytes; }
  // Runs when the stream has been read to its end, before anything is committed.
  void at_end(std::function<void()> action) { at_end_ = std::move(action); }

  void start(MutableByteView buffer) override { started_.push_back(buffer); }
  Result<std::size_t> finish() override {
    const MutableByteView buffer = started_.front();
    started_.pop_front();
    if (cancelled_) return Error(ErrorCode::kCancelled, "cancelled");
    const std::size_t count = std::min(buffer.size(), stream_.size() - at_);
    if (fail_at_ && at_ + count > *fail_at_) return Error(ErrorCode::kSource, "the source broke");
    if (count > 0) std::memcpy(buffer.data(), stream_.data() + at_, count);
    at_ += count;
    return count;
  }
  [[nodiscard]] std::size_t read_ahead_max() const override { return 2; }
  Result<ProducerProof> conclude() override {
    if (at_end_) at_end_();
    return ProducerProof{};
  }
  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return stream_.size(); }
  void cancel() override { cancelled_ = true; }
  [[nodiscard]] std::string name() const override { return "test"; }

 private:
  std::function<void()> at_end_;
  ByteView stream_;
  std::size_t at_ = 0;
  std::optional<std::size_t> fail_at_;
  std::deque<MutableByteView> started_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace drs
