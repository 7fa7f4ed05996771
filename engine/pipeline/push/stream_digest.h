// SHA-256 and XXH3 of the whole stream, computed on a separate thread: SHA-256 cannot be parallelized. Threads: one
// thread calls `add` and `finish`.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "codecs/sha256.h"
#include "codecs/xxh3.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/pipeline/push/segment.h"
#include "io/base/result.h"

namespace drs {

class StreamDigest {
 public:
  // An error that ends the thread early is reported to `failure`.
  StreamDigest(bool with_sha256, Failure& failure, PushMeter& meter);
  ~StreamDigest();
  StreamDigest(const StreamDigest&) = delete;
  StreamDigest& operator=(const StreamDigest&) = delete;

  // Starts the thread; to be called before `add`. Errors: kBusy (no thread available).
  Result<void> start();
  // Adds the next stretch of the stream. The number of segments bounds the queue.
  void add(std::shared_ptr<Segment> segment);
  struct Digests {
    std::optional<Digest> sha256;
    Xxh3Digest xxh3;
  };
  // Waits until all segments are hashed, or the thread has failed.
  Digests finish();

 private:
  void run();
  const bool with_sha256_;
  Failure& failure_;
  PushMeter& meter_;
  Sha256 sha256_;
  Xxh3Stream xxh3_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Segment>> queue_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace drs
