// Reads what an archive's plan asks for into a segment stream: a window of ranges at a time, each into extents of its
// own. Threads: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/topics/archive_plan.h"
#include "engine/topics/extent_writer.h"
#include "io/base/run_control.h"
#include "io/record_source.h"

namespace drs {

// What the run read of one partition.
struct ReadPartition {
  std::vector<Extent> extents;          // sorted
  std::int64_t through = 0;             // read up to here, in this run or an earlier one
  bool unread = false;                  // the run ended before a range that the plan has was read
  std::uint64_t overtaken_offsets = 0;  // retention deleted them during the run, before they could be read
  std::vector<Gap> gaps_in_doubt;       // the largest that the topic's configuration does not explain
};

class ArchiveReader final : private RecordVisitor {
 public:
  struct Options {
    std::size_t window = 32;                 // ranges read at a time
    std::function<std::string()> stop;       // asked between polls; a reason, if any, ends the run early
    std::optional<std::uint64_t> bytes_max;  // of payload; then the run ends early
  };
  // All outlive the reader. Changes the plan where a topic turns out to be another one.
  ArchiveReader(ArchivePlan& plan, RecordSource& source, SegmentWriter& segment, const RunControl& control,
                Options options);

  // Errors: kSource (a literal topic has vanished; a partition was truncated), the source's, the writer's, kCancelled.
  Result<void> run();
  // Why the run ended before everything was read: "budget", or what `stop` returned. Empty: it did not.
  [[nodiscard]] const std::string& stopped() const { return stopped_; }
  // Notes that a topic has vanished, and warns. `what`: "was deleted".
  void leave_out(std::size_t topic, const std::string& what);
  // By number of topic and of partition in the plan; empty for a topic that has vanished.
  [[nodiscard]] const std::vector<std::vector<ReadPartition>>& partitions() const { return read_; }
  // Of all topics that have not vanished, by topic and partition.
  [[nodiscard]] std::vector<OffsetRange> gaps_in_doubt() const;
  [[nodiscard]] bool has_vanished(std::size_t topic) const { return vanished_[topic]; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  [[nodiscard]] std::uint64_t payload_bytes() const { return payload_bytes_; }

 private:
  struct Range {
    std::size_t topic = 0;
    std::size_t partition = 0;
    OffsetSpan span;
    std::optional<LastRecord> expected;  // must be the first record
    std::unique_ptr<ExtentWriter> writer;
  };
  Result<void> record(std::uint32_t number, const Record& record) override;
  Result<void> ended(std::uint32_t number) override;
  Result<void> overtaken(std::uint32_t number, std::int64_t log_start) override;
  Result<void> vanished(std::uint32_t number) override;

  void enqueue(std::size_t topic);
  Result<void> fill_window();
  Result<void> begin(Range range);
  Result<void> check_first(Range& range, const Record* record);
  Result<void> restart_topic(std::size_t topic, const std::string& why);
  Result<void> drop_ranges(std::size_t topic);
  Result<void> finish_range(Range& range, std::int64_t to);
  Result<void> finish_all(std::string reason);
  Result<void> add(Range& range, const Record& record);
  Result<void> end(std::uint32_t number);
  Result<void> vanish(std::uint32_t number);
  Result<void> own(Result<void> done);
  [[nodiscard]] std::string reason_to_stop() const;
  [[nodiscard]] std::string name_of(const Range& range) const;

  ArchivePlan& plan_;
  RecordSource& source_;
  SegmentWriter& segment_;
  const RunControl control_;
  const Options options_;
  std::vector<Range> waiting_;  // last first
  std::map<std::uint32_t, Range> active_;
  std::uint32_t number_next_ = 0;
  std::vector<std::vector<ReadPartition>> read_;
  std::vector<bool> vanished_;
  // Topics, once the current poll has returned: to be read from the start, and why; to be read no more.
  std::map<std::size_t, std::string> to_restart_;
  std::set<std::size_t> to_drop_;
  std::uint64_t records_ = 0;
  std::uint64_t payload_bytes_ = 0;
  std::string stopped_;
  bool own_error_ = false;  // the error of the poll is not the source's
};

}  // namespace drs
