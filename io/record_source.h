// RecordSource: where the records of topics enter. It reads ranges of offsets of several partitions at a time, without
// a consumer group, and reports what it finds to a visitor. Threads: one thread at a time; `cancel` may be called from
// any thread, but not from a signal handler.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "io/base/record.h"
#include "io/base/result.h"
#include "io/base/topic.h"

namespace drs {

// The ends of a partition's log. Records from `last_stable` on belong to open transactions, or follow them.
struct PartitionEnds {
  std::int64_t log_start = 0;
  std::int64_t last_stable = 0;
  std::int64_t high_watermark = 0;
};

// The offsets [from, to) of a partition. `number`: chosen by the caller, unique among the ranges being read.
struct OffsetRange {
  std::uint32_t number = 0;
  TopicPartition partition;
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// Receives what a source reads; `number` is that of the range. An error ends the poll, which returns it.
class RecordVisitor {
 public:
  virtual ~RecordVisitor() = default;
  // The next record of a range; offsets grow. The record's bytes are borrowed until the call returns.
  virtual Result<void> record(std::uint32_t number, const Record& record) = 0;
  // The range has been read to its end: what was not reported does not exist in it. It is no longer being read.
  virtual Result<void> ended(std::uint32_t number) = 0;
  // Retention has deleted records that were still to be read: the log now starts at `log_start`, behind the position.
  // Reading goes on from there (or the range has ended, if its end lies before that: `ended` follows).
  virtual Result<void> overtaken(std::uint32_t number, std::int64_t log_start) = 0;
  // The topic or the partition no longer exists. The range is no longer being read.
  virtual Result<void> vanished(std::uint32_t number) = 0;
};

class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // Asks the brokers for the ends of these partitions, in their order. Errors: kNotFound (no such topic or partition),
  // kDenied, kUnavailable.
  virtual Result<std::vector<PartitionEnds>> capture(std::span<const TopicPartition> partitions) = 0;
  // Begins to read a range. Errors: kNotFound, kUnavailable.
  virtual Result<void> read(const OffsetRange& range) = 0;
  // Ends the reading of a range before its end. Records that were already fetched are dropped.
  virtual Result<void> stop(std::uint32_t number) = 0;
  // Goes on with a client of its own that is new: nothing that the one before has cached or miscounted lasts. Errors:
  // kBusy, kUnavailable.
  virtual Result<void> renew() = 0;
  // Waits for records of any range being read, at most about a second, and reports them. Errors: those of `visitor`;
  // kTruncated (the log of a partition ends before the end of its range: records that existed are gone); kCorrupt (a
  // batch with a wrong CRC, or offsets that do not grow); kDenied; kUnavailable (no broker for as long as the source
  // waits); kCancelled.
  virtual Result<void> poll(RecordVisitor& visitor) = 0;
  // Makes a waiting or later poll return kCancelled soon.
  virtual void cancel() = 0;
};

}  // namespace drs
