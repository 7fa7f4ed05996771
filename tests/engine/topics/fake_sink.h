// A sink that appends to the logs of a cluster in memory.
#pragma once

#include <string>
#include <vector>

#include "io/record_sink.h"
#include "tests/engine/topics/fake_kafka.h"

namespace drs::test {

class FakeSink final : public RecordSink {
 public:
  explicit FakeSink(FakeKafka& kafka) : kafka_(kafka) {}

  Result<std::uint32_t> open(const TopicPartition& partition, const std::string&) override {
    partitions_.push_back({partition, {}});
    return static_cast<std::uint32_t>(partitions_.size() - 1);
  }
  Result<void> write(std::uint32_t number, const Record& record) override {
    auto& [name, position] = partitions_[number];
    position.last_offset = kafka_.partition(name.topic, name.partition).append(copy_of(record)).offset;
    ++position.acknowledged;
    return {};
  }
  Result<void> flush() override { return {}; }
  [[nodiscard]] SinkPosition position(std::uint32_t number) const override { return partitions_[number].second; }
  void cancel() override {}

 private:
  FakeKafka& kafka_;
  std::vector<std::pair<TopicPartition, SinkPosition>> partitions_;
};

}  // namespace drs::test
