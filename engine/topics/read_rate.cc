#include "engine/topics/read_rate.h"

#include <utility>

#include "engine/topics/record_pull.h"

namespace drs {

Result<double> sample_read_rate(TopicView& view, const std::vector<ChosenTopic>& topics, RangeRestore& restore,
                                const Clock& clock) {
  std::vector<std::vector<std::uint64_t>> skips;
  for (const ChosenTopic& topic : topics) skips.emplace_back(topic.partitions.size());
  RecordPull pull(restore, view, topics, std::move(skips));
  const auto started = clock.steady();
  std::uint64_t bytes = 0;
  bool enough = false;
  const auto done = pull.run([&](const PartitionIndex&, const Record& record) -> Result<void> {
    bytes += payload_bytes(record);
    enough = clock.steady() - started >= kReadRateSample;
    return enough ? Error(ErrorCode::kCancelled, "the sample is large enough") : Result<void>();
  });
  if (!done.ok() && !enough) return done.error();
  const std::chrono::duration<double> elapsed = clock.steady() - started;
  return bytes == 0 ? 0.0 : static_cast<double>(bytes) / elapsed.count();
}

}  // namespace drs
