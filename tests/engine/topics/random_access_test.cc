// Records of a long partition are found with few block reads, whatever their offset or time.
//
//   DRSTREAM_TEST_FULL=1 drs_topics_test --gtest_filter='RandomAccess.*'     100 million records, about 5 minutes
//   DRSTREAM_TEST_SEED=N                                                     looks for others than those of seed 1
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>

#include "tests/campaign.h"
#include "tests/engine/topics/archive_fixture.h"
#include "tests/sinks/counted_store.h"

namespace drs::test {
namespace {

constexpr std::uint64_t kReadsMax = 6;
constexpr std::int64_t kMinuteMs = 60'000, kHourMs = 60 * kMinuteMs;

std::uint64_t mixed(std::uint64_t number) {  // splitmix64
  number += 0x9E3779B97F4A7C15;
  number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
  number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
  return number ^ (number >> 31);
}

// A partition whose records follow from their offsets: one in 37 offsets holds none, as after transactions, nor do a
// long range and the offsets beside the ends of runs. A record every 86 ms, its time up to 5 s early or late; in the
// middle an hour without any.
class LongPartition {
 public:
  explicit LongPartition(std::int64_t records) {
    // One long run, whose extent is divided, and shorter ones.
    constexpr std::int64_t kRuns = 30;
    const std::int64_t first = records / 10 * 7;
    for (std::int64_t run = 0; run < kRuns; ++run) ends_.push_back(first + (records - first) * run / (kRuns - 1));
    gap_from_ = records / 5;
    gap_to_ = gap_from_ + records / 100;
  }
  [[nodiscard]] const std::vector<std::int64_t>& ends() const { return ends_; }  // of the runs
  [[nodiscard]] std::int64_t end() const { return ends_.back(); }
  [[nodiscard]] std::int64_t gap_from() const { return gap_from_; }
  [[nodiscard]] std::int64_t gap_to() const { return gap_to_; }

