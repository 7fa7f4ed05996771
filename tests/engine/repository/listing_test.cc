#include "engine/repository/listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "engine/format/names.h"
#include "sinks/memory_store.h"

namespace drs {
namespace {

class ListingTest : public testing::Test {
 protected:
  static std::string pack(Byte first) {
    Digest name{};
    name.data[0] = first;
    return pack_name(name);
  }
  std::vector<std::string> names(Listing& listing, ObjectKind kind) {
    const auto taken = listing.take(*store_, kind);
    EXPECT_TRUE(taken.ok());
    std::vector<std::string> names;
    for (const ObjectInfo& info : *taken) names.push_back(info.key);
    return names;
  }

  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::unique_ptr<ObjectStore> store_ = make_memory_store(objects_);
  const std::array<ObjectKind, 2> kinds_ = {ObjectKind::kPack, ObjectKind::kIndex};
};

TEST_F(ListingTest, GivesWhatItSawOnceAndThenWhatIsThereNow) {
  objects_->insert(pack(1), Bytes(1), 0);
  auto listing = Listing::make(*store_, kinds_);
  ASSERT_TRUE(listing.ok());
  objects_->insert(pack(2), Bytes(1), 0);
  EXPECT_THAT(names(*listing, ObjectKind::kPack), testing::ElementsAre(pack(1)));
  EXPECT_THAT(names(*listing, ObjectKind::kPack), testing::UnorderedElementsAre(pack(1), pack(2)));
}

TEST_F(ListingTest, AnEmptyKindThatWasSeenIsNotListedAgain) {
  auto listing = Listing::make(*store_, kinds_);
  ASSERT_TRUE(listing.ok());
  objects_->insert(pack(1), Bytes(1), 0);
  EXPECT_THAT(names(*listing, ObjectKind::kPack), testing::IsEmpty());
}

TEST_F(ListingTest, ANewerLookReplacesTheKindsItWasMadeFor) {
  objects_->insert(pack(1), Bytes(1), 0);
  auto listing = Listing::make(*store_, kinds_);
  ASSERT_TRUE(listing.ok());
  objects_->insert(pack(2), Bytes(1), 0);
  constexpr std::array kPacks = {ObjectKind::kPack};
  auto newer = Listing::make(*store_, kPacks);
  ASSERT_TRUE(newer.ok());
  listing->replace(kPacks, *std::move(newer));
  EXPECT_THAT(names(*listing, ObjectKind::kPack), testing::UnorderedElementsAre(pack(1), pack(2)));
}

TEST_F(ListingTest, WhatCouldNotBeListedIsListedWhenItIsWanted) {
  objects_->insert(pack(1), Bytes(1), 0);
  auto listing = Listing::make(*store_, kinds_);
  ASSERT_TRUE(listing.ok());
  objects_->insert(pack(2), Bytes(1), 0);
  listing->replace(kinds_, Listing());
  EXPECT_THAT(names(*listing, ObjectKind::kPack), testing::UnorderedElementsAre(pack(1), pack(2)));
}

}  // namespace
}  // namespace drs
