#include "engine/pipeline/push/stream_digest.h"

#include "io/helper_thread.h"

namespace drs {

StreamDigest::StreamDigest(bool with_sha256, Failure& failure, PushMeter& meter)
    : with_sha256_(with_sha256), failure_(failure), meter_(meter) {}

Result<void> StreamDigest::start() {
  DRS_ASSIGN_OR_RETURN(
      thread_, start_helper_thread([this] { run(); }, [this](Error thrown) { failure_.fail(std::move(thrown)); }));
  return {};
}

StreamDigest::~StreamDigest() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void StreamDigest::add(std::shared_ptr<Segment> segment) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(segment));
  }
  changed_.notify_one();
}

StreamDigest::Digests StreamDigest::finish() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
  Digests digests;
  if (with_sha256_) digests.sha256 = sha256_.finish();
  digests.xxh3 = xxh3_.finish();
  return digests;
}

void StreamDigest::run() {
  for (;;) {
    std::shared_ptr<Segment> segment;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      segment = std::move(queue_.front());
      queue_.pop_front();
    }
    StretchClock clock(meter_);
    if (with_sha256_) sha256_.update(segment->data);
    xxh3_.update(segment->data);
    clock.stage(PushStage::kStreamDigest, segment->data.size());
  }
}

}  // namespace drs
