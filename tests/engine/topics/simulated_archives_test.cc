// Months of archives, with a forget by rules and a prune each night: the requests of an archive, an opening, a look at
// a topic, a record and a forget are bounded by what docs/SCALING.md "Archives of topics" names, not by the number of
// runs.
//
//   DRSTREAM_TEST_FULL=1 drs_topics_test --gtest_filter='SimulatedArchives.*'     365 nights of 200 partitions, 9,000
//   hours of 20: a quarter of an hour. Prints tables.
#include <gtest/gtest.h>

#include <ctime>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "engine/pipeline/keeping/forget.h"
#include "engine/pipeline/keeping/prune.h"
#include "engine/pipeline/keeping/removal_marks.h"
#include "engine/repository/holds.h"
#include "tests/campaign.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"
#include "tests/engine/topics/archive_fixture.h"
#include "tests/sinks/counted_store.h"

namespace drs::test {
namespace {

using namespace std::chrono_literals;

std::uint64_t cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000 + static_cast<std::uint64_t>(time.tv_nsec) / 1'000'000;
}

// What an operation took.
struct Cost {
  StoreCounts store;
  std::uint64_t cpu_ms = 0;
};

struct DayCosts {
  std::size_t day = 0;
  Cost archive, open, show, record, forget, prune;
  std::size_t streams = 0, extents = 0, snapshots = 0, index_objects = 0, marks = 0, records = 0;
  std::uint64_t record_reads = 0;  // of blocks, those of the opening included
};

struct Plan {
  std::size_t days = 0;
  std::size_t topics = 0, partitions = 0;  // of each topic
  std::size_t runs_a_day = 1;
  KeepRules rules;
  ConsolidationLimits limits = {};
  std::vector<std::size_t> days_shown;  // ascending
};

class SimulatedArchives : public ArchiveTest {
 protected:
  void SetUp() override {
    ArchiveTest::SetUp();
    Secret secret;
    secret.kind = SlotKind::kRawKey;
    secret.bytes = SecretBytes(32);
    secret.bytes.mutable_view()[0] = 1;
    // Opened again, with a clock that the simulation sets.
    auto store = std::make_unique<CountedStore>(make_memory_store(objects_, &time_), counter_);
    auto opened = Repository::open(std::move(store), time_, secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    repository_ = *std::move(opened);
  }

  template <typename Operation>
  Cost measured(const Operation& operation) {
    counter_->reset();
    const std::uint64_t before_ms = cpu_ms();
    operation();
    return {counter_->counts(), cpu_ms() - before_ms};
  }

  void make_topics(const Plan& plan) {
    for (std::size_t topic = 0; topic < plan.topics; ++topic)
      for (FakePartition& partition : kafka_.add_topic("topic-" + std::to_string(topic), plan.partitions).partitions)
        partition.make = [](std::int64_t offset, FakeRecord& record) {
          record.timestamp_ms = 1'790'000'000'000 + offset;
          record.key.emplace(std::to_string(offset % 5));
          record.value.emplace("a value of the record at ").append(std::to_string(offset));
          return true;
        };
  }
  void append() {
    for (auto& [name, topic] : kafka_.topics)
      for (FakePartition& partition : topic.partitions) partition.end += 4;
  }

  void forget(const KeepRules& rules) {
    const SnapshotCatalog catalog = *load_snapshots(*repository_);
    const Holds holds = *load_holds(*repository_, time_.wall_ns());
    const std::map<std::string, const KeepRules*> of_streams = {{"prod", &rules}};
    const auto plans = plan_by_rules({catalog, holds, time_.wall_ns()}, of_streams, {}, ForgetGuards::kOff);
    const auto written = write_removal_marks(*repository_, removal_marks(plans, time_.wall_ns(), "rules"), cancel_);
    ASSERT_TRUE(written.ok()) << written.error().message;
  }
  void prune_once() {
    ProgressCounters progress;
    const auto report = prune(*repository_, {}, {progress, cancel_});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->problems.empty());
  }

