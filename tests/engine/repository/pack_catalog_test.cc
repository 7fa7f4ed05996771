#include "engine/repository/pack_catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "sinks/memory_store.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

Digest random_digest(std::mt19937_64& random) {
  Digest digest;
  for (Byte& byte : digest.data) byte = static_cast<Byte>(random());
  return digest;
}

TEST(PackCatalog, FindsThePacksListedAndThoseAddedSince) {
  const SystemClock clock;
  auto store = make_memory_store(std::make_shared<MemoryObjects>());
  InitOptions options;
  options.secret = {SlotKind::kRawKey, SecretBytes(32)};
  ASSERT_TRUE(Repository::init(*store, clock, options).ok());
  std::mt19937_64 random(1);
  std::vector<PackInfo> expected;
  for (std::uint64_t i = 0; i < 50; ++i) {
    expected.push_back({.name = random_digest(random), .bytes = i + 1});
    ASSERT_TRUE(put_object(*store, pack_name(expected.back().name), Bytes(i + 1)).ok());
  }
  const auto repository = Repository::open(std::move(store), clock, options.secret, best_crypto_backend());
  ASSERT_TRUE(repository.ok());
  auto catalog = PackCatalog::load(**repository);
  ASSERT_TRUE(catalog.ok());
  for (std::uint64_t i = 50; i < 300; ++i) {
    expected.push_back({.name = random_digest(random), .bytes = i + 1});
    catalog->add(expected.back().name, i + 1);
    for (const PackInfo& pack : expected) {
      const PackInfo* const found = catalog->find(pack.name);
      ASSERT_NE(found, nullptr) << i;
      EXPECT_EQ(found->bytes, pack.bytes);
    }
  }
  EXPECT_EQ(catalog->find(random_digest(random)), nullptr);
  EXPECT_EQ(catalog->total_bytes(), 300U * 301 / 2);
  EXPECT_TRUE(std::is_sorted(catalog->packs().begin(), catalog->packs().end(),
                             [](const PackInfo& a, const PackInfo& b) { return a.name < b.name; }));
}

class CondemnedRecords : public testing::Test {
 protected:
  void SetUp() override {
    InitOptions options;
    options.secret = {SlotKind::kRawKey, SecretBytes(32)};
    ASSERT_TRUE(Repository::init(*make_memory_store(objects_), clock_, options).ok());
    auto opened = Repository::open(std::make_unique<test::HookStore>(make_memory_store(objects_), hook_), clock_,
                                   options.secret, best_crypto_backend());
    ASSERT_TRUE(opened.ok());
    repository_ = *std::move(opened);
    std::mt19937_64 random(2);
    for (Digest& pack : packs_) {
      pack = random_digest(random);
      ASSERT_TRUE(objects_->insert(pack_name(pack), Bytes(10), 0));
    }
  }
  void condemn(const Digest& pack) {
    const std::string name = record_of(pack);
    objects_->insert(
        name, encode_document(repository_->keys(), ObjectKind::kCondemned, name, encode_condemned({1, {pack}})), 0);
  }
  static std::string record_of(const Digest& pack) {
    Uuid id;
    std::copy_n(pack.data.begin(), id.data.size(), id.data.begin());
    return condemned_name(id);
  }

  SystemClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::shared_ptr<test::StoreHook> hook_ = std::make_shared<test::StoreHook>();
  std::unique_ptr<Repository> repository_;
  std::array<Digest, 2> packs_;
};

TEST_F(CondemnedRecords, AreReadBeforePacksAreListed) {
  condemn(packs_[0]);
  constexpr std::array kWith = {ObjectKind::kIndex};
  for (const bool writer : {false, true}) {
    std::vector<std::string> order;
    *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (key.starts_with("condemned/") || key == "packs/")
        order.push_back(std::string(operation) + (key == "packs/" ? " packs" : " condemned"));
      return std::nullopt;
    };
    // What a writer listed ahead does not count.
    constexpr std::array kAhead = {ObjectKind::kPack};
    ASSERT_TRUE(!writer || repository_->list_ahead(kAhead).ok());
    order.clear();
    const auto catalog = writer ? PackCatalog::load(*repository_, PackCatalog::UnreadableCondemned::kDistrust, kWith)
                                : PackCatalog::load(*repository_);
    ASSERT_TRUE(catalog.ok());
    EXPECT_TRUE(catalog->find(packs_[0])->condemned);
    EXPECT_FALSE(catalog->find(packs_[1])->condemned);
    EXPECT_EQ(order, (std::vector<std::string>{"list condemned", "get condemned", "list packs"}));
  }
}

TEST_F(CondemnedRecords, AreListedAgainWhereOneIsGone) {
  condemn(packs_[0]);
  // The prune that wrote it has ended, and another one condemns the other pack.
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || key != record_of(packs_[0])) return std::nullopt;
    objects_->erase(record_of(packs_[0]));
    objects_->erase(pack_name(packs_[0]));
    condemn(packs_[1]);
    return std::nullopt;
  };
  const auto catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  EXPECT_EQ(catalog->find(packs_[0]), nullptr);
  ASSERT_NE(catalog->find(packs_[1]), nullptr);
  EXPECT_TRUE(catalog->find(packs_[1])->condemned);
}

