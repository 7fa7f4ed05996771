// Reads a source into segments and cuts them into chunks. Serial by design: 0.5 ns a byte, and order is what everything
// else needs. Threads: the caller's.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "codecs/chunker.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/push_stats.h"
#include "engine/pipeline/segment.h"
#include "io/buffer_pool.h"
#include "io/source.h"

namespace drs {

class StreamReader {
 public:
  // `tail_bytes`: how much of the stream's end to keep a copy of (for trailer checks); 0 for none.
  StreamReader(Source& source, const Chunker& chunker, BufferPool& segments, Failure& failure, PushMeter& meter,
               std::size_t tail_bytes);

  ~StreamReader();  // waits for the reads that a failure left under way
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // Reads to the end. `take` gets every segment, in order. Errors: the source's; kCancelled once the push has failed.
  Result<void> run(const std::function<void(std::shared_ptr<Segment>)>& take);

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t copied_bytes() const { return copied_bytes_; }
  [[nodiscard]] ByteView tail() const { return tail_; }

 private:
  Result<bool> start_reads();
  void keep_tail(ByteView data);

  Source& source_;
  const Chunker& chunker_;
  BufferPool& segments_;
  Failure& failure_;
  PushMeter& meter_;
  const std::size_t tail_bytes_;
  std::deque<PooledBuffer> started_;
  std::uint64_t bytes_ = 0;
  std::uint64_t copied_bytes_ = 0;
  Bytes tail_;
};

}  // namespace drs
