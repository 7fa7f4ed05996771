// The cache must never hide an answer of the store, or serve bytes that are not those of the object.
#include "sinks/cache/cache_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "codecs/sha256.h"
#include "sinks/fault_store.h"
#include "sinks/memory_store.h"
#include "sinks/object_io.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

namespace fs = std::filesystem;
using test::listed_keys;
using test::outcome;
using test::random_bytes;
using test::run_until_done;
using test::TestGet;

ObjectKey index_key(ByteView body) {
  return "index/" + sha256(body).hex();
}

// Like a manifest: ends in the SHA-256 of the bytes before.
Bytes document(std::size_t size, std::uint64_t seed) {
  Bytes body = random_bytes(size - 32, seed);
  const Digest digest = sha256(body);
  body.insert(body.end(), digest.data.begin(), digest.data.end());
  return body;
}

class TestClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return now_ns; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return {}; }
  std::int64_t now_ns = 1'000;
};

class CacheStoreTest : public testing::Test {
 protected:
  CacheStoreTest() { open(); }

  // Like a store in another process.
  void open(std::uint64_t size_bytes_max = 64 * kMiB, const std::string& place = "here") {
    folder_ = std::make_shared<CacheFolder>(
        CacheFolder::Options{path(), size_bytes_max, [this](const std::string& text) { told_.push_back(text); },
                             [this](const std::string& text) { warned_.push_back(text); }});
    plan_ = std::make_shared<FaultPlan>();
    store_ = make_cache_store(
        make_fault_store(make_memory_store(objects_, &clock_), plan_), folder_,
        {place, {{"index/", KeylessCheck::kNameIsDigest}, {"manifests/", KeylessCheck::kEndsInDigest}}});
  }
  [[nodiscard]] std::string path() const { return root_.path() + "/below/cache"; }

