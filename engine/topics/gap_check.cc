#include "engine/topics/gap_check.h"

#include <string>
#include <utility>

namespace drs {
namespace {

class GapVisitor final : public RecordVisitor {
 public:
  explicit GapVisitor(std::span<const OffsetRange> gaps) : gaps_(gaps) {}
  [[nodiscard]] std::size_t done() const { return done_; }

 private:
  Result<void> record(std::uint32_t number, const Record& record) override {
    const TopicPartition& partition = gaps_[number].partition;
    return Error(ErrorCode::kSource, "topic " + partition.topic + ", partition " + std::to_string(partition.partition) +
                                         ": this run did not receive the record at offset " +
                                         std::to_string(record.offset) +
                                         ", which a fresh client reads; nothing was archived; run it again, and if "
                                         "this happens again, report the versions of the brokers and of librdkafka");
  }
  Result<void> ended(std::uint32_t) override { return one_done(); }
  Result<void> overtaken(std::uint32_t, std::int64_t) override { return {}; }  // what is left of it is read
  Result<void> vanished(std::uint32_t) override { return one_done(); }         // nobody can tell any more
  Result<void> one_done() {
    ++done_;
    return {};
  }

  const std::span<const OffsetRange> gaps_;
  std::size_t done_ = 0;
};

// One gap of each partition at most: a source reads one range of a partition at a time.
Result<void> read_round(RecordSource& source, std::span<OffsetRange> gaps, std::size_t window,
                        const CancelToken& cancel) {
  GapVisitor visitor(gaps);
  std::size_t begun = 0;
  while (visitor.done() < gaps.size()) {
    if (cancel.cancelled()) return Error(ErrorCode::kCancelled, "the archive was cancelled");
    for (; begun < gaps.size() && begun - visitor.done() < window; ++begun) {
      gaps[begun].number = static_cast<std::uint32_t>(begun);
      DRS_RETURN_IF_ERROR(source.read(gaps[begun]));
    }
    DRS_RETURN_IF_ERROR(source.poll(visitor));
  }
  return {};
}

}  // namespace

Result<void> read_gaps_again(RecordSource& source, std::vector<OffsetRange> gaps, std::size_t window,
                             const CancelToken& cancel) {
  if (gaps.empty()) return {};
  DRS_RETURN_IF_ERROR(source.renew());
  while (!gaps.empty()) {
    std::vector<OffsetRange> round;
    std::vector<OffsetRange> later;
    for (OffsetRange& gap : gaps) {
      const bool first = round.empty() || round.back().partition != gap.partition;
      (first ? round : later).push_back(std::move(gap));
    }
    DRS_RETURN_IF_ERROR(read_round(source, round, window, cancel));
    gaps = std::move(later);
  }
  return {};
}

}  // namespace drs
