#include "engine/pipeline/push/stream_reader.h"

#include <algorithm>
#include <cstring>

#include "engine/pipeline/memory_plan.h"

namespace drs {

StreamReader::StreamReader(Source& source, const Chunker& chunker, BufferPool& segments, Failure& failure,
                           PushMeter& meter, std::size_t tail_bytes)
    : source_(source),
      chunker_(chunker),
      segments_(segments),
      failure_(failure),
      meter_(meter),
      tail_bytes_(tail_bytes) {}

StreamReader::~StreamReader() {
  if (started_.empty()) return;
  source_.cancel();
  for (; !started_.empty(); started_.pop_front()) static_cast<void>(source_.finish());
}

// Starts as many reads as the source can take. Waits for a buffer only if no read is in flight. Returns false if the
// push has failed.
Result<bool> StreamReader::start_reads() {
  while (started_.size() < source_.read_ahead_max()) {
    PooledBuffer buffer = started_.empty() ? segments_.acquire() : segments_.try_acquire();
    if (!buffer) return !started_.empty();
    source_.start(buffer.bytes().subspan(kSegmentHeadroomBytes, kSegmentDataBytes));
    started_.push_back(std::move(buffer));
  }
  return true;
}

Result<void> StreamReader::run(const std::function<void(std::shared_ptr<Segment>)>& take) {
  std::shared_ptr<Segment> previous;  // holds the bytes behind its last cut until they are copied to the next segment
  ByteView carry;
  std::uint64_t stream_offset = 0;
  StretchClock clock(meter_);
  for (bool ended = false; !ended;) {
    DRS_ASSIGN_OR_RETURN(const bool going, start_reads());
    if (!going) return Error(ErrorCode::kCancelled, "the push has failed");
    clock.stage(PushStage::kRead, 0, PushWait::kForBuffers);
    auto read = source_.finish();
    PooledBuffer buffer = std::move(started_.front());
    started_.pop_front();
    if (!read.ok()) return std::move(read).error();
    const std::size_t count = *read;
    clock.stage(PushStage::kRead, count, PushWait::kForSource);
    ended = count < kSegmentDataBytes;
    bytes_ += count;
    if (source_.reads_copy()) copied_bytes_ += count;

    auto segment = std::make_shared<Segment>();
    Byte* const begin = buffer.bytes().data() + kSegmentHeadroomBytes - carry.size();
    if (!carry.empty()) std::memcpy(begin, carry.data(), carry.size());
    copied_bytes_ += carry.size();
    const ByteView data(begin, carry.size() + count);
    segment->buffer = std::move(buffer);
    segment->stream_offset_bytes = stream_offset;
    std::size_t cut = 0;
    while (cut < data.size()) {
      const std::size_t chunk = chunker_.next(data.subspan(cut), ended ? Follows::kEndOfStream : Follows::kMoreBytes);
      if (chunk == 0) break;
      segment->chunk_bytes.push_back(static_cast<std::uint16_t>(chunk));
      cut += chunk;
    }
    segment->data = data.first(cut);
    carry = data.subspan(cut);
    DRS_ASSERT(carry.size() <= kSegmentHeadroomBytes && (!ended || carry.empty()), "a chunk longer than its maximum");
    stream_offset += cut;
    keep_tail(data.last(count));
    clock.stage(PushStage::kCut, count);
    previous = segment;
    if (cut > 0) take(std::move(segment));
    if (failure_.failed()) return Error(ErrorCode::kCancelled, "the push has failed");
  }
  // Reads started beyond the end return no bytes, but must finish before their buffers are released.
  while (!started_.empty()) {
    DRS_ASSIGN_OR_RETURN(const std::size_t count, source_.finish());
    started_.pop_front();
    if (count != 0) return Error(ErrorCode::kSource, source_.name() + " returned more bytes after its end");
  }
  return {};
}

void StreamReader::keep_tail(ByteView data) {
  if (tail_bytes_ == 0) return;
  const std::size_t fresh = std::min(data.size(), tail_bytes_);
  if (tail_.size() + fresh > tail_bytes_)
    tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(tail_.size() + fresh - tail_bytes_));
  tail_.insert(tail_.end(), data.end() - static_cast<std::ptrdiff_t>(fresh), data.end());
}

}  // namespace drs
