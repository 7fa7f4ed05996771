// Faults that only a local store meets: disk faults, power cuts, and processes that die half way.
#include "sinks/local/local_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <map>

#include "io/failpoint.h"
#include "io/sim_file_system.h"
#include "sinks/object_io.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::AlignedBytes;
using test::listed_keys;
using test::outcome;
using test::random_bytes;
using test::run_until_done;
using test::TestPut;

std::unique_ptr<ObjectStore> open_store(const std::shared_ptr<FileSystem>& files) {
  auto store = open_local_store(files, {});
  EXPECT_TRUE(store.ok());
  return *std::move(store);
}

std::vector<std::string> names_in(FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  static_cast<void>(files.list(directory, [&](const FileInfo& info) -> Result<void> {
    names.push_back(info.name);
    return {};
  }));
  return names;
}

// A workload with every kind of put: direct with a tail, buffered, named late, dropped, empty, removed, repeated.
class Workload {
 public:
  struct Outcome {
    std::map<ObjectKey, Result<void>> puts;
    std::map<ObjectKey, Result<void>> removes;
  };

  [[nodiscard]] Outcome run(ObjectStore& store) const {
    Outcome outcome;
    std::vector<std::unique_ptr<TestPut>> puts;
    for (const auto& [key, body] : bodies())
      puts.push_back(std::make_unique<TestPut>(key, std::vector<ByteView>{body}));
    TestPut late("", {direct_.view()});
    TestPut dropped("", {buffered_});
    for (const auto& put : puts) store.put(put->operation);
    store.put(late.operation);
    store.put(dropped.operation);
    EXPECT_TRUE(store.run(false).ok());
    store.name(late.operation, "packs/ab/late");
    store.drop(dropped.operation);
    for (const auto& put : puts) run_until_done(store, *put);
    run_until_done(store, late);
    run_until_done(store, dropped);
    EXPECT_EQ(test::outcome(dropped.operation.result), "cancelled");
    for (const auto& put : puts) outcome.puts.emplace(put->operation.key, put->operation.result);
    outcome.puts.emplace("packs/ab/late", late.operation.result);
    outcome.removes.emplace("index/gone", store.remove("index/gone"));
    return outcome;
  }

  // The bytes that each key must have, once it exists.
  [[nodiscard]] std::map<ObjectKey, ByteView> bodies() const {
    return {{"packs/ab/direct", direct_.view()},
            {"packs/ac/direct", direct_.view()},
            {"packs/ab/buffered", buffered_},
            {"index/gone", buffered_},
            {"empty", {}}};
  }
  [[nodiscard]] ByteView body_of(const ObjectKey& key) const {
    return key == "packs/ab/late" ? direct_.view() : bodies().at(key);
  }

