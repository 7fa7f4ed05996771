#include "sinks/credentials_provider.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/sinks/fake_surroundings.h"

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
  // What the next fetch gives: credentials called `id`, valid for `lifetime` unless that is zero.
  void next(std::string id, minutes lifetime = minutes(0)) {
    id_ = std::move(id);
    lifetime_ = lifetime;
    fails_ = false;
  }
  Result<TestCredentials> fetch() {
    ++fetches_;
    if (fails_) return Error{ErrorCode::kUnavailable, "the metadata service is away"};
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
  // Not each request waits for a service that is away.
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