  [[nodiscard]] bool has(std::int64_t offset) const {
    if (offset < 0 || offset >= end() || (offset >= gap_from_ && offset < gap_to_)) return false;
    const auto run_end = std::ranges::lower_bound(ends_, offset - 1);  // one that ends at most one offset before
    if (run_end != ends_.end() && *run_end - offset <= 3 && *run_end != end()) return false;
    return mixed(static_cast<std::uint64_t>(offset)) % 37 != 0;
  }
  [[nodiscard]] std::int64_t timestamp_ms(std::int64_t offset) const {
    const auto jitter = static_cast<std::int64_t>(mixed(static_cast<std::uint64_t>(offset) ^ 0x5555) % 10'001) - 5'000;
    return 1'700'000'000'000 + 86 * offset + (offset > end() / 2 ? kHourMs : 0) + jitter;
  }
  [[nodiscard]] bool make(std::int64_t offset, FakeRecord& record) const {
    if (!has(offset)) return false;
    record.timestamp_ms = timestamp_ms(offset);
    record.key.emplace("customer ").append(std::to_string(offset % 1000));
    record.value.emplace("order ").append(std::to_string(offset)).append(" of three items, paid by invoice");
    return true;
  }
  // The first offset at or after `from` with a record; `end()` if there is none.
  [[nodiscard]] std::int64_t next(std::int64_t from) const {
    while (from < end() && !has(from)) ++from;
    return from;
  }
  // The first offset of a record with a timestamp in [since, since + a minute).
  [[nodiscard]] std::int64_t first_of_minute(std::int64_t since_ms, std::int64_t near) const {
    const auto is_in = [&](std::int64_t offset) {
      const std::int64_t time = timestamp_ms(offset);
      return has(offset) && time >= since_ms && time < since_ms + kMinuteMs;
    };
    std::int64_t offset = std::max<std::int64_t>(0, near - 2'000);
    while (offset < std::min(near + 2'000, end()) && !is_in(offset)) ++offset;
    return is_in(offset) ? offset : end();
  }

 private:
  std::vector<std::int64_t> ends_;
  std::int64_t gap_from_ = 0, gap_to_ = 0;
};

class RandomAccess : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    repository_->replace_store(std::make_unique<CountedStore>(make_memory_store(objects_), counter_));
    FakePartition& log = kafka_.add_topic("orders", 1).partitions[0];
    log.make = [this](std::int64_t offset, FakeRecord& record) { return partition_.make(offset, record); };
    kafka_.batch = 10'000;
    for (const std::int64_t end : partition_.ends()) {
      log.end = end;
      const auto report = archive(options());
      ASSERT_TRUE(report.ok()) << report.error().message;
      records_ = report->records;
    }
  }

  // Opens the archive, and finds the first record of the window, which must be that at `expected`.
  void find(const RecordWindow& window, std::int64_t expected) {
    const auto open = this->open();
    ASSERT_NE(open, nullptr);
    const StoreCounts opened = counter_->counts();
    std::optional<FakeRecord> found;
    const auto visited = open->view().visit(open->view().find("orders")->partitions[0], window,
                                            [&](const Record& record) -> Result<bool> {
                                              found = copy_of(record);
                                              return false;
                                            });
    ASSERT_TRUE(visited.ok()) << visited.error().message;
    FakeRecord record;
    record.offset = expected;
    EXPECT_EQ(found, partition_.make(expected, record) ? std::optional(record) : std::nullopt) << expected;
    const std::uint64_t reads = counter_->counts().pack_reads - opened.pack_reads;
    EXPECT_LE(reads, kReadsMax) << "from offset " << window.from << ", from time " << window.since_ms.value_or(0);
    EXPECT_LE(open->view().block_reads(), kReadsMax) << "with those of the opening";
    reads_max_ = std::max(reads_max_, reads);
    all_reads_max_ = std::max(all_reads_max_, open->view().block_reads());
    index_reads_max_ = std::max(index_reads_max_, counter_->counts().reads - opened.reads - reads);
    ++found_;
  }
  void find_offset(std::int64_t offset) {
    find({.from = offset, .to = offset + 1}, offset);
    find({.from = offset}, partition_.next(std::max<std::int64_t>(0, offset)));
  }
  void find_minute(std::int64_t since_ms, std::int64_t near) {
    find({.since_ms = since_ms, .until_ms = since_ms + kMinuteMs}, partition_.first_of_minute(since_ms, near));
  }
  void print(const char* what) {
    std::printf(
        "%s: %llu searches in %llu records; at most %llu block reads, %llu with those of the opening, and %llu "
        "reads of the index\n",
        what, static_cast<unsigned long long>(found_), static_cast<unsigned long long>(records_),
        static_cast<unsigned long long>(reads_max_), static_cast<unsigned long long>(all_reads_max_),
        static_cast<unsigned long long>(index_reads_max_));
  }

  const LongPartition partition_{is_full_run() ? 104'000'000 : 400'000};
  const std::size_t random_searches_ = is_full_run() ? 300 : 20;
  std::shared_ptr<StoreCounter> counter_ = std::make_shared<StoreCounter>();
  std::mt19937_64 random_{campaign_seed()};
  std::uint64_t records_ = 0, found_ = 0;
  std::uint64_t reads_max_ = 0, all_reads_max_ = 0, index_reads_max_ = 0;
};

TEST_F(RandomAccess, FindsARecordByOffsetOrTimeInSixBlockReads) {
  EXPECT_GE(records_, is_full_run() ? 100'000'000U : 380'000U);
  const auto open = this->open();
  const std::vector<CatalogueExtent> extents = *open->view().extents(open->view().find("orders")->partitions[0]);
  std::set<std::int64_t> offsets = {0, 1, partition_.end() - 1, partition_.end()};
  std::vector<std::int64_t> borders = {partition_.gap_from(), partition_.gap_to(), partition_.end() / 2};
  const std::size_t step = is_full_run() ? 1 : 7;
  for (std::size_t i = 0; i < extents.size(); i += step) borders.push_back(extents[i].to);
  for (const std::int64_t border : borders)
    for (std::int64_t offset = border - 5; offset <= border + 3; ++offset) offsets.insert(offset);
  for (std::size_t i = 0; i < random_searches_; ++i)
    offsets.insert(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(partition_.end())));
  for (const std::int64_t offset : offsets) find_offset(offset);
  print("by offset");

  found_ = reads_max_ = all_reads_max_ = index_reads_max_ = 0;
  for (const std::int64_t offset : offsets) {
    const std::int64_t time_ms = partition_.timestamp_ms(offset);
    for (const std::int64_t since_ms : {time_ms - kMinuteMs, time_ms - 5'000, time_ms, time_ms + 5'000})
      find_minute(since_ms, offset);
  }
  const std::int64_t hole_ms = partition_.timestamp_ms(partition_.end() / 2);
  find_minute(hole_ms + kHourMs / 2, partition_.end() / 2);  // none
  print("by time");
  EXPECT_EQ(extents.size(), is_full_run() ? 31U : 30U);
}

}  // namespace
}  // namespace drs::test
