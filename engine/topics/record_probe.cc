#include "engine/topics/record_probe.h"

namespace drs {
namespace {

class FirstRecords final : public RecordVisitor {
 public:
  Result<void> record(std::uint32_t number, const Record& record) override {
    if (!hashes.contains(number)) hashes.emplace(number, record_hash(record, row_));
    return {};
  }
  Result<void> ended(std::uint32_t) override {
    ++done;
    return {};
  }
  Result<void> overtaken(std::uint32_t, std::int64_t) override { return {}; }
  Result<void> vanished(std::uint32_t number) override { return ended(number); }

  std::map<std::uint32_t, RecordHash> hashes;
  std::size_t done = 0;

 private:
  Bytes row_;
};

}  // namespace

Result<std::map<std::uint32_t, RecordHash>> probe_records(RecordSource& source, std::span<const OffsetRange> ranges) {
  FirstRecords first;
  for (const OffsetRange& range : ranges) DRS_RETURN_IF_ERROR(source.read(range));
  while (first.done < ranges.size()) DRS_RETURN_IF_ERROR(source.poll(first));
  return std::move(first.hashes);
}

}  // namespace drs