  void put_behind(const ObjectKey& key, const Bytes& body) { objects_->insert(key, body, clock_.now_ns); }
  // Lists, reads the object whole, and returns how many requests the read cost the store.
  std::uint64_t cost_of_reading(const ObjectKey& key, const Bytes& body) {
    listed_keys(*store_, "");
    const std::uint64_t before = plan_->operations();
    Bytes read(body.size());
    const auto got = get_range(*store_, key, 0, read);
    EXPECT_TRUE(got.ok()) << got.error().message;
    EXPECT_TRUE(read == body);
    return plan_->operations() - before;
  }
  // The files of objects, by path.
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(path(), absent))
      if (entry.path().filename().string().size() == 64) found.push_back(entry.path());
    return found;
  }
  static void age(const fs::path& file, int hours) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  }

  test::TemporaryRoot root_;
  TestClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::vector<std::string> told_;
  std::vector<std::string> warned_;
  std::shared_ptr<CacheFolder> folder_;
  std::shared_ptr<FaultPlan> plan_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(CacheStoreTest, ReadsWhatItHasFromDiskInThisAndLaterProcesses) {
  const Bytes index = random_bytes(100'000, 1);
  const Bytes manifest = document(3'000, 2);
  put_behind(index_key(index), index);
  put_behind("manifests/m", manifest);
  EXPECT_EQ(cost_of_reading(index_key(index), index), 1U);
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
  EXPECT_EQ(cost_of_reading("manifests/m", manifest), 1U);
  open();
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
  EXPECT_EQ(cost_of_reading("manifests/m", manifest), 0U);
  auto second = store_->clone();
  ASSERT_TRUE(second.ok());
  store_ = *std::move(second);
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
  EXPECT_TRUE(told_.empty());
}

TEST_F(CacheStoreTest, KeepsObjectsAsTheyAreStoredForNobodyElse) {
  const Bytes index = random_bytes(5'000, 1);
  put_behind(index_key(index), index);
  cost_of_reading(index_key(index), index);
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ("index/" + files().front().filename().string(), index_key(index));
  std::ifstream file(files().front(), std::ios::binary);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), as_text(index));
  EXPECT_EQ(fs::status(path()).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(files().front()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_TRUE(fs::exists(path() + "/CACHEDIR.TAG"));
}

TEST_F(CacheStoreTest, DeliversRangesAndStopsWhereTheObjectEnds) {
  const Bytes index = random_bytes(50'000, 3);
  put_behind(index_key(index), index);
  cost_of_reading(index_key(index), index);
  const std::uint64_t before = plan_->operations();
  for (const std::size_t offset : {0UL, 1UL, 49'999UL, 50'000UL, 60'000UL}) {
    for (const std::size_t size : {0UL, 1UL, 4'096UL, 65'536UL}) {
      Bytes destination(size);
      TestGet get(index_key(index), offset, destination);
      store_->get(get.operation);
      EXPECT_EQ(get.done_count, 0) << "done only from run";
      EXPECT_EQ(store_->in_flight(), 1U);
      run_until_done(*store_, get);
      const std::size_t from = std::min(offset, index.size());
      const std::size_t expected = std::min(size, index.size() - from);
      ASSERT_TRUE(get.operation.result.ok());
      ASSERT_EQ(*get.operation.result, expected) << offset << "+" << size;
      EXPECT_TRUE(std::equal(destination.begin(), destination.begin() + static_cast<std::ptrdiff_t>(expected),
                             index.begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
  EXPECT_EQ(plan_->operations(), before);
}

TEST_F(CacheStoreTest, FetchesALargeObjectOnceALargeReadWantsIt) {
  const Bytes index = random_bytes(9 * kMiB + 5, 4);
  put_behind(index_key(index), index);
  listed_keys(*store_, "index/");
  Bytes end(16 * kKiB);
  ASSERT_TRUE(get_range(*store_, index_key(index), index.size() - end.size(), end).ok());
  EXPECT_TRUE(files().empty());
  Bytes section(100'000);
  ASSERT_TRUE(get_range(*store_, index_key(index), 4 * kMiB, section).ok());
  EXPECT_TRUE(std::equal(section.begin(), section.end(), index.begin() + 4 * kMiB));
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
}

TEST_F(CacheStoreTest, FetchesOnceWhatSeveralWantAtOnce) {
  const Bytes index = random_bytes(kMiB, 5);
  put_behind(index_key(index), index);
  listed_keys(*store_, "");
  const std::uint64_t before = plan_->operations();
  Bytes a(10), b(20);
  TestGet first(index_key(index), 7, a);
  TestGet second(index_key(index), 1'000, b);
  store_->get(first.operation);
  store_->get(second.operation);
  EXPECT_EQ(store_->in_flight(), 2U);
  run_until_done(*store_, first);
  run_until_done(*store_, second);
  EXPECT_TRUE(std::equal(a.begin(), a.end(), index.begin() + 7));
  EXPECT_TRUE(std::equal(b.begin(), b.end(), index.begin() + 1'000));
  EXPECT_EQ(plan_->operations() - before, 1U);
  EXPECT_EQ(store_->in_flight(), 0U);
}

TEST_F(CacheStoreTest, KeepsWhatWasPutUnderItsDigest) {
  const Bytes index = random_bytes(70'000, 6);
  ASSERT_TRUE(put_object(*store_, index_key(index), index).ok());
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
}

TEST_F(CacheStoreTest, ReadsBackFromTheStoreWhatWasJustPut) {
  const Bytes manifest = document(2'000, 7);
  ASSERT_TRUE(put_object(*store_, "manifests/m", manifest).ok());
  const Bytes other = document(2'000, 8);
  objects_->damage("manifests/m", other);
  const auto read = get_object(*store_, "manifests/m", kMiB);
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(*read == other);
}

TEST_F(CacheStoreTest, DoesNotKeepWhatAPutFailedToStore) {
  const Bytes index = random_bytes(70'000, 9);
  plan_->fail_nth(1, {.kind = FaultKind::kFail, .code = ErrorCode::kNoSpace});
  EXPECT_EQ(outcome(put_object(*store_, index_key(index), index)), "no-space");
  EXPECT_TRUE(files().empty());
}

TEST_F(CacheStoreTest, DropsFilesThatAreDamagedShortOrLongAndReadsTheStore) {
  const Bytes index = random_bytes(100'000, 10);
  const Bytes manifest = document(3'000, 11);
  put_behind(index_key(index), index);
  put_behind("manifests/m", manifest);
  const std::vector<std::function<void(const fs::path&)>> damages = {
      [](const fs::path& file) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(1'234);
        const int byte = stream.get();
        stream.seekp(1'234);
        stream.put(static_cast<char>(byte ^ 1));
      },
      [](const fs::path& file) { fs::resize_file(file, 2'999); },
      [](const fs::path& file) { fs::resize_file(file, 0); },
      [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) + 1); },
      [](const fs::path& file) {
        fs::remove(file);
        ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
      },
      [](const fs::path& file) {
        fs::remove(file);
        fs::create_symlink("/dev/zero", file);
      },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    open();
    cost_of_reading(index_key(index), index);
    cost_of_reading("manifests/m", manifest);
    ASSERT_EQ(files().size(), 2U);
    for (const fs::path& file : files()) damages[i](file);
    open();
    EXPECT_EQ(cost_of_reading(index_key(index), index), 1U) << i;
    EXPECT_EQ(cost_of_reading("manifests/m", manifest), 1U) << i;
    EXPECT_EQ(cost_of_reading(index_key(index), index), 0U) << i;
  }
}

TEST_F(CacheStoreTest, DoesNotKeepBytesThatAreNotTheObjects) {
  const Bytes index = random_bytes(3 * kMiB, 12);
  Bytes wrong = index;
  wrong[2 * kMiB] ^= 1;
  put_behind(index_key(index), wrong);
  put_behind("manifests/m", random_bytes(3'000, 13));
  for (const ObjectKey& key : {index_key(index), ObjectKey("manifests/m")}) {
    listed_keys(*store_, "");
    Bytes read(40'000);
    EXPECT_TRUE(get_range(*store_, key, 0, read).ok() || key.starts_with("manifests/"));
    EXPECT_TRUE(files().empty()) << key;
  }
  // The store is intact again, and the cache keeps an intact copy.
  objects_->damage(index_key(index), index);
  EXPECT_GT(cost_of_reading(index_key(index), index), 0U);
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
}

TEST_F(CacheStoreTest, ShowsARemovedObjectAsGone) {
  const Bytes index = random_bytes(1'000, 14);
  put_behind(index_key(index), index);
  cost_of_reading(index_key(index), index);
  ASSERT_TRUE(store_->remove(index_key(index)).ok());
  EXPECT_EQ(outcome(get_object(*store_, index_key(index), kMiB)), "not-found");
  put_behind(index_key(index), index);
  cost_of_reading(index_key(index), index);
  objects_->erase(index_key(index));  // by another writer
  EXPECT_TRUE(listed_keys(*store_, "index/").empty());
  EXPECT_EQ(outcome(get_object(*store_, index_key(index), kMiB)), "not-found");
}

TEST_F(CacheStoreTest, ServesNothingThatThisInstanceHasNotListed) {
  const Bytes manifest = document(1'000, 15);
  put_behind("manifests/m", manifest);
  cost_of_reading("manifests/m", manifest);
  objects_->erase("manifests/m");
  open();
  EXPECT_EQ(outcome(get_object(*store_, "manifests/m", kMiB)), "not-found");
}

TEST_F(CacheStoreTest, SeesAnotherObjectUnderTheSameNameInABucketMadeAnew) {
  const Bytes old = document(2'000, 16);
  put_behind("manifests/m", old);
  cost_of_reading("manifests/m", old);
  const Bytes made_anew = document(2'000, 17);
  objects_->erase("manifests/m");
  ++clock_.now_ns;
  put_behind("manifests/m", made_anew);
  EXPECT_EQ(cost_of_reading("manifests/m", made_anew), 1U);
  EXPECT_EQ(cost_of_reading("manifests/m", made_anew), 0U);
}

TEST_F(CacheStoreTest, KeepsRepositoriesApart) {
  const Bytes ours = document(2'000, 18);
  put_behind("manifests/m", ours);
  cost_of_reading("manifests/m", ours);
  const Bytes theirs = document(2'000, 19);
  objects_ = std::make_shared<MemoryObjects>();
  put_behind("manifests/m", theirs);
  open(64 * kMiB, "there");
  EXPECT_EQ(cost_of_reading("manifests/m", theirs), 1U);
}

TEST_F(CacheStoreTest, DoesNotKeepWhatHasNoTime) {
  clock_.now_ns = 0;
  const Bytes manifest = document(1'000, 20);
  put_behind("manifests/m", manifest);
  cost_of_reading("manifests/m", manifest);
  EXPECT_EQ(cost_of_reading("manifests/m", manifest), 1U);
}

TEST_F(CacheStoreTest, HandsOnTheStoresErrors) {
  const Bytes index = random_bytes(5 * kMiB, 21);
  put_behind(index_key(index), index);
  listed_keys(*store_, "");
  Bytes read(100'000);
  for (std::uint64_t nth = 1; nth <= 5; ++nth) {
    plan_->fail_nth(nth, {.kind = FaultKind::kFail, .code = ErrorCode::kDenied});
    EXPECT_EQ(outcome(get_range(*store_, index_key(index), 0, read)), "denied") << nth;
    EXPECT_EQ(store_->in_flight(), 0U);
  }
  EXPECT_TRUE(fs::is_empty(path()) || files().empty());
  objects_->erase(index_key(index));
  EXPECT_EQ(outcome(get_range(*store_, index_key(index), 0, read)), "not-found");
  put_behind(index_key(index), index);
  EXPECT_EQ(cost_of_reading(index_key(index), index), 5U);
}

TEST_F(CacheStoreTest, RemovesTheLeastRecentlyUsedBeyondItsSize) {
  std::vector<Bytes> bodies;
  for (std::uint64_t i = 0; i < 5; ++i) {
    bodies.push_back(random_bytes(100'000, 30 + i));
    put_behind(index_key(bodies[i]), bodies[i]);
  }
  const auto file = [&](std::size_t i) { return fs::path(path()) / sha256(bodies[i]).hex(); };
  for (std::size_t i = 0; i < 4; ++i) cost_of_reading(index_key(bodies[i]), bodies[i]);
  for (std::size_t i = 0; i < 4; ++i) age(file(i), 10 - static_cast<int>(i));
  std::ofstream(path() + "/not-ours") << "stays";
  open(450'000);
  EXPECT_EQ(cost_of_reading(index_key(bodies[0]), bodies[0]), 0U);  // uses the oldest file again
  EXPECT_EQ(cost_of_reading(index_key(bodies[4]), bodies[4]), 1U);
  EXPECT_TRUE(fs::exists(file(0)));
  EXPECT_FALSE(fs::exists(file(1)));
  EXPECT_TRUE(fs::exists(file(3)));
  EXPECT_TRUE(fs::exists(file(4)));
  EXPECT_TRUE(fs::exists(path() + "/not-ours"));
  EXPECT_TRUE(told_.empty());
}

TEST_F(CacheStoreTest, KeepsTheFirstThatFitWhenMoreIsReadThanFits) {
  std::vector<Bytes> bodies;
  for (std::uint64_t i = 0; i < 6; ++i) {
    bodies.push_back(random_bytes(100'000, 40 + i));
    put_behind(index_key(bodies[i]), bodies[i]);
  }
  for (int round = 0; round < 3; ++round) {
    told_.clear();
    open(350'000);
    std::uint64_t cost = 0;
    for (const Bytes& body : bodies) cost += cost_of_reading(index_key(body), body);
    EXPECT_EQ(cost, round == 0 ? 6U : 3U);
    EXPECT_EQ(files().size(), 3U);
    EXPECT_EQ(told_.size(), 1U) << "once";
  }
  const Bytes large = random_bytes(400'000, 50);  // larger than the cache
  put_behind(index_key(large), large);
  cost_of_reading(index_key(large), large);
  EXPECT_EQ(files().size(), 3U);
}

TEST_F(CacheStoreTest, RemovesWhatKilledProcessesLeft) {
  const Bytes index = random_bytes(1'000, 60);
  put_behind(index_key(index), index);
  fs::create_directories(path());
  const fs::path stale = path() + "/incoming-" + std::string(32, 'a');
  const fs::path fresh = path() + "/incoming-" + std::string(32, 'b');
  std::ofstream(stale) << "half";
  std::ofstream(fresh) << "half";
  age(stale, 2);
  cost_of_reading(index_key(index), index);
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(fresh));
}

// Other programs name files by their digest, too.
TEST_F(CacheStoreTest, TouchesNothingInAFolderThatIsNoCacheAndSaysSoOnce) {
  fs::create_directories(path());
  const Bytes index = random_bytes(100'000, 66);
  put_behind(index_key(index), index);
  const fs::path same_name = path() + "/" + sha256(index).hex();
  const fs::path other = path() + "/" + std::string(64, '0');
  const fs::path draft = path() + "/incoming-stale";
  for (const fs::path& file : {same_name, other, draft}) {
    std::ofstream(file) << "another program's";
    age(file, 48);
  }
  open(100'010);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(cost_of_reading(index_key(index), index), 1U);
  for (const fs::path& file : {same_name, other, draft}) EXPECT_EQ(fs::file_size(file), 17U) << file;
  EXPECT_EQ(std::distance(fs::directory_iterator(path()), {}), 3);
  ASSERT_EQ(warned_.size(), 1U) << "once";
  EXPECT_NE(warned_.front().find(path()), std::string::npos) << warned_.front();
}

TEST_F(CacheStoreTest, TakesTheTagOfAnotherProgramForNoneOfOurs) {
  fs::create_directories(path());
  std::ofstream(path() + "/CACHEDIR.TAG") << "Signature: 8a477f597d28d172789f06886806bc55\n# Created by restic: may be "
                                             "removed at any time, as everything else that lies here.\n";
  const Bytes index = random_bytes(1'000, 67);
  put_behind(index_key(index), index);
  cost_of_reading(index_key(index), index);
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(warned_.size(), 1U);
}

TEST_F(CacheStoreTest, TakesAnEmptyFolderOrANewVolumeForACache) {
  fs::create_directories(path() + "/lost+found");
  const Bytes index = random_bytes(1'000, 68);
  put_behind(index_key(index), index);
  cost_of_reading(index_key(index), index);
  open();
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
  EXPECT_TRUE(fs::exists(path() + "/CACHEDIR.TAG"));
  EXPECT_TRUE(warned_.empty());
}

TEST_F(CacheStoreTest, LeavesNoDraftBehind) {
  const Bytes index = random_bytes(3 * kMiB, 61);
  put_behind(index_key(index), random_bytes(3 * kMiB, 62));
  listed_keys(*store_, "");
  Bytes read(100'000);
  ASSERT_TRUE(get_range(*store_, index_key(index), 0, read).ok());
  for (const auto& entry : fs::directory_iterator(path())) EXPECT_EQ(entry.path().filename(), "CACHEDIR.TAG");
}

TEST_F(CacheStoreTest, WorksOnWhereNoFolderCanBeMade) {
  std::ofstream(root_.path() + "/below") << "a file where the folder's parent should be";
  const Bytes index = random_bytes(3 * kMiB, 63);
  put_behind(index_key(index), index);
  for (int i = 0; i < 3; ++i) EXPECT_GT(cost_of_reading(index_key(index), index), 0U);
  ASSERT_EQ(told_.size(), 1U) << "once";
  EXPECT_NE(told_.front().find(path()), std::string::npos) << told_.front();
}

TEST_F(CacheStoreTest, WorksOnWhenTheFolderGoesAway) {
  const Bytes index = random_bytes(3 * kMiB, 64);
  put_behind(index_key(index), index);
  const Bytes other = random_bytes(1'000, 65);
  put_behind(index_key(other), other);
  cost_of_reading(index_key(other), other);
  fs::remove_all(path());
  EXPECT_GT(cost_of_reading(index_key(index), index), 0U);
  EXPECT_EQ(cost_of_reading(index_key(index), index), 0U);
  EXPECT_EQ(cost_of_reading(index_key(other), other), 1U);
}

TEST_F(CacheStoreTest, SharesItsFolderBetweenProcessesThatFillAndEmptyIt) {
  std::vector<Bytes> bodies;
  for (std::uint64_t i = 0; i < 12; ++i) {
    bodies.push_back(random_bytes(60'000, 70 + i));
    put_behind(index_key(bodies[i]), bodies[i]);
  }
  std::vector<std::thread> threads;
  for (std::uint64_t who = 0; who < 4; ++who) {
    threads.emplace_back([&, who] {
      for (std::uint64_t round = 0; round < 8; ++round) {
        auto folder = std::make_shared<CacheFolder>(CacheFolder::Options{path(), 300'000, nullptr, nullptr});
        const auto store = make_cache_store(make_memory_store(objects_, &clock_), folder,
                                            {"here", {{"index/", KeylessCheck::kNameIsDigest}}});
        listed_keys(*store, "index/");
        for (std::uint64_t i = 0; i < bodies.size(); ++i) {
          const Bytes& body = bodies[(i * (who + 1) + round) % bodies.size()];
          const auto read = get_object(*store, index_key(body), kMiB);
          ASSERT_TRUE(read.ok()) << read.error().message;
          ASSERT_TRUE(*read == body);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace drs
