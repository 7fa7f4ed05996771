// Reads a Source to its end as a pipeline does: several buffers started, finished in order.
#pragma once

#include <deque>
#include <utility>

#include "io/base/bytes.h"
#include "io/source.h"

namespace drs::test {

// Divides `buffers` into slots of `slot_bytes` and keeps as many in flight as the source allows.
inline Result<Bytes> read_to_end(Source& source, MutableByteView buffers, std::size_t slot_bytes) {
  const std::size_t slot_count = buffers.size() / slot_bytes;
  std::deque<MutableByteView> started;
  Bytes all;
  for (std::size_t next = 0;;) {
    while (started.size() < std::min(source.read_ahead_max(), slot_count)) {
      started.push_back(buffers.subspan(next * slot_bytes, slot_bytes));
      source.start(started.back());
      next = (next + 1) % slot_count;
    }
    DRS_ASSIGN_OR_RETURN(const std::size_t filled_bytes, source.finish());
    all.insert(all.end(), started.front().begin(), started.front().begin() + static_cast<std::ptrdiff_t>(filled_bytes));
    started.pop_front();
    if (filled_bytes == slot_bytes) continue;
    while (!started.empty()) {
      DRS_ASSIGN_OR_RETURN(const std::size_t after_end_bytes, source.finish());
      if (after_end_bytes != 0) return Error(ErrorCode::kInternal, "bytes after the end");
      started.pop_front();
    }
    return all;
  }
}

}  // namespace drs::test
