#include "sinks/transport/object_fault.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "io/base/error_class.h"
#include "sinks/transport/request_engine.h"
#include "tests/sinks/transport/scripted_http_server.h"

namespace drs {
namespace {

using std::chrono::milliseconds;
using testing::ScriptedAnswer;
using testing::ScriptedHttpServer;

class ObjectProtocol final : public StoreProtocol {
 public:
  explicit ObjectProtocol(std::string base) : base_(std::move(base)) {}
  Result<Credentials> authorise(const StoreRequest& request, HttpTransfer& transfer) override {
    transfer.url = base_ + request.path;
    return Credentials();
  }
  Judgement judge(const StoreRequest& /*request*/, const HttpTransfer& transfer) override {
    using Kind = Judgement::Kind;
    if (transfer.status < 300) return {};
    const Error error{ErrorCode::kUnavailable, "status " + std::to_string(transfer.status)};
    return {.kind = transfer.status == 503 ? Kind::kSlowDown : Kind::kRetry, .error = error};
  }
  Result<void> refresh(const Credentials& /*refused*/) override { return {}; }

 private:
  const std::string base_;
};

// A store of objects of 100 bytes, some of which it cannot return whole, and a network path that may cut answers.
struct RottingStore {
  static constexpr std::size_t kObjectBytes = 100;
  std::map<std::string, std::size_t> rotten;  // by path: the first byte that cannot be read
  std::map<std::string, int> statuses;        // by path: the status of the answer to a get
  std::size_t heals_after_gets = ~0U;
  std::size_t way_cuts_after = 1'000;     // bytes of each answer
  std::size_t way_cuts_after_gets = ~0U;  // after that many gets, every answer at its beginning
  std::function<std::size_t(std::size_t bytes)> way_carries = [](std::size_t bytes) { return bytes; };
  std::size_t gets = 0;

  ScriptedAnswer operator()(const testing::SeenRequest& request) {
    const std::size_t space = request.head.find(' ');
    const std::string method = request.head.substr(0, space);
    const std::string path = request.head.substr(space + 1, request.head.find(' ', space + 1) - space - 1);
    if (method == "HEAD") return testing::answer(200);
    ++gets;
    if (const auto found = statuses.find(path); found != statuses.end()) return testing::answer(found->second);
    const std::size_t at = request.head.find("bytes=") + 6;
    const std::size_t begin = std::stoul(request.head.substr(at));
    const std::size_t end = std::min(std::stoul(request.head.substr(request.head.find('-', at) + 1)) + 1, kObjectBytes);
    std::string head = "HTTP/1.1 206 x\r\nContent-Length: " + std::to_string(end - begin) +
                       "\r\nContent-Range: bytes " + std::to_string(begin) + "-" + std::to_string(end - 1) +
                       "/100\r\n\r\n";
    std::size_t good = std::min(end - begin, gets > way_cuts_after_gets ? 0 : way_cuts_after);
    if (const auto rot = rotten.find(path); rot != rotten.end() && gets <= heals_after_gets)
      good = std::min(good, std::max(rot->second, begin) - begin);
    good = std::min(good, way_carries(end - begin));
    return {head + std::string(good, 'x'), good < end - begin, {}};
  }
};

class ObjectFaultTest : public ::testing::Test {
 protected:
  ObjectFaultTest() : protocol_(server_.url("")) { use_budgets(milliseconds(900), milliseconds(300)); }

  // A suspicion takes the brief budget. A whole budget of minutes never ends in a test, however slow the machine is.
  void use_budgets(milliseconds whole, milliseconds brief) {
    auto client = HttpClient::make({.ca_file = ""});
    RequestEngine::Options options;
    options.retry = {milliseconds(5), milliseconds(50), whole, brief};
    options.outage = outage_;
    options.cancel = &cancel_;
    engine_ = std::make_unique<RequestEngine>(std::move(*client), protocol_, clock_, options);
  }

  static StoreRequest get_of(const std::string& path, std::size_t begin, std::size_t bytes, Bytes& place) {
    place.resize(bytes);
    StoreRequest request;
    request.kind = StoreRequest::Kind::kGet;
    request.method = "GET";
    request.path = path;
    request.headers = {{"Range", "bytes=" + std::to_string(begin) + "-" + std::to_string(begin + bytes - 1)}};
    request.destination = place;
    request.part_begin_bytes = begin;
    request.what = "get " + path;
    return request;
  }

  Result<void> get(const std::string& path, std::size_t begin = 0, std::size_t bytes = RottingStore::kObjectBytes) {
    StoreRequest request = get_of(path, begin, bytes, place_);
    const auto started = std::chrono::steady_clock::now();
    const auto result = engine_->perform(request);
    took_ = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
    return result;
  }

