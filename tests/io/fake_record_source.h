// FakeRecordSource: logs of partitions in memory, with holes, open transactions, retention and truncation, which tests
// change by hand or by scripts that run while a range is being read. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/record_source.h"

namespace drs {

// A record that owns its bytes.
struct StoredRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  friend bool operator==(const StoredRecord&, const StoredRecord&) = default;

  static StoredRecord copy_of(const Record& record) {
    StoredRecord stored{record.offset, record.timestamp_ms, record.timestamp_type, {}, {}, {}};
    if (record.key) stored.key = as_text(*record.key);
    if (record.value) stored.value = as_text(*record.value);
    for (const RecordHeader& header : record.headers) {
      stored.headers.emplace_back(as_text(header.name), std::nullopt);
      if (header.value) stored.headers.back().second = as_text(*header.value);
    }
    return stored;
  }

  // `headers` receives what the record refers to; both live as long as this.
  Record view(std::vector<RecordHeader>& headers_out) const {
    headers_out.clear();
    for (const auto& [name, content] : headers)
      headers_out.push_back({as_bytes(name), content ? std::optional(as_bytes(*content)) : std::nullopt});
    Record record;
    record.offset = offset;
    record.timestamp_ms = timestamp_ms;
    record.timestamp_type = timestamp_type;
    if (key) record.key = as_bytes(*key);
    if (value) record.value = as_bytes(*value);
    record.headers = headers_out;
    return record;
  }
};

class FakeRecordSource final : public RecordSource {
 public:
  std::size_t records_in_a_poll = 100;

  // Creates the partition where it is new. Each returns its offset or end.
  std::int64_t append(const TopicPartition& partition, StoredRecord record) {
    Log& log = logs_[partition];
    record.offset = log.ends.high_watermark;
    log.records.push_back(std::move(record));
    log.ends.last_stable = ++log.ends.high_watermark;
    return log.ends.high_watermark - 1;
  }
  // Offsets without records: markers, aborted transactions, compaction.
  void skip(const TopicPartition& partition, std::int64_t count) {
    Log& log = logs_[partition];
    log.ends.last_stable = log.ends.high_watermark += count;
  }
  // Compaction of [from, to).
  void remove(const TopicPartition& partition, std::int64_t from, std::int64_t to) {
    std::erase_if(logs_.at(partition).records, [&](const auto& one) { return one.offset >= from && one.offset < to; });
  }
  // A transaction is open from there on.
  void hold_stable(const TopicPartition& partition, std::int64_t offset) {
    logs_.at(partition).ends.last_stable = offset;
  }
  // Retention.
  void delete_before(const TopicPartition& partition, std::int64_t offset) {
    logs_.at(partition).ends.log_start = offset;
    remove(partition, 0, offset);
  }
  // A leader that knew less took over.
  void truncate(const TopicPartition& partition, std::int64_t end) {
    Log& log = logs_.at(partition);
    log.ends.high_watermark = end;
    log.ends.last_stable = std::min(log.ends.last_stable, end);
    log.ends.log_start = std::min(log.ends.log_start, end);
    std::erase_if(log.records, [&](const auto& one) { return one.offset >= end; });
  }
  // A topic that is deleted, or created again.
  void drop(const TopicPartition& partition) { logs_.erase(partition); }
  [[nodiscard]] const std::vector<StoredRecord>& records(const TopicPartition& partition) const {
    return logs_.at(partition).records;
  }

  // Runs once, before a range of the partition passes `offset`.
  void at(const TopicPartition& partition, std::int64_t offset, std::function<void()> script) {
    scripts_.push_back({partition, offset, std::move(script)});
  }
  // The next poll fails, and all after it.
  void fail(Error error) { failed_ = std::move(error); }
  [[nodiscard]] std::size_t ranges_being_read() const { return readings_.size(); }

  Result<std::vector<PartitionEnds>> capture(std::span<const TopicPartition> partitions) override {
    std::vector<PartitionEnds> ends;
    for (const TopicPartition& partition : partitions) {
      const auto log = logs_.find(partition);
      if (log == logs_.end()) return absent(partition);
      ends.push_back(log->second.ends);
    }
    return ends;
  }

