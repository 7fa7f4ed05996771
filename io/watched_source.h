// WatchedSource: forwards to another source and sets a flag while it waits for that source, so that the progress line
// can show that the producer delivers nothing. Threads: as the wrapped source; the flag may be read from any thread.
#pragma once

#include <atomic>

#include "io/source.h"

namespace drs {

class WatchedSource final : public Source {
 public:
  // Both are borrowed.
  WatchedSource(Source& source, std::atomic<bool>& waiting) : source_(source), waiting_(waiting) {}
  void start(MutableByteView buffer) override { source_.start(buffer); }
  Result<std::size_t> finish() override {
    const Waiting waiting(waiting_);
    return source_.finish();
  }
  [[nodiscard]] std::size_t read_ahead_max() const override { return source_.read_ahead_max(); }
  Result<ProducerProof> conclude() override {
    const Waiting waiting(waiting_);
    return source_.conclude();
  }
  [[nodiscard]] std::optional<std::uint64_t> size_hint_bytes() const override { return source_.size_hint_bytes(); }
  void cancel() override { source_.cancel(); }
  [[nodiscard]] bool reads_copy() const override { return source_.reads_copy(); }
  [[nodiscard]] std::string name() const override { return source_.name(); }
  [[nodiscard]] std::string io_description() const override { return source_.io_description(); }

 private:
  class Waiting {
   public:
    explicit Waiting(std::atomic<bool>& flag) : flag_(flag) { flag_.store(true, std::memory_order_relaxed); }
    ~Waiting() { flag_.store(false, std::memory_order_relaxed); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    std::atomic<bool>& flag_;
  };
  Source& source_;
  std::atomic<bool>& waiting_;
};

}  // namespace drs