  // The last archive of the day, and what readers then need.
  void measure(DayCosts& costs) {
    std::unique_ptr<OpenTopics> opened;
    costs.open = measured([&] { opened = this->open(); });
    ASSERT_NE(opened, nullptr);
    costs.streams = opened->view().manifest().streams.size();
    const CatalogueTopic& topic = opened->view().catalogue().topics.front();
    for (const CatalogueTopic& each : opened->view().catalogue().topics)
      for (const CataloguePartition& partition : each.partitions) costs.extents += partition.extents;
    costs.show = measured([&] {
      const auto open = this->open();
      EXPECT_TRUE(open->view().details(topic).ok());
    });
    const CataloguePartition& partition = topic.partitions.back();
    const std::int64_t offset = partition.to / 3;
    std::vector<FakeRecord> records;
    costs.record = measured([&] {
      const auto open = this->open();
      records = archived(open->view(), topic.name, topic.partitions.size() - 1, {.from = offset, .to = offset + 1});
      costs.record_reads = open->view().block_reads();
    });
    EXPECT_EQ(records.size(), 1U);
    EXPECT_LE(costs.record_reads, 6U);
    costs.snapshots = load_snapshots(*repository_)->live.size();
    costs.index_objects = objects_->list("index/").size();
    costs.marks = objects_->list("removed/").size();
    costs.records = objects_->list("condemned/").size();
  }
  // The number of runs enters only by what prune bounds: small index objects, which it merges from 64 on, once they
  // are older than the least age and the grace time; marks of removals, which it takes up from 256 on, once they are
  // older than the undo time; records of deletions, of which the grace time allows one a day, and which stay.
  static void expect_bounded(const DayCosts& costs, const Plan& plan) {
    EXPECT_LE(costs.index_objects, 64 + 4 * plan.runs_a_day) << costs.day;
    EXPECT_LE(costs.marks, 256 + 9 * plan.runs_a_day) << costs.day;
    EXPECT_LE(costs.extents, 2 * costs.streams * plan.topics * plan.partitions) << costs.day;
    EXPECT_LE(costs.records, costs.day) << costs.day;
    const std::size_t open_max = costs.snapshots + costs.marks + costs.records + 5 * costs.index_objects + 30;
    EXPECT_LE(costs.open.store.requests(), open_max) << costs.day;
    EXPECT_LE(costs.record.store.requests(), open_max + 10) << costs.day;
    EXPECT_LE(costs.show.store.requests(), open_max + 4 * costs.streams) << costs.day;
    EXPECT_LE(costs.forget.store.requests(), costs.snapshots + costs.marks + 2 * plan.runs_a_day + 30) << costs.day;
    // Before the day's prune, with its runs' index objects; while packs are condemned, the recipe of each stream is
    // read.
    EXPECT_LE(costs.archive.store.requests(), open_max + 6 * plan.runs_a_day + costs.streams + 100) << costs.day;
  }

  std::vector<DayCosts> simulate(const Plan& plan) {
    make_topics(plan);
    ArchiveOptions archiving = options();
    archiving.consolidation = plan.limits;
    std::vector<DayCosts> shown;
    for (std::size_t day = 1; day <= plan.days && !HasFatalFailure(); ++day) {
      DayCosts costs;
      costs.day = day;
      for (std::size_t run = 0; run < plan.runs_a_day; ++run) {
        append();
        costs.archive = measured([&] {
          const auto report = archive(archiving);
          ASSERT_TRUE(report.ok()) << report.error().message;
          streams_max_ = std::max(streams_max_, report->manifest.streams.size());
          if (report->rewritten_bytes > 0) ++consolidations_;
        });
        if (HasFatalFailure()) return shown;
        time_.advance(24h / static_cast<int>(plan.runs_a_day));
      }
      costs.forget = measured([&] { forget(plan.rules); });
      costs.prune = measured([&] { prune_once(); });
      if (!std::ranges::binary_search(plan.days_shown, day)) continue;
      measure(costs);
      expect_bounded(costs, plan);
      shown.push_back(costs);
      print(costs);
    }
    return shown;
  }
  // Lines of docs/SCALING.md: requests, MB read and written, ms of CPU time.
  static void print(const DayCosts& costs) {
    std::printf("| %zu | %zu | %zu | %zu | %zu | %zu | %zu |", costs.day, costs.streams, costs.extents, costs.snapshots,
                costs.index_objects, costs.marks, costs.records);
    for (const Cost* const cost :
         {&costs.archive, &costs.open, &costs.show, &costs.record, &costs.forget, &costs.prune})
      std::printf(" %llu · %.1f · %llu |", static_cast<unsigned long long>(cost->store.requests()),
                  static_cast<double>(cost->store.read_bytes + cost->store.put_bytes) / 1e6,
                  static_cast<unsigned long long>(cost->cpu_ms));
    std::printf("\n");
    std::fflush(stdout);
  }