  Result<void> read(const OffsetRange& range) override {
    if (!logs_.contains(range.partition)) return absent(range.partition);
    DRS_ASSERT(!readings_.contains(range.number), "two ranges of one number");
    for (const auto& [number, reading] : readings_)
      DRS_ASSERT(reading.range.partition != range.partition, "two ranges of one partition at a time");
    readings_[range.number] = {range, range.from};
    return {};
  }

  Result<void> renew() override { return {}; }
  Result<void> stop(std::uint32_t number) override {
    DRS_ASSERT(readings_.erase(number) == 1, "a range that is not being read");
    return {};
  }

  Result<void> poll(RecordVisitor& visitor) override {
    if (cancelled_) return Error(ErrorCode::kCancelled, "cancelled");
    if (failed_) return *failed_;
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, reading] : readings_) numbers.push_back(number);
    std::size_t left = records_in_a_poll;
    for (const std::uint32_t number : numbers) {
      Result<void> advanced = advance(number, left, visitor);
      if (!advanced.ok()) {
        if (advanced.error().code != ErrorCode::kCancelled) failed_ = advanced.error();
        return advanced;
      }
    }
    return {};
  }

  void cancel() override { cancelled_ = true; }

 private:
  struct Log {
    PartitionEnds ends;
    std::vector<StoredRecord> records;  // by offset
  };
  struct Reading {
    OffsetRange range;
    std::int64_t next = 0;
  };
  struct Script {
    TopicPartition partition;
    std::int64_t offset = 0;
    std::function<void()> run;
  };

  static Error absent(const TopicPartition& partition) {
    return Error(ErrorCode::kNotFound,
                 "partition " + std::to_string(partition.partition) + " of topic '" + partition.topic + "' is absent");
  }

  void run_scripts(const TopicPartition& partition, std::int64_t offset) {
    for (std::size_t i = 0; i < scripts_.size();) {
      if (scripts_[i].partition != partition || scripts_[i].offset > offset) {
        ++i;
        continue;
      }
      const auto run = std::move(scripts_[i].run);
      scripts_.erase(scripts_.begin() + static_cast<std::ptrdiff_t>(i));
      run();
    }
  }

  // The first record at or behind an offset, or null.
  static const StoredRecord* next_of(const Log& log, std::int64_t offset) {
    const auto found = std::lower_bound(log.records.begin(), log.records.end(), offset,
                                        [](const StoredRecord& one, std::int64_t o) { return one.offset < o; });
    return found == log.records.end() || found->offset >= log.ends.last_stable ? nullptr : &*found;
  }

  // Reports up to `left` records of a range. The visitor may stop it, and start others.
  Result<void> advance(std::uint32_t number, std::size_t& left, RecordVisitor& visitor) {
    while (true) {
      const auto reading = readings_.find(number);
      if (reading == readings_.end()) return {};
      const OffsetRange range = reading->second.range;
      std::int64_t& next = reading->second.next;
      if (next >= range.to) {
        readings_.erase(reading);
        return visitor.ended(number);
      }
      if (left == 0) return {};
      run_scripts(range.partition, next);
      const auto log = logs_.find(range.partition);
      if (log == logs_.end()) {
        readings_.erase(reading);
        return visitor.vanished(number);
      }
      const PartitionEnds& ends = log->second.ends;
      if (next < ends.log_start) {
        next = ends.log_start;
        DRS_RETURN_IF_ERROR(visitor.overtaken(number, next));
        continue;
      }
      if (ends.last_stable < range.to && next_of(log->second, next) == nullptr)
        return Error(ErrorCode::kTruncated, "the log ends at offset " + std::to_string(ends.last_stable));
      const StoredRecord* const record = next_of(log->second, next);
      if (record == nullptr || record->offset >= range.to) {
        next = range.to;
        continue;
      }
      next = record->offset + 1;
      --left;
      const StoredRecord copy = *record;  // the visitor may change the log
      std::vector<RecordHeader> headers;
      DRS_RETURN_IF_ERROR(visitor.record(number, copy.view(headers)));
    }
  }

  std::map<TopicPartition, Log> logs_;
  std::map<std::uint32_t, Reading> readings_;
  std::vector<Script> scripts_;
  std::optional<Error> failed_;
  bool cancelled_ = false;
};

}  // namespace drs
