#include "sinks/transport/credentials_provider.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "tests/sinks/transport/fake_environment.h"

namespace drs {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using test::expect_error;

struct TestCredentials {
  std::string id;
  std::optional<std::int64_t> expires_ns;
  std::string origin = "a test";
  friend bool same_credentials(const TestCredentials& a, const TestCredentials& b) { return a.id == b.id; }
};

class CredentialsProviderTest : public ::testing::Test {
 protected:
  // The next fetch returns credentials called `id`, valid for `lifetime` unless that is zero.
  void next(std::string id, minutes lifetime = minutes(0)) {
    id_ = std::move(id);
    lifetime_ = lifetime;
    fails_ = false;
  }
  Result<TestCredentials> fetch() {
    ++fetches_;
    if (fails_) return Error(ErrorCode::kUnavailable, "the metadata service is away");
    TestCredentials out{id_, {}};
    if (lifetime_ != minutes(0)) out.expires_ns = clock_.wall_ns() + std::chrono::nanoseconds(lifetime_).count();
    return out;
  }
  std::string got() {
    const auto credentials = provider_.get();
    return credentials.ok() ? (*credentials)->id : credentials.error().message;
  }

  test::FakeClock clock_;
  std::string id_;
  minutes lifetime_{0};
  bool fails_ = false;
  int fetches_ = 0;
  CredentialsProvider<TestCredentials> provider_{[this] { return fetch(); }, clock_};
};

TEST_F(CredentialsProviderTest, CredentialsThatDoNotExpireAreFetchedOnce) {
  next("first");
  EXPECT_EQ(got(), "first");
  clock_.advance(std::chrono::hours(24 * 365));
  next("second");
  EXPECT_EQ(got(), "first");
  EXPECT_EQ(fetches_, 1);
}

TEST_F(CredentialsProviderTest, TheyAreRenewedFiveMinutesBeforeTheyExpire) {
  next("first", minutes(60));
  EXPECT_EQ(got(), "first");
  next("second", minutes(60));
  clock_.advance(minutes(55) - seconds(1));
  EXPECT_EQ(got(), "first");
  EXPECT_EQ(fetches_, 1);
  clock_.advance(seconds(1));
  EXPECT_EQ(got(), "second");
  EXPECT_EQ(fetches_, 2);
}

TEST_F(CredentialsProviderTest, ValidOnesAreKeptWhileRenewingFails) {
  next("first", minutes(60));
  EXPECT_EQ(got(), "first");
  clock_.advance(minutes(56));
  fails_ = true;
  EXPECT_EQ(got(), "first");
  EXPECT_EQ(fetches_, 2);
  // Not every request waits for a service that does not answer.
  clock_.advance(kCredentialsRenewPause - seconds(1));
  EXPECT_EQ(got(), "first");
  EXPECT_EQ(fetches_, 2);
  clock_.advance(seconds(1));
  EXPECT_EQ(got(), "first");
  EXPECT_EQ(fetches_, 3);

  clock_.advance(minutes(4));
  EXPECT_EQ(got(), "the metadata service is away");
  next("second", minutes(60));
  EXPECT_EQ(got(), "second");
}

TEST_F(CredentialsProviderTest, OnesThatComeWithLittleTimeLeftAreNotFetchedForEachRequest) {
  next("short", minutes(3));
  EXPECT_EQ(got(), "short");
  EXPECT_EQ(got(), "short");
  EXPECT_EQ(fetches_, 1);
  clock_.advance(kCredentialsRenewPause);
  EXPECT_EQ(got(), "short");
  EXPECT_EQ(fetches_, 2);
}

TEST_F(CredentialsProviderTest, TheFirstFailureIsAnErrorAndTheNextCallTriesAgain) {
  fails_ = true;
  EXPECT_EQ(got(), "the metadata service is away");
  next("first");
  EXPECT_EQ(got(), "first");
}

TEST_F(CredentialsProviderTest, OnesThatHaveExpiredAlreadyAreRefusedWithBothTimes) {
  clock_.set("2026-11-20T12:00:00Z");
  next("old", minutes(-1));
  expect_error(provider_.get(), ErrorCode::kUnavailable,
               "the credentials from a test expired at 2026-11-20T11:59:00Z, and this machine's clock says "
               "2026-11-20T12:00:00Z");
}

TEST_F(CredentialsProviderTest, RefusedOnesAreReplacedAtOnce) {
  next("first", minutes(60));
  const auto first = *provider_.get();
  next("second", minutes(60));
  const auto second = provider_.refresh(first);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ((*second)->id, "second");
  EXPECT_EQ(first->id, "first");
  EXPECT_EQ(got(), "second");
  EXPECT_EQ(fetches_, 2);
}

TEST_F(CredentialsProviderTest, OneRefusalReportedByManyFetchesOnce) {
  next("first", minutes(60));
  const auto first = *provider_.get();
  next("second", minutes(60));
  std::vector<std::thread> threads;
  std::atomic<int> renewed{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      const auto fresh = provider_.refresh(first);
      if (fresh.ok() && (*fresh)->id == "second") ++renewed;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(renewed, 8);
  EXPECT_EQ(fetches_, 2);
}

// A fetch that runs until it is told to end.
class SlowFetch {
 public:
  Result<TestCredentials> run() {
    std::unique_lock lock(mutex_);
    ++runs_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return result_.has_value(); });
    return *std::exchange(result_, std::nullopt);
  }
  void wait_until_it_runs(int runs) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return runs_ == runs; });
  }
  void end(Result<TestCredentials> result) {
    const std::scoped_lock lock(mutex_);
    result_ = std::move(result);
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int runs_ = 0;
  std::optional<Result<TestCredentials>> result_;
};