  // The number of gets of this object so far.
  [[nodiscard]] std::size_t gets_of(const std::string& path) const {
    const auto seen = server_.requests();
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const testing::SeenRequest& request) {
      return request.head.starts_with("GET " + path + " ");
    }));
  }

  // Makes many long gets at once, and short gets at the same time.
  void expect_outage_of_long_gets(std::size_t short_bytes) {
    constexpr std::size_t kGets = 24;
    std::vector<Bytes> places(kGets);
    std::vector<StoreRequest> requests;
    std::size_t done = 0;
    for (std::size_t i = 0; i < kGets; ++i) {
      requests.push_back(get_of("/long" + std::to_string(i), 0, RottingStore::kObjectBytes, places[i]));
      requests.back().owner = &done;
      requests.back().done = [](StoreRequest& request) { ++*static_cast<std::size_t*>(request.owner); };
    }
    ASSERT_TRUE(get("/short", 0, short_bytes).ok());
    for (StoreRequest& request : requests) engine_->start(request);
    while (done < kGets) {
      if (!outage_->given_up()) (void)get("/short", 0, short_bytes);
      engine_->run(false);
      std::this_thread::sleep_for(milliseconds(5));
    }
    for (const StoreRequest& request : requests) {
      ASSERT_FALSE(request.result.ok());
      EXPECT_EQ(request.result.error().code, ErrorCode::kUnavailable) << request.result.error().message;
    }
  }

  void expect_fault_of_object(const Result<void>& result) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(classify(result.error()), ErrorClass::kDamage) << result.error().message;
    EXPECT_EQ(result.error().error_number, EIO);
    EXPECT_FALSE(outage_->given_up());
  }
  void expect_outage(const Result<void>& result) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kUnavailable) << result.error().message;
    EXPECT_GE(took_, milliseconds(850));  // the whole budget
    EXPECT_TRUE(outage_->given_up());
  }

  SystemClock clock_;
  CancelToken cancel_;
  RottingStore store_;
  ScriptedHttpServer server_{[this](const testing::SeenRequest& request) { return store_(request); }};
  ObjectProtocol protocol_;
  std::shared_ptr<StoreOutage> outage_ = std::make_shared<StoreOutage>(nullptr);
  std::unique_ptr<RequestEngine> engine_;
  Bytes place_;
  milliseconds took_{};
};

// The cuts, the gets of what follows the cut, and the last cut.
constexpr std::size_t kFirstVerdictGetsMin = ObjectFault::kCutsMin + ObjectFault::kProofsMin + 1;
constexpr std::size_t kFurtherVerdictGets = ObjectFault::kFurtherCutsMin + ObjectFault::kProofsMin + 1;

TEST_F(ObjectFaultTest, AnObjectThatIsAlwaysCutIsToBlameWhileOthersArriveWhole) {
  use_budgets(std::chrono::minutes(5), milliseconds(300));
  store_.rotten = {{"/rotten", 60}};
  ASSERT_TRUE(get("/good").ok());
  const auto result = get("/rotten");
  expect_fault_of_object(result);
  EXPECT_GE(took_, milliseconds(300));
  EXPECT_LT(took_, std::chrono::minutes(1));  // it does not wait for the whole budget
  EXPECT_GE(gets_of("/rotten"), kFirstVerdictGetsMin);
  EXPECT_NE(result.error().message.find("at byte 60 of 100"), std::string::npos) << result.error().message;
  EXPECT_TRUE(get("/good").ok());
}

TEST_F(ObjectFaultTest, ASmallGetShowsThatTheWayIsClearWhereTheRestIsCutAtOnce) {
  store_.rotten = {{"/rotten", 60}};
  ASSERT_TRUE(get("/good", 0, 10).ok());
  expect_fault_of_object(get("/rotten"));
}

TEST_F(ObjectFaultTest, FurtherObjectsOfAStoreThatRotsCostFewerGets) {
  use_budgets(std::chrono::minutes(5), milliseconds(300));
  store_.rotten = {{"/1", 0}, {"/2", 60}, {"/3", 10}};
  ASSERT_TRUE(get("/good").ok());
  expect_fault_of_object(get("/1"));
  for (const char* const path : {"/2", "/3", "/1"}) {
    const std::size_t before = gets_of(path);
    expect_fault_of_object(get(path));
    EXPECT_EQ(gets_of(path) - before, kFurtherVerdictGets) << path;
  }
}

TEST_F(ObjectFaultTest, TheSecondReadingOfAnObjectTakesAsLongAsTheFirst) {
  use_budgets(std::chrono::minutes(5), milliseconds(300));
  store_.rotten = {{"/1", 60}};
  ASSERT_TRUE(get("/good").ok());
  for (int reading = 0; reading < 2; ++reading) {
    expect_fault_of_object(get("/1"));
    EXPECT_GE(took_, milliseconds(300));
  }
  const std::size_t before = gets_of("/1");
  EXPECT_GE(before, 2 * kFirstVerdictGetsMin);
  expect_fault_of_object(get("/1"));
  EXPECT_EQ(gets_of("/1") - before, kFurtherVerdictGets);
}

