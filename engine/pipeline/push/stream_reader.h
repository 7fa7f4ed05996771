// Reads a source into segments and cuts them into chunks. Serial by design: it takes 0.5 ns a byte, and the later
// stages need the order. Runs on the caller's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "codecs/chunker.h"
#include "engine/pipeline/failure.h"
#include "engine/pipeline/push/push_stats.h"
#include "engine/pipeline/push/segment.h"
#include "io/buffer_pool.h"
#include "io/source.h"

namespace drs {

class StreamReader {
 public:
  // `tail_bytes`: how many bytes of the stream's end to copy (for trailer checks); 0 for none.
  StreamReader(Source& source, const Chunker& chunker, BufferPool& segments, Failure& failure, PushMeter& meter,
               std::size_t tail_bytes);

  ~StreamReader();  // after a failure, waits for the reads in flight
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // Reads to the end. `take` receives every segment, in order. Errors: the source's; kCancelled once the push has
  // failed.
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