TEST_F(CredentialsProviderTest, WhileOneThreadRenewsTheOthersGoOnWithWhatIsValid) {
  SlowFetch slow;
  CredentialsProvider<TestCredentials> provider([&] { return slow.run(); }, clock_);
  const std::int64_t end = clock_.wall_ns() + std::chrono::nanoseconds(minutes(60)).count();
  slow.end(TestCredentials{"first", end});
  ASSERT_TRUE(provider.get().ok());
  clock_.advance(minutes(56));
  std::thread renewing([&] { EXPECT_EQ((*provider.get())->id, "second"); });
  slow.wait_until_it_runs(2);
  EXPECT_EQ((*provider.get())->id, "first");  // hangs if a lock is held
  slow.end(TestCredentials{"second", {}});
  renewing.join();
  EXPECT_EQ((*provider.get())->id, "second");
}

TEST_F(CredentialsProviderTest, AllThatWaitForOneFetchHearWhatItCameTo) {
  SlowFetch slow;
  CredentialsProvider<TestCredentials> provider([&] { return slow.run(); }, clock_);
  std::atomic<int> asking{0};
  std::atomic<int> heard{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      ++asking;
      const auto got = provider.get();
      if (!got.ok() && got.error().message == "60 s are over") ++heard;
    });
  slow.wait_until_it_runs(1);
  while (asking < 8) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // until they wait; a late one makes the test hang
  slow.end(Error(ErrorCode::kUnavailable, "60 s are over"));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard, 8);
}

TEST_F(CredentialsProviderTest, AFetchThatThrowsIsAFailureLikeAnyOtherAndNobodyWaitsForItForEver) {
  bool throws = true;
  CredentialsProvider<TestCredentials> provider(
      [&]() -> Result<TestCredentials> {
        if (std::exchange(throws, false)) throw std::bad_alloc();
        return TestCredentials{"first", {}};
      },
      clock_);
  try {
    expect_error(provider.get(), ErrorCode::kBusy, "out of memory");
  } catch (const std::bad_alloc&) {
    FAIL() << "it got out; the next get would wait for ever";
  }
  EXPECT_EQ((*provider.get())->id, "first");
}

TEST_F(CredentialsProviderTest, ARefreshThatGivesTheSameIsADenial) {
  next("first");
  const auto first = *provider_.get();
  expect_error(provider_.refresh(first), ErrorCode::kDenied, "the credentials from a test were refused");
}

TEST_F(CredentialsProviderTest, ARefreshThatFailsLeavesWhatThereIs) {
  next("first", minutes(60));
  const auto first = *provider_.get();
  fails_ = true;
  expect_error(provider_.refresh(first), ErrorCode::kUnavailable, "away");
  EXPECT_EQ(got(), "first");
}

}  // namespace
}  // namespace drs