  SetClock time_;
  std::shared_ptr<StoreCounter> counter_ = std::make_shared<StoreCounter>();
  std::size_t streams_max_ = 0;
  std::size_t consolidations_ = 0;
};

KeepRules nightly_rules() {
  KeepRules rules;
  rules.daily = 7, rules.weekly = 4, rules.monthly = 12;
  return rules;
}

TEST_F(SimulatedArchives, OfEachNightTakeABoundedNumberOfRequests) {
  Plan plan;
  plan.days = 25;
  plan.topics = 2, plan.partitions = 10;
  plan.rules = nightly_rules();
  plan.days_shown = {10, 25};
  if (is_full_run()) {
    plan.days = 365;
    plan.topics = 10, plan.partitions = 20;
    plan.days_shown = {10, 30, 100, 200, 365};
  }
  const std::vector<DayCosts> days = simulate(plan);
  ASSERT_EQ(days.size(), plan.days_shown.size());
}

TEST_F(SimulatedArchives, OfEachHourAreRewrittenIntoFewStreams) {
  Plan plan;
  plan.days = 5;
  plan.topics = 2, plan.partitions = 10;
  plan.runs_a_day = 24;
  plan.rules = nightly_rules();
  plan.rules.hourly = 24;
  plan.limits.streams_max = 32;
  plan.days_shown = {2, 5};
  if (is_full_run()) {
    plan.days = 375;
    plan.limits = {};
    plan.days_shown = {10, 30, 43, 100, 200, 375};
  }
  const std::vector<DayCosts> days = simulate(plan);
  ASSERT_EQ(days.size(), plan.days_shown.size());
  EXPECT_LE(streams_max_, plan.limits.streams_max + 2);  // with the catalogue and that of the run
  std::printf("%zu runs rewrote extents; at most %zu streams\n", consolidations_, streams_max_);
  EXPECT_GT(consolidations_, 0U);
}

// Even where `--consolidate` allows to rewrite nothing.
TEST_F(SimulatedArchives, NeverHaveMoreStreamsThanAManifestNames) {
  Plan plan;
  plan.days = 2;
  plan.topics = 1, plan.partitions = 1;
  plan.runs_a_day = 24;
  plan.rules.last = 2;
  plan.limits.streams_max = 8, plan.limits.streams_full = 30;
  plan.days_shown = {1, 2};
  if (is_full_run()) {
    plan.days = 350;
    plan.limits = {};
    plan.days_shown = {10, 43, 100, 200, 300, 350};
  }
  plan.limits.bytes_max = 0;
  const std::vector<DayCosts> days = simulate(plan);
  ASSERT_EQ(days.size(), plan.days_shown.size());
  std::printf("%zu runs rewrote extents; at most %zu streams\n", consolidations_, streams_max_);
  EXPECT_EQ(streams_max_, plan.limits.streams_full + 1);
  EXPECT_LT(streams_max_, kManifestStreamsMax);
  EXPECT_GT(consolidations_, plan.runs_a_day / 2);
}

}  // namespace
}  // namespace drs::test
