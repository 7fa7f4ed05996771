// Connects a pull with a push of the same process: it is the pull's sink and the push's source. Bytes go straight into
// the buffers that the push has started; there are no others. The push sees the end of the stream only after the pull
// has checked all of it, so a damaged stream is never committed. Threads: one writes, another reads; `fail` and
// `cancel` may be called from any thread.
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

  // Reports that the pull has ended with `error`: `finish` returns it.
  void fail(Error error);

  // Sink.
  Result<void> write(ByteView bytes) override;
  Result<void> commit() override;
  void abandon() override {}  // `fail` reports the pull's error
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
  std::size_t filling_ = 0;  // index of the first buffer of started_ with room
  bool writing_ = false;     // a copy into started_[filling_] is running, without the lock
  bool committed_ = false;
  std::optional<Error> error_;
};

}  // namespace drs
