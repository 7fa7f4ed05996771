// A cluster in memory: topics whose logs a test writes, with holes, retention and deletion, and a source that reads
// them.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "io/record_source.h"
#include "io/topic_cluster.h"

namespace drs::test {

struct FakeRecord {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  TimestampType type = TimestampType::kCreateTime;
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};
  std::vector<std::pair<std::string, std::optional<std::string>>> headers = {};
  friend bool operator==(const FakeRecord&, const FakeRecord&) = default;
};
FakeRecord copy_of(const Record& record);

struct FakePartition {
  std::vector<FakeRecord> log;  // offsets grow
  // Makes the record at an offset, instead of the log, for logs that are too long to hold; false: there is none. What
  // it does not change is left of the record before.
  std::function<bool(std::int64_t offset, FakeRecord& record)> make;
  std::int64_t log_start = 0;
  std::int64_t end = 0;                     // high watermark
  std::optional<std::int64_t> last_stable;  // `end` if there is none
  // Appends a record at the end.
  FakeRecord& append(FakeRecord record);
  void skip(std::int64_t offsets) { end += offsets; }  // offsets that hold no record
  void delete_before(std::int64_t offset);
};

struct FakeTopic {
  Uuid id;
  std::vector<TopicConfig> configs;
  std::vector<FakePartition> partitions;
};

class FakeKafka final : public TopicCluster, public RecordSource {
 public:
  FakeTopic& add_topic(const std::string& name, std::size_t partitions);
  FakePartition& partition(const std::string& topic, std::size_t number) { return topics.at(topic).partitions[number]; }

  std::string id = "fake";
  std::map<std::string, FakeTopic> topics;
  std::map<std::string, std::vector<GroupOffset>> committed;
  std::size_t ranges_in_a_poll = 1;
  std::size_t batch = 100;                              // records a poll delivers of one range
  std::function<void()> before_poll;                    // may change the logs
  std::function<void()> before_configs;                 // may delete topics
  std::function<bool(const FakeRecord&)> client_skips;  // what the client leaves out by mistake, until it is renewed
  bool away = false;                                    // no broker answers
  std::size_t renewals = 0;
  std::uint64_t records_delivered = 0;

  Result<ClusterView> look() override;
  Result<std::vector<TopicConfig>> configs(const std::string& topic) override;
  Result<std::vector<TopicConfig>> all_configs(const std::string& topic) override { return configs(topic); }
  Result<std::vector<std::string>> groups() override;
  Result<std::vector<GroupOffset>> group_offsets(const std::string& group) override { return committed.at(group); }
  Result<GroupState> group_state(const std::string& group) override {
    return committed.contains(group) ? GroupState::kEmpty : GroupState::kAbsent;
  }
  Result<void> create(const NewTopic& topic) override;
  Result<void> try_create(const NewTopic& topic) override;
  Result<std::vector<RefusedConfig>> set_configs(const std::string& topic,
                                                 const std::map<std::string, std::string>& configs) override;
  Result<std::vector<RefusedConfig>> unset_configs(const std::string& topic,
                                                   std::span<const std::string> names) override;
  Result<void> set_group_offsets(const std::string& group, std::span<const GroupOffset> offsets) override;
  Result<void> delete_group_offsets(const std::string& group, std::span<const TopicPartition> partitions) override;

  Result<std::vector<PartitionEnds>> capture(std::span<const TopicPartition> partitions) override;
  Result<void> read(const OffsetRange& range) override;
  Result<void> renew() override;
  Result<void> stop(std::uint32_t number) override;
  Result<void> poll(RecordVisitor& visitor) override;
  void cancel() override {}

 private:
  struct Reading {
    OffsetRange range;
    std::int64_t next = 0;
  };
  Result<void> deliver(Reading& reading, RecordVisitor& visitor, bool& done);
  Result<void> deliver_made(const FakePartition& log, Reading& reading, RecordVisitor& visitor, bool& done);
  Result<void> deliver_record(const FakeRecord& record, Reading& reading, RecordVisitor& visitor);
  std::deque<Reading> readings_;
  FakeRecord made_;
};

}  // namespace drs::test
