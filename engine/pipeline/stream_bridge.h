// A stream on its way from a pull to a push of the same process: the pull's sink and the push's source at once. Bytes
// go straight into the buffers that the push has started; there are no others. The stream ends for the push only once
// the pull has checked the whole of it, so what is damaged is never committed.
// Threads: one writes, another reads; `cancel` from any.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "io/sink.h"
#include "io/source.h"

namespace drs {

class StreamBridge final : public Sink, public Source {
 public:
  StreamBridge(std::string name, std::uint64_t bytes) : name_(std::move(name)), bytes_(bytes) {}

  // The pull has ended with this error: whoever reads gets it.
  void fail(Error error);

  // Sink.
  Result<void> write(ByteView bytes) override;
  Result<void> commit() override;
  void abandon() override {}  // the pull's error follows by `fail`
  // Source.
  void start(MutableByteView buffer) override;
  Result<std::size_t> finish() override;
  [[nodiscard]] std::size_t read_ahead_max() const override { return 2; }
  Result<ProducerProof> conclude() override { return ProducerProof{}; }
  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return bytes_; }
  // Both.
  void cancel() override;
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::string io_description() const override { return "memory"; }

 private:
  struct Started {
    MutableByteView buffer;
    std::size_t filled = 0;
  };
  [[nodiscard]] bool ended() const { return committed_ || error_; }

  const std::string name_;
  const std::uint64_t bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Started> started_;
  std::size_t filling_ = 0;  // the first of started_ that has room
  bool writing_ = false;     // outside the lock, into started_[filling_]
  bool committed_ = false;
  std::optional<Error> error_;
};

}  // namespace drs
