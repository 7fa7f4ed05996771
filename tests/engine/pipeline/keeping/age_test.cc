// An old repository opens like a young one: days of hourly pushes of several streams, 1 in 100 of which dies, with a
// forget and a prune each day; then the requests of a push are compared with those in a new repository of the same
// snapshots.
//
//     DRSTREAM_TEST_FULL=1   50 streams and 1,000 days, with pushes of 20 to 40 kB: one a day of each stream, and one
//     an hour in the last 15 days. More pushes in the days before would leave longer records and retired objects, and
//     not many more of them, so that an opening takes hardly more requests. DRSTREAM_TEST_SEED     as for every
//     campaign (tests/campaign.h)
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "engine/pipeline/keeping/forget.h"
#include "engine/repository/holds.h"
#include "engine/repository/snapshots.h"
#include "tests/campaign.h"
#include "tests/engine/pipeline/keeping/keeping_fixture.h"
#include "tests/sinks/hook_store.h"

namespace drs::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kStreamBytes = 20'000;

std::string stream_name(std::size_t number) {
  return "stream/" + std::to_string(number);
}

// Half of it is the same each hour.
Bytes stream_at(std::size_t stream, std::size_t hour) {
  Bytes bytes = random_stream(static_cast<std::uint32_t>(stream), kStreamBytes);
  const Bytes fresh = random_stream(static_cast<std::uint32_t>(stream + 1'000 * (hour + 1)), hour % kStreamBytes);
  bytes.insert(bytes.end(), fresh.begin(), fresh.end());
  return bytes;
}

// A repository that counts its reads and lists.
class CountedRepository : public KeepingTest {
 public:
  CountedRepository() {
    SetUp();
    use(objects_);
  }
  void TestBody() override {}

  void push(std::size_t stream, std::size_t hour) {
    Workshop& workshop = workshop_of(stream);
    const Pushed pushed = push_in(workshop, stream, hour);
    hours_[pushed.name] = hour;
    hand_over(workshop);
  }
  // Leaves what a push leaves that was killed before its commit.
  void push_killed(std::size_t stream, std::size_t hour) {
    Workshop& workshop = workshop_of(stream);
    const Pushed pushed = push_in(workshop, stream, hour);
    for (const ObjectKey& name : added(workshop)) {
      if (name != pushed.name) copy(*workshop.objects, name, *objects_);
      workshop.objects->erase(name);
    }
    put_session_of(pushed.manifest);
  }
  void forget(const KeepRules& rules) {
    const SnapshotCatalog catalog = load();
    std::map<std::string, const KeepRules*> of_streams;
    for (const Snapshot& snapshot : catalog.live) of_streams.emplace(snapshot.manifest.stream, &rules);
    const Holds holds;
    const auto plans = plan_by_rules({catalog, holds, store_clock_.wall_ns()}, of_streams, {}, ForgetGuards::kOff);
    for (const PlannedStream& plan : plans)
      for (const PlannedSnapshot& planned : plan.snapshots)
        if (!planned.stays()) mark(*planned.snapshot);
  }
  SnapshotCatalog load() {
    SnapshotCatalog catalog = KeepingTest::load();
    EXPECT_TRUE(catalog.missing.empty());
    return catalog;
  }
  // The hours of the snapshots of a stream, oldest first.
  std::vector<std::size_t> live_hours(const SnapshotCatalog& catalog, std::size_t stream) const {
    std::vector<std::size_t> hours;
    for (const Snapshot& snapshot : catalog.live)
      if (snapshot.manifest.stream == stream_name(stream)) hours.push_back(hours_.at(snapshot.name));
    return hours;
  }
  std::uint64_t requests_of_push(std::size_t stream, std::size_t hour) {
    requests_ = 0;
    push_stream(stream_at(stream, hour), stream_name(stream));
    return requests_;
  }
  void pass(std::chrono::nanoseconds time) { store_clock_.advance(time); }
  void prune_once() { EXPECT_TRUE(prune_with(PruneOptions{}).problems.empty()); }
  std::size_t count(std::string_view prefix) const { return names(prefix).size(); }

 private:
  // A push reads the index of the whole repository. So each stream has a small one with the same keys, where it is
  // pushed in a moment: its first snapshot, with the blocks that all others share, and its last. What a push stores
  // there is moved into the large one.
  struct Workshop {
    std::shared_ptr<MemoryObjects> objects;
    std::set<ObjectKey> first, last;
  };

  void use(std::shared_ptr<MemoryObjects> objects) {
    const auto count = [this](std::string_view operation, std::string_view) -> std::optional<Error> {
      if (operation == "get" || operation == "list") ++requests_;
      return std::nullopt;
    };
    repository_->replace_store(std::make_unique<HookStore>(make_memory_store(std::move(objects), &store_clock_),
                                                           std::make_shared<StoreHook>(count)));
  }
  Workshop& workshop_of(std::size_t stream) {
    Workshop& workshop = workshops_[stream];
    if (workshop.objects != nullptr) return workshop;
    workshop.objects = std::make_shared<MemoryObjects>();
    for (const std::string_view prefix : {"config/", "keys/"})
      for (const ObjectInfo& info : objects_->list(prefix)) copy(*objects_, info.key, *workshop.objects);
    return workshop;
  }
  Pushed push_in(const Workshop& workshop, std::size_t stream, std::size_t hour) {
    use(workshop.objects);
    Pushed pushed = push_stream(stream_at(stream, hour), stream_name(stream));
    use(objects_);
    return pushed;
  }
  void hand_over(Workshop& workshop) {
    std::set<ObjectKey> names = added(workshop);
    for (const ObjectKey& name : names) copy(*workshop.objects, name, *objects_);
    for (const ObjectKey& name : workshop.last) workshop.objects->erase(name);
    (workshop.first.empty() ? workshop.first : workshop.last) = std::move(names);
  }
  // What the latest push into it has stored.
  static std::set<ObjectKey> added(const Workshop& workshop) {
    std::set<ObjectKey> names;
    for (const std::string_view prefix : {"packs/", "index/", "manifests/"})
      for (const ObjectInfo& info : workshop.objects->list(prefix))
        if (!workshop.first.contains(info.key) && !workshop.last.contains(info.key)) names.insert(info.key);
    return names;
  }
  void copy(const MemoryObjects& from, const ObjectKey& name, MemoryObjects& to) {
    ASSERT_TRUE(to.insert(name, *from.find(name)->bytes, store_clock_.wall_ns()));
  }
  void put_session_of(const Manifest& manifest) {
    SessionRecord record;
    record.session = manifest.session;
    record.stream = manifest.stream;
    put(ObjectKind::kSession, session_name(repository_->keys().stream_tag(record.stream), record.session, 7),
        encode_session(record));
  }
  void mark(const Snapshot& snapshot) {
    const RemovedMark mark{.manifest_name = snapshot.name,
                           .manifest_digest = snapshot.digest,
                           .stream = snapshot.manifest.stream,
                           .sequence = snapshot.manifest.sequence,
                           .removed_ns = store_clock_.wall_ns(),
                           .reason = "rules"};
    put(ObjectKind::kRemoved, removed_name(snapshot.name), encode_removed(mark));
    hours_.erase(snapshot.name);
  }

  std::map<std::size_t, Workshop> workshops_;  // by stream
  std::map<std::string, std::size_t> hours_;   // by the name of the manifest
  std::atomic<std::uint64_t> requests_ = 0;
};

TEST(AgeTest, AnOldRepositoryOpensWithTheRequestsOfANewOne) {
  const std::size_t streams = is_full_run() ? 50 : 3;
  const std::size_t days = is_full_run() ? 1'000 : 9;
  const std::size_t step = is_full_run() ? 1 : 4;  // hours between pushes
  std::mt19937_64 random(campaign_seed());
  KeepRules rules;
  rules.hourly = 24, rules.daily = 7, rules.weekly = 4, rules.monthly = 12;
  CountedRepository old;
  constexpr std::size_t kHourlyDays = 15;  // longer than snapshots that are removed can be taken back
  std::size_t hour = 0;
  for (std::size_t day = 0; day < days; ++day) {
    const std::size_t step_now = day + kHourlyDays < days ? 24 : step;
    for (const std::size_t end = hour + 24; hour < end; hour += step_now) {
      for (std::size_t stream = 0; stream < streams; ++stream)
        random() % 100 == 0 ? old.push_killed(stream, hour) : old.push(stream, hour);
      old.pass(std::chrono::hours(step_now));
    }
    old.forget(rules);
    old.prune_once();
    if (is_full_run() && day % 50 == 49) {
      std::printf("day %zu: %zu packs, %zu index objects, %zu records, %zu marks, %zu retired objects\n", day + 1,
                  old.count("packs/"), old.count("index/"), old.count("condemned/"), old.count("removed/"),
                  old.count("retired/"));
      std::fflush(stdout);
    }
  }
  const SnapshotCatalog catalog = old.load();
  CountedRepository fresh;
  for (std::size_t stream = 0; stream < streams; ++stream)
    for (const std::size_t of_hour : old.live_hours(catalog, stream)) fresh.push(stream, of_hour);
  const std::uint64_t young = fresh.requests_of_push(0, hour);
  const std::uint64_t aged = old.requests_of_push(0, hour);
  std::printf("%zu snapshots; a push takes %llu requests, and %llu in a new repository\n", catalog.live.size(),
              static_cast<unsigned long long>(aged), static_cast<unsigned long long>(young));
  EXPECT_LE(aged, 2 * young);
}

}  // namespace
}  // namespace drs::test
