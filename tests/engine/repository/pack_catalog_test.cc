#include "engine/repository/pack_catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "sinks/memory_store.h"
#include "sinks/object_io.h"
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
    // A list of packs that was made earlier must not be used by a writer.
    constexpr std::array kAhead = {ObjectKind::kPack};
    auto listing = Listing::make(repository_->store(), kAhead);
    ASSERT_TRUE(listing.ok());
    Digest later = packs_[0];
    later.data[0] ^= writer ? 1 : 2;
    objects_->insert(pack_name(later), Bytes(10), 0);
    order.clear();
    const auto catalog =
        writer ? PackCatalog::load_with(*repository_, *listing, kWith) : PackCatalog::load(*repository_);
    ASSERT_TRUE(catalog.ok());
    EXPECT_TRUE(catalog->find(packs_[0])->condemned);
    EXPECT_FALSE(catalog->find(packs_[1])->condemned);
    EXPECT_NE(catalog->find(later), nullptr) << "a writer's list of packs is older than the records it read";
    EXPECT_EQ(order, (std::vector<std::string>{"list condemned", "get condemned", "list packs"}));
  }
}

TEST_F(CondemnedRecords, AreListedAgainWhereOneIsGone) {
  condemn(packs_[0]);
  // The prune that wrote the record has ended, and another one condemns the other pack.
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
  ASSERT_TRUE(
      mark_damaged(repository_->store(), clock_, packs_[0], {.found_by = "verify", .problem = "p", .blocks = {{0, 1}}})
          .ok());
  *hook_ = *test::only_listed({objects_->list("damaged/").front().key});
  auto catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  EXPECT_FALSE(catalog->usable(*catalog->find(packs_[0]), 5, 5));
  // A mark that is removed in the meantime does not count.
  *hook_ = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    if (operation == "get" && key.starts_with("damaged/")) objects_->erase(std::string(key));
    return std::nullopt;
  };
  catalog = PackCatalog::load(*repository_);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  EXPECT_TRUE(catalog->usable(*catalog->find(packs_[0]), 0, 1));
}

// However young it is: a delayed PUT may have put it again after the prune had deleted it.
TEST_F(CondemnedRecords, ThatCannotBeReadMayNameEveryPackThatIsListed) {
  constexpr std::int64_t kHour = 3600LL * 1'000'000'000LL;
  constexpr std::int64_t kRecord = 1'800'000'000'000'000'000;
  std::mt19937_64 random(3);
  std::vector<Digest> listed = {packs_[0], packs_[1]};  // these have no time
  for (const std::int64_t time : {kRecord - 100 * kHour, kRecord, kRecord + 10'000 * kHour}) {
    listed.push_back(random_digest(random));
    ASSERT_TRUE(objects_->insert(pack_name(listed.back()), Bytes(10), time));
  }
  const std::string record = record_of(packs_[0]);
  for (const Bytes& garbage : {Bytes(), Bytes(7), Bytes(1000, 'x')}) {
    ASSERT_TRUE(objects_->insert(record, garbage, kRecord));
    auto catalog = PackCatalog::load(*repository_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    for (const Digest& pack : listed) EXPECT_FALSE(catalog->usable(*catalog->find(pack), 0, 10)) << pack.hex();
    const Digest own = random_digest(random);
    catalog->add(own, 10);
    EXPECT_TRUE(catalog->usable(*catalog->find(own), 0, 10)) << "a pack that this process has stored";
    ASSERT_EQ(catalog->unreadable_condemned().size(), 1U);
    const std::string warning = catalog->unreadable_condemned().front().warning();
    EXPECT_NE(warning.find(record), std::string::npos) << warning;
    EXPECT_NE(warning.find("never remove it"), std::string::npos) << warning;
    const auto reader = PackCatalog::load(*repository_, PackCatalog::UnreadableCondemned::kPassOver);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    for (const Digest& pack : listed) EXPECT_TRUE(reader->usable(*reader->find(pack), 0, 10)) << pack.hex();
    objects_->erase(record);
  }
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