 private:
  AlignedBytes direct_{random_bytes(kMiB + 12'345, 1)};
  Bytes buffered_ = random_bytes(30'011, 2);
};

// Every object is complete, and the object of every put that succeeded exists.
void expect_sound(ObjectStore& store, const Workload& workload, const Workload::Outcome& outcome) {
  const std::set<ObjectKey> keys = listed_keys(store, "");
  for (const ObjectKey& key : keys) {
    const auto bytes = get_object(store, key, 8 * kMiB);
    ASSERT_TRUE(bytes.ok()) << key << ": " << bytes.error().message;
    const ByteView expected = workload.body_of(key);
    EXPECT_TRUE(std::equal(bytes->begin(), bytes->end(), expected.begin(), expected.end())) << key << " is torn";
  }
  for (const auto& [key, result] : outcome.puts) {
    const auto removed = outcome.removes.find(key);
    if (removed == outcome.removes.end()) {
      EXPECT_TRUE(!result.ok() || keys.contains(key)) << key << " was reported stored";
    } else if (removed->second.ok()) {
      EXPECT_FALSE(keys.contains(key)) << key << " was reported removed";
    }
  }
}

TEST(LocalStoreFaults, NoFailingOperationLeavesATornObjectOrAFalseSuccess) {
  const Workload workload;
  for (const int number : {EIO, ENOSPC, EROFS}) {
    std::uint64_t failures_seen = 0;
    for (std::uint64_t nth = 1;; ++nth) {
      SCOPED_TRACE("operation " + std::to_string(nth) + " fails with errno " + std::to_string(number));
      auto files = std::make_shared<SimFileSystem>(nth);
      auto store = open_store(files);
      files->fail_nth(nth, number);
      const Workload::Outcome outcome = workload.run(*store);
      const bool reached = files->operations_seen() >= nth;
      files->fail_nth(0, 0);
      for (const auto& [key, result] : outcome.puts) {
        if (result.ok()) continue;
        ++failures_seen;
        // Neither kNoSpace nor kDenied: the name was made, and may come back.
        const bool named = result.error().message.find("its name cannot be made durable") != std::string::npos;
        const std::string expected = number == EIO || named ? "io" : number == ENOSPC ? "no-space" : "denied";
        // After a failed sync of a directory, all later puts into it fail.
        EXPECT_EQ(test::outcome(result), expected) << result.error().message;
        EXPECT_NE(result.error().message.find(key), std::string::npos) << result.error().message;
        EXPECT_TRUE(reached);
      }
      expect_sound(*store, workload, outcome);
      store.reset();
      files->power_cut();
      expect_sound(*open_store(files), workload, outcome);
      if (HasFatalFailure() || !reached) break;
    }
    EXPECT_GT(failures_seen, 20U);
  }
}

TEST(LocalStoreFaults, APowerCutAtAnyOperationLosesNothingThatWasReportedStored) {
  const Workload workload;
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE("the machine stops at operation " + std::to_string(nth));
    auto files = std::make_shared<SimFileSystem>(1'000 + nth);
    auto store = open_store(files);
    files->halt_at(nth);
    const Workload::Outcome outcome = workload.run(*store);
    const bool reached = files->operations_seen() >= nth;
    store.reset();
    files->power_cut();
    store = open_store(files);
    expect_sound(*store, workload, outcome);
    // The next run completes the rest: each name is free, or holds a complete object.
    const Workload::Outcome again = workload.run(*store);
    for (const auto& [key, result] : again.puts) {
      EXPECT_TRUE(result.ok() || result.error().code == ErrorCode::kAlreadyExists) << result.error().message;
    }
    expect_sound(*store, workload, again);
    if (testing::Test::HasFatalFailure() || !reached) break;
  }
}

TEST(LocalStoreFaults, AnObjectThatASecondWriterFoundSurvivesAPowerCut) {
  const Bytes body = random_bytes(10'000, 1);
  std::uint64_t found = 0;
  for (std::uint64_t nth = 1; nth < 40; ++nth) {
    auto files = std::make_shared<SimFileSystem>(nth);
    // The first writer dies at any point; the second is another process.
    auto first = open_store(files);
    files->halt_at(nth);
    static_cast<void>(put_object(*first, "packs/ab/shared", body));
    files->halt_at(0);
    first.reset();
    auto second = open_store(files);
    const Result<void> stored = put_object(*second, "packs/ab/shared", body);
    if (!stored.ok()) {
      EXPECT_EQ(outcome(stored), "already-exists");
      ++found;
    }
    second.reset();
    files->power_cut();
    second = open_store(files);
    const auto bytes = get_object(*second, "packs/ab/shared", body.size());
    ASSERT_TRUE(bytes.ok()) << nth << ": " << bytes.error().message;
    EXPECT_EQ(*bytes, body);
  }
  EXPECT_GT(found, 5U);
}

TEST(LocalStore, DirectOperationsThatAreRefusedAreMadeThroughThePageCache) {
  for (const std::size_t sector_bytes : {16 * kKiB, std::size_t{512}}) {
    auto files = std::make_shared<SimFileSystem>(7);
    files->set_direct_unit_bytes(sector_bytes);
    const auto store = open_store(files);
    EXPECT_NE(store->io_description().find("O_DIRECT"), std::string::npos);
    // At the first refusal, several puts with several writes each are in flight.
    const AlignedBytes body(random_bytes(9 * kMiB + 12'345, 2));
    std::vector<std::unique_ptr<TestPut>> puts;
    for (int i = 0; i < 6; ++i) {
      puts.push_back(std::make_unique<TestPut>("packs/ab/" + std::to_string(i), std::vector<ByteView>{body.view()}));
      store->put(puts.back()->operation);
    }
    for (const auto& put : puts) {
      run_until_done(*store, *put);
      ASSERT_TRUE(put->operation.result.ok()) << put->operation.result.error().message;
    }
    EXPECT_EQ(store->io_description().find("O_DIRECT"), std::string::npos);
    const auto reader = open_store(files);
    const AlignedBytes destination(10 * kMiB);
    // Some reads stop within a unit of alignment, before the end of the object.
    for (int i = 0; i < 30; ++i) {
      const auto fresh = i % 2 == 0 ? open_store(files) : nullptr;
      ObjectStore& from = fresh ? *fresh : *reader;
      test::TestGet get("packs/ab/5", 0, destination.view());
      from.get(get.operation);
      run_until_done(from, get);
      ASSERT_TRUE(get.operation.result.ok()) << get.operation.result.error().message;
      ASSERT_EQ(*get.operation.result, body.view().size());
      ASSERT_TRUE(std::equal(body.view().begin(), body.view().end(), destination.view().begin()));
    }
  }
}

TEST(LocalStoreSpace, AFullDiskFailsThePutEarlyAndLeavesNothing) {
  auto files = std::make_shared<SimFileSystem>(1);
  auto store = open_store(files);
  const AlignedBytes body(random_bytes(kMiB + 1, 1));
  files->set_capacity_bytes(kMiB + 100'000);
  ASSERT_TRUE(put_object(*store, "first", body.view()).ok());
  const Result<void> second = put_object(*store, "second", body.view());
  ASSERT_EQ(outcome(second), "no-space");
  EXPECT_NE(second.error().message.find("'second'"), std::string::npos) << second.error().message;
  EXPECT_NE(second.error().message.find("full"), std::string::npos) << second.error().message;
  EXPECT_EQ(listed_keys(*store, ""), std::set<ObjectKey>{"first"});
  EXPECT_TRUE(names_in(*files, ".incoming").empty());
  ASSERT_TRUE(store->remove("first").ok());
  // The simulated disk frees the space of a file only once no name of it can come back.
  ASSERT_TRUE(files->sync_directory(".incoming").ok());
  EXPECT_TRUE(put_object(*store, "second", body.view()).ok());
}

TEST(LocalStoreSpace, AFullDiskShowsBeforeTheDataIsWritten) {
  auto files = std::make_shared<SimFileSystem>(1);
  auto store = open_store(files);
  ASSERT_TRUE(put_object(*store, "first", as_bytes("x")).ok());
  files->set_capacity_bytes(8 * kMiB);
  const Bytes body = random_bytes(9 * kMiB, 1);
  const std::uint64_t operations_before = files->operations_seen();
  EXPECT_EQ(outcome(put_object(*store, "second", body)), "no-space");
  // Create, reserve, close, remove.
  EXPECT_EQ(files->operations_seen() - operations_before, 4U);
}

TEST(LocalStoreIncoming, RemovesOnlyOldTemporariesOfTheDead) {
  auto files = std::make_shared<SimFileSystem>(1);
  EXPECT_EQ(*clean_incoming(*files, kIncomingAgeNs, files->now_ns()), 0U);
  // The file of a process that died stays.
  ASSERT_TRUE(files->make_directory(".incoming").ok());
  ASSERT_TRUE(files->close(files->open(".incoming/0123-0", {.write = true, .create_exclusive = true})->fd).ok());
  files->advance_clock(std::chrono::hours(23));
  auto store = open_store(files);
  TestPut live("", {as_bytes("live")});
  store->put(live.operation);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store->run(false).ok());
  EXPECT_EQ(*clean_incoming(*files, kIncomingAgeNs, files->now_ns()), 0U);
  EXPECT_TRUE(listed_keys(*store, "").empty());
  files->advance_clock(std::chrono::hours(2));
  EXPECT_EQ(*clean_incoming(*files, kIncomingAgeNs, files->now_ns()), 1U);
  store->name(live.operation, "live");
  run_until_done(*store, live);
  EXPECT_TRUE(live.operation.result.ok());
  EXPECT_TRUE(names_in(*files, ".incoming").empty());
}

TEST(LocalStoreIncoming, AStoreThatIsDestroyedCleansUpItsOperations) {
  const Bytes body = random_bytes(3 * kMiB, 1);
  for (int runs = 0; runs < 8; ++runs) {
    const test::TemporaryRoot root;
    std::shared_ptr<FileSystem> files = *open_file_system(root.path(), IoChoice::kAuto);
    TestPut unnamed("", {body});
    TestPut named("object", {body});
    {
      auto store = open_store(files);
      store->put(unnamed.operation);
      store->put(named.operation);
      for (int i = 0; i < runs; ++i) ASSERT_TRUE(store->run(false).ok());
    }
    EXPECT_EQ(unnamed.done_count, 0);
    EXPECT_TRUE(names_in(*files, ".incoming").empty());
  }
}

class LocalStoreFailpoints : public testing::Test {
 protected:
  ~LocalStoreFailpoints() override { set_failpoints("", ""); }
  // Every failpoint that the workload passes, and how often.
  std::map<std::string, int> points() {
    const test::TemporaryRoot root;
    const std::string log_path = root.path() + "/log";
    set_failpoints("", log_path);
    const Workload::Outcome outcome = workload_.run(*store_in(root, "store"));
    for (const auto& [key, result] : outcome.puts) EXPECT_TRUE(result.ok()) << result.error().message;
    set_failpoints("", "");
    std::map<std::string, int> counts;
    std::ifstream log(log_path);
    for (std::string line; std::getline(log, line);) ++counts[line];
    return counts;
  }
  static std::unique_ptr<ObjectStore> store_in(const test::TemporaryRoot& root, const std::string& name) {
    const std::string path = root.path() + "/" + name;
    std::filesystem::create_directories(path);
    return open_store(*open_file_system(path, IoChoice::kAuto));
  }
  const Workload workload_;
};

TEST_F(LocalStoreFailpoints, AreAllPassed) {
  const auto counts = points();
  for (const char* point : {"local.after_create", "local.mid_write", "local.after_write", "local.after_sync",
                            "local.after_link", "local.after_unlink", "local.after_dir_sync", "local.after_remove"}) {
    EXPECT_TRUE(counts.contains(point)) << point;
  }
  EXPECT_EQ(counts.size(), 8U);
}

TEST_F(LocalStoreFailpoints, AnErrorAtAnyPointIsReported) {
  for (const auto& [point, count] : points()) {
    const test::TemporaryRoot root;
    const auto store = store_in(root, "store");
    set_failpoints(point + ":eio", "");
    const Workload::Outcome outcome = workload_.run(*store);
    set_failpoints("", "");
    bool reported = false;
    for (const auto& [key, result] : outcome.puts) reported = reported || !result.ok();
    for (const auto& [key, result] : outcome.removes) reported = reported || !result.ok();
    // The dropped put passes the first failpoints, too, and always ends with kCancelled.
    EXPECT_TRUE(reported || count > 5) << point;
    expect_sound(*store, workload_, outcome);
  }
}

TEST_F(LocalStoreFailpoints, AProcessKilledAtAnyPointLeavesNoTornObject) {
  for (const auto& [point, count] : points()) {
    for (int nth = 1; nth <= count; ++nth) {
      const test::TemporaryRoot root;
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        set_failpoints(point + ":" + std::to_string(nth) + ":abort", "");
        static_cast<void>(workload_.run(*store_in(root, "store")));
        ::_exit(0);
      }
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      // The number of hits depends on which operations complete together; the last ones may be missing.
      EXPECT_TRUE(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : nth > 1) << point << ":" << nth;
      const auto store = store_in(root, "store");
      expect_sound(*store, workload_, {});
      const Workload::Outcome again = workload_.run(*store);
      expect_sound(*store, workload_, again);
      for (const auto& [key, result] : again.puts) {
        EXPECT_TRUE(result.ok() || result.error().code == ErrorCode::kAlreadyExists) << result.error().message;
      }
    }
  }
}

}  // namespace
}  // namespace drs
