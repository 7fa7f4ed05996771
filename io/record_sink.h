// RecordSink: where restored records go. It keeps the order of each partition, never loses or doubles a record without
// an error, and holds a bounded number of records. Threads: one thread at a time; `cancel` may be called from any
// thread, but not from a signal handler.
#pragma once

#include <cstdint>
#include <string>

#include "io/base/record.h"
#include "io/base/result.h"
#include "io/base/topic.h"

namespace drs {

struct SinkPosition {
  std::uint64_t acknowledged = 0;  // records that the brokers have stored
  std::int64_t last_offset = -1;   // that of the last acknowledged record; -1: none yet
};

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Returns the number by which `write` names this partition. `compression`: that of the topic's batches: "none",
  // "gzip", "snappy", "lz4", "zstd". Errors: kNotFound.
  virtual Result<std::uint32_t> open(const TopicPartition& partition, const std::string& compression) = 0;
  // Queues a record; copies its bytes. Waits while the queue is full. Errors: kUsage (the brokers refuse the record:
  // too large, or a timestamp outside the topic's limits; the text says which setting), kDenied, kNotFound,
  // kUnavailable (no broker for as long as the sink waits), kUnsettled (it is unknown whether records were stored, or
  // in which order: the partition must be emptied and written again), kCancelled. An error is final for the sink.
  virtual Result<void> write(std::uint32_t number, const Record& record) = 0;
  // Waits until every queued record is acknowledged. Errors: as write.
  virtual Result<void> flush() = 0;
  // Records acknowledged so far.
  [[nodiscard]] virtual SinkPosition position(std::uint32_t number) const = 0;
  // Makes a waiting or later call return kCancelled soon.
  virtual void cancel() = 0;
};

}  // namespace drs
