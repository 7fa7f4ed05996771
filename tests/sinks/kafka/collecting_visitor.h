// A visitor that keeps what it is told.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "io/record_source.h"
#include "tests/io/fake_record_source.h"

namespace drs {

class CollectingVisitor final : public RecordVisitor {
 public:
  std::map<std::uint32_t, std::vector<StoredRecord>> records;  // by range
  std::vector<std::uint32_t> ends;
  std::vector<std::uint32_t> gone;
  std::map<std::uint32_t, std::int64_t> log_starts;  // of ranges that were overtaken
  std::function<Result<void>(std::uint32_t number)> on_record;
  std::function<Result<void>(std::uint32_t number)> on_end;

  Result<void> record(std::uint32_t number, const Record& record) override {
    records[number].push_back(StoredRecord::copy_of(record));
    return on_record ? on_record(number) : Result<void>();
  }
  Result<void> ended(std::uint32_t number) override {
    ends.push_back(number);
    return on_end ? on_end(number) : Result<void>();
  }
  Result<void> overtaken(std::uint32_t number, std::int64_t log_start) override {
    log_starts[number] = log_start;
    return {};
  }
  Result<void> vanished(std::uint32_t number) override {
    gone.push_back(number);
    return {};
  }

  [[nodiscard]] std::vector<std::int64_t> offsets(std::uint32_t number) {
    std::vector<std::int64_t> out;
    for (const StoredRecord& one : records[number]) out.push_back(one.offset);
    return out;
  }
};

// Polls until so many ranges have ended or vanished, or the first error.
inline Result<void> poll_until_ended(RecordSource& source, CollectingVisitor& visitor, std::size_t ranges) {
  while (visitor.ends.size() + visitor.gone.size() < ranges) DRS_RETURN_IF_ERROR(source.poll(visitor));
  return {};
}

}  // namespace drs