TEST_F(CondemnedRecords, ThatAlwaysVanishAreNotPassedOver) {
  std::mt19937_64 random(4);
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "list" && key == "condemned/") condemn(random_digest(random));
    if (operation == "get" && key.starts_with("condemned/")) objects_->erase(std::string(key));
    return std::nullopt;
  };
  const auto catalog = PackCatalog::load(*repository_);
  ASSERT_FALSE(catalog.ok());
  EXPECT_EQ(catalog.error().code, ErrorCode::kUnavailable);
}

TEST_F(CondemnedRecords, ThatAreListedAgainAndNotThereCountAsUnreadable) {
  condemn(packs_[0]);
  *hook_ = *test::only_listed({record_of(packs_[0])});
  for (const auto unreadable :
       {PackCatalog::UnreadableCondemned::kDistrust, PackCatalog::UnreadableCondemned::kPassOver}) {
    const auto catalog = PackCatalog::load(*repository_, unreadable);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    ASSERT_EQ(catalog->unreadable_condemned().size(), 1U);
    EXPECT_EQ(catalog->unreadable_condemned().front().name, record_of(packs_[0]));
    EXPECT_EQ(catalog->find(packs_[1])->may_be_condemned, unreadable == PackCatalog::UnreadableCondemned::kDistrust);
  }
}

TEST_F(CondemnedRecords, AMarkOfDamageThatIsOnlyListedMarksTheWholePack) {
  ASSERT_TRUE(mark_damaged(repository_->store(), clock_, packs_[0], "verify", "p", {{0, 1}}).ok());
  *hook_ = *test::only_listed({objects_->list("damaged/").front().key});
  auto catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  EXPECT_FALSE(catalog->usable(*catalog->find(packs_[0]), 5, 5));
  // One that was taken back meanwhile is none.
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && key.starts_with("damaged/")) objects_->erase(std::string(key));
    return std::nullopt;
  };
  catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  EXPECT_TRUE(catalog->usable(*catalog->find(packs_[0]), 0, 1));
}

TEST_F(CondemnedRecords, ThatCannotBeReadMayNameAnyPackThatIsNotClearlyYounger) {
  constexpr std::int64_t kHour = 3600LL * 1'000'000'000LL;
  constexpr std::int64_t kRecord = 1'800'000'000'000'000'000;
  std::mt19937_64 random(3);
  std::map<std::int64_t, Digest> by_time;  // packs_ have none
  for (const std::int64_t time : {kRecord - 100 * kHour, kRecord, kRecord + kHour, kRecord + kHour + 1}) {
    const Digest& pack = by_time[time] = random_digest(random);
    ASSERT_TRUE(objects_->insert(pack_name(pack), Bytes(10), time));
  }
  const auto usable = [&](PackCatalog::UnreadableCondemned unreadable) {
    const auto catalog = PackCatalog::load(*repository_, unreadable);
    EXPECT_TRUE(catalog.ok()) << catalog.error().message;
    std::set<std::int64_t> times;
    for (const auto& [time, pack] : by_time)
      if (catalog->usable(*catalog->find(pack), 0, 10)) times.insert(time);
    if (catalog->usable(*catalog->find(packs_[0]), 0, 10)) times.insert(0);
    return times;
  };
  using Times = std::set<std::int64_t>;
  const std::string record = record_of(packs_[0]);
  for (const Bytes& garbage : {Bytes(), Bytes(7), Bytes(1000, 'x')}) {
    ASSERT_TRUE(objects_->insert(record, garbage, kRecord));
    EXPECT_EQ(usable(PackCatalog::UnreadableCondemned::kDistrust), Times{kRecord + kHour + 1});
    EXPECT_EQ(usable(PackCatalog::UnreadableCondemned::kPassOver).size(), 5U);
    objects_->erase(record);
  }
  ASSERT_TRUE(objects_->insert(record, Bytes(7), 0));
  EXPECT_EQ(usable(PackCatalog::UnreadableCondemned::kDistrust), Times());
  const auto catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok());
  ASSERT_EQ(catalog->unreadable_condemned().size(), 1U);
  EXPECT_NE(catalog->unreadable_condemned().front().warning().find(record), std::string::npos);
}

TEST_F(CondemnedRecords, OneThatMayNotBeReadIsUnreadableWhereOthersMay) {
  condemn(packs_[0]);
  condemn(packs_[1]);
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || key != record_of(packs_[0])) return std::nullopt;
    return Error(ErrorCode::kDenied, "403 AccessDenied");
  };
  const auto catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  ASSERT_EQ(catalog->unreadable_condemned().size(), 1U);
  EXPECT_EQ(catalog->unreadable_condemned().front().name, record_of(packs_[0]));
  EXPECT_TRUE(catalog->find(packs_[0])->may_be_condemned);
  EXPECT_TRUE(catalog->find(packs_[1])->condemned);
}

TEST_F(CondemnedRecords, WhereNoneMayBeReadTheMissingPermissionIsNamed) {
  condemn(packs_[0]);
  condemn(packs_[1]);
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation != "get" || !key.starts_with("condemned/")) return std::nullopt;
    return Error(ErrorCode::kDenied, "403 AccessDenied");
  };
  const auto catalog = PackCatalog::load(*repository_);
  ASSERT_FALSE(catalog.ok());
  EXPECT_EQ(catalog.error().code, ErrorCode::kDenied);
  EXPECT_NE(catalog.error().message.find("no record under condemned/ may be read"), std::string::npos);
  EXPECT_NE(catalog.error().message.find("read (get) every object there"), std::string::npos);
  EXPECT_TRUE(PackCatalog::load(*repository_, PackCatalog::UnreadableCondemned::kPassOver).ok());
}

}  // namespace
}  // namespace drs
