// A push and packs that it must not use: a prune has condemned them, or they are missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/format/document.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "tests/engine/pipeline/push/push_fixture.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

using test::PushTest;
using test::random_stream;

TEST_F(PushTest, UsesNoPackThatAPruneHasCondemned) {
  const Bytes stream = random_stream(12, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  CondemnedPacks condemned;
  for (const ObjectInfo& info : objects_->list("packs/")) condemned.packs.push_back(parse_name(info.key)->digest);
  const std::string record = condemned_name(Uuid());
  objects_->insert(
      record, encode_document(repository_->keys(), ObjectKind::kCondemned, record, encode_condemned(condemned)), 0);
  const auto again = push_bytes(stream);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->manifest.new_bytes, stream.size());
  for (const Digest& pack : condemned.packs) objects_->erase(pack_name(pack));
  const auto back = read_back(again->manifest);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(*back, stream);
}

TEST_F(PushTest, UsesNoPackThatItWasToldIsNotThere) {
  for (const bool indexed : {true, false}) {
    const Bytes stream = random_stream(33, 2 << 20);
    PushOptions options;
    options.stream = indexed ? "indexed" : "not indexed";
    ASSERT_TRUE(push_bytes(stream, 2, options).ok());
    std::vector<std::string> packs;
    for (const ObjectInfo& info : objects_->list("packs/")) packs.push_back(info.key);
    if (!indexed)
      for (const ObjectInfo& info : objects_->list("index/")) objects_->erase(info.key);
    repository_->replace_store(
        std::make_unique<test::HookStore>(make_memory_store(objects_), test::only_listed(packs)));
    const auto again = push_bytes(stream, 2, options);
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->manifest.new_bytes, stream.size());
    EXPECT_EQ(again->warnings.size(), 1U);
    const auto back = read_back(again->manifest);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(*back == stream);
    repository_->replace_store(make_memory_store(objects_));
  }
}

// Anyone with write access can put an object there.
TEST_F(PushTest, ACondemnedRecordThatCannotBeReadStopsNoPush) {
  constexpr std::int64_t kTwoHours = 2 * 3600LL * 1'000'000'000LL;
  repository_->replace_store(make_memory_store(objects_, &clock_));
  const Bytes stream = random_stream(12, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  const std::string record = condemned_name(Uuid());
  objects_->insert(record, Bytes(100), clock_.wall_ns());
  const auto again = push_bytes(stream);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->manifest.new_bytes, stream.size());
  EXPECT_THAT(again->warnings, ::testing::ElementsAre(::testing::HasSubstr(record)));
  EXPECT_EQ(*read_back(again->manifest), stream);
  // A pack that is younger than the record may have been put again.
  objects_->erase(record);
  objects_->insert(record, Bytes(100), clock_.wall_ns() - kTwoHours);
  const auto third = push_bytes(stream);
  ASSERT_TRUE(third.ok()) << third.error().message;
  EXPECT_EQ(third->manifest.new_bytes, stream.size());
  EXPECT_EQ(third->warnings.size(), 1U);
  // Blocks that the push has stored itself are used.
  Bytes twice = stream;
  twice.insert(twice.end(), stream.begin(), stream.end());
  const auto fourth = push_bytes(twice);
  ASSERT_TRUE(fourth.ok()) << fourth.error().message;
  EXPECT_LT(fourth->manifest.new_bytes, stream.size() * 3 / 2);
}

TEST_F(PushTest, ReliesOnNothingThatAPruneDeletedBesideIt) {
  const Bytes stream = random_stream(11, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  const std::string pack = objects_->list("packs/").front().key;
  const std::string record = condemned_name(Uuid());
  const auto hook = std::make_shared<test::StoreHook>();
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_), hook));
  // The prune ends after the records are listed and before this one is read, or just before packs are listed.
  for (const std::string_view moment : {std::string_view(record), std::string_view("packs/")}) {
    const auto whole = objects_->find(pack);
    objects_->insert(record,
                     encode_document(repository_->keys(), ObjectKind::kCondemned, record,
                                     encode_condemned({1, {parse_name(pack)->digest}})),
                     0);
    bool pruned = false;
    *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (key != moment || operation == "put" || pruned) return std::nullopt;
      pruned = true;
      objects_->erase(pack);
      objects_->erase(record);
      return std::nullopt;
    };
    const auto report = push_bytes(stream);
    *hook = nullptr;
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(pruned);
    const auto back = read_back(report->manifest);
    ASSERT_TRUE(back.ok()) << moment << ": " << back.error().message;
    EXPECT_EQ(*back, stream);
    for (const ObjectInfo& info : objects_->list("packs/")) objects_->erase(info.key);
    for (const ObjectInfo& info : objects_->list("index/")) objects_->erase(info.key);
    for (const ObjectInfo& info : objects_->list("manifests/")) objects_->erase(info.key);
    ASSERT_TRUE(objects_->insert(pack, *whole->bytes, 0));
  }
}

}  // namespace
}  // namespace drs
