// SHA-256 and XXH3 of the whole stream, on a thread of their own: SHA-256 is serial by nature.
// Threads: `add` and `finish` from one thread.
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
#include "engine/pipeline/push_stats.h"
#include "engine/pipeline/segment.h"
#include "io/result.h"

namespace drs {

class StreamDigest {
 public:
  // What ends the thread early goes to `failure`.
  StreamDigest(bool with_sha256, Failure& failure, PushMeter& meter);
  ~StreamDigest();
  StreamDigest(const StreamDigest&) = delete;
  StreamDigest& operator=(const StreamDigest&) = delete;

  // Before anything is added. Errors: kBusy when there is no thread to be had.
  Result<void> start();
  // The next stretch of the stream. Bounded by the segments there are.
  void add(std::shared_ptr<Segment> segment);
  struct Digests {
    std::optional<Digest> sha256;
    Xxh3Digest xxh3;
  };
  // Waits until all of it is hashed, or the push has failed.
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