TEST_F(ObjectFaultTest, NothingIsToBlameOnAWayThatCutsLongAnswers) {
  store_.way_cuts_after = 40;
  ASSERT_TRUE(get("/good", 0, 40).ok());
  expect_outage(get("/long"));
}

TEST_F(ObjectFaultTest, NothingIsToBlameOnAWayThatCutsLongAnswersAnywhere) {
  store_.way_carries = [dice = std::mt19937(1)](std::size_t bytes) mutable {
    return bytes <= 40 ? bytes : dice() % 40;
  };
  expect_outage_of_long_gets(40);
}

TEST_F(ObjectFaultTest, NothingIsToBlameOnAWayThatCutsShortAnswersNowAndThen) {
  store_.way_carries = [dice = std::mt19937(1)](std::size_t bytes) mutable {
    return bytes <= 14 && dice() % 4 != 0 ? bytes : dice() % 14;
  };
  expect_outage_of_long_gets(14);
}

TEST_F(ObjectFaultTest, NothingIsToBlameOnAWayThatBeginsToCutAllAnswers) {
  ASSERT_TRUE(get("/good").ok());
  store_.way_cuts_after_gets = 1;
  expect_outage(get("/fine"));
}

TEST_F(ObjectFaultTest, NothingIsToBlameWhileNothingElseWasReadWhole) {
  outage_->met();
  store_.rotten = {{"/rotten", 60}};
  expect_outage(get("/rotten"));
}

TEST_F(ObjectFaultTest, AnObjectThatIsCutOnlySometimesIsRead) {
  ASSERT_TRUE(get("/good").ok());
  store_.rotten = {{"/healed", 60}};
  store_.heals_after_gets = 4;
  EXPECT_TRUE(get("/healed").ok());
}

TEST_F(ObjectFaultTest, AnObjectThatIsAnsweredWithAnErrorForTheWholeBudgetIsToBlame) {
  store_.statuses = {{"/refused", 500}};
  ASSERT_TRUE(get("/good").ok());
  const auto result = get("/refused");
  expect_fault_of_object(result);
  EXPECT_GE(took_, milliseconds(850));
  EXPECT_NE(result.error().message.find("status 500"), std::string::npos) << result.error().message;
}

TEST_F(ObjectFaultTest, AStoreThatIsOverloadedIsAway) {
  store_.statuses = {{"/refused", 503}};
  ASSERT_TRUE(get("/good").ok());
  expect_outage(get("/refused"));
}

TEST_F(ObjectFaultTest, ACancelEndsTheDoubtAtOnce) {
  use_budgets(std::chrono::minutes(5), std::chrono::minutes(2));
  store_.rotten = {{"/rotten", 60}};
  ASSERT_TRUE(get("/good").ok());
  std::thread canceller([this] {
    std::this_thread::sleep_for(milliseconds(100));
    cancel_.cancel();
  });
  const auto result = get("/rotten");
  canceller.join();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_LT(took_, std::chrono::minutes(1));
}

TEST(ObjectFault, TakesSixCutsOverTheBriefBudgetAndNoOtherFailureAmongThem) {
  const RetryOptions options;
  const ObjectFault::Time start{std::chrono::hours(1)};
  ObjectFault fault;
  for (int i = 0; i < 6; ++i) fault.cut(start + std::chrono::seconds(i), 0);
  EXPECT_FALSE(fault.suspected(start + std::chrono::milliseconds(9'999), options, {}));
  EXPECT_TRUE(fault.suspected(start + std::chrono::seconds(10), options, {}));
  ObjectFault few;
  for (int i = 0; i < 5; ++i) few.cut(start, 0);
  EXPECT_FALSE(few.suspected(start + std::chrono::minutes(1), options, {}));
  EXPECT_TRUE(few.suspected(start, options, {.fault_was_found = true}));
  few.refused(start);
  few.cut(start, 0);
  EXPECT_FALSE(few.suspected(start, options, {.fault_was_found = true}));
  EXPECT_EQ(few.next_by(start, start + std::chrono::seconds(30), options), start + std::chrono::seconds(2));
}

TEST(ObjectFault, IsSuspectedOnlyWhileTheCutsAreAtAboutTheSamePlace) {
  const RetryOptions options;
  const ObjectFault::Time start{std::chrono::hours(1)};
  const auto suspected_after = [&](std::uint64_t spread_bytes) {
    ObjectFault fault;
    for (int i = 0; i < 12; ++i) fault.cut(start + std::chrono::seconds(i), 5 * kMiB + (i % 2 == 0 ? 0 : spread_bytes));
    return fault.suspected(start + std::chrono::seconds(12), options, {.fault_was_found = true, .budget_spent = true});
  };
  EXPECT_TRUE(suspected_after(0));
  EXPECT_TRUE(suspected_after(ObjectFault::kSamePlaceBytes));
  EXPECT_FALSE(suspected_after(ObjectFault::kSamePlaceBytes + 1));
}

}  // namespace
}  // namespace drs
