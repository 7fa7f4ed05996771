// What every ObjectStore promises, whatever is behind it. tests/services/test_contract.py runs this against real
// servers.
#include "sinks/object_store.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <tuple>

#include "sinks/object_io.h"
#include "tests/sinks/contract_stores.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::AlignedBytes;
using test::listed_keys;
using test::outcome;
using test::random_bytes;
using test::run_until_done;
using test::StoreKind;
using test::TestGet;
using test::TestPut;

class ObjectStoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  ObjectStoreContract() : made_(GetParam().make()), store_(std::move(made_.store)) {}

  void put(const ObjectKey& key, ByteView body) {
    const Result<void> stored = put_object(*store_, key, body);
    ASSERT_TRUE(stored.ok()) << stored.error().message;
  }
  Bytes content(const ObjectKey& key) {
    const Result<Bytes> bytes = get_object(*store_, key, 64 * kMiB);
    EXPECT_TRUE(bytes.ok()) << bytes.error().message;
    return bytes.ok() ? *bytes : Bytes{};
  }

  // S3 answers the removal of a missing object with success.
  static std::string removal_of_nothing() { return GetParam().name == "S3" ? "ok" : "not-found"; }

  test::MadeStore made_;  // holds what the store borrows
  std::unique_ptr<ObjectStore> store_;
};

TEST_P(ObjectStoreContract, GivesBackWhatWasPut) {
  const Bytes body = random_bytes(100'003, 1);
  put("packs/3f/one", body);
  EXPECT_EQ(content("packs/3f/one"), body);
  const Result<ObjectInfo> info = store_->stat("packs/3f/one");
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(info->size_bytes, body.size());
  EXPECT_EQ(info->key, "packs/3f/one");
}

TEST_P(ObjectStoreContract, GivesBackWholeObjectsOfAnySizeUpToTheOneAllowed) {
  for (const std::size_t size : {1UL, 65'535UL, 65'536UL, 65'537UL, 65'538UL, 200'000UL}) {
    const Bytes body = random_bytes(size, size);
    const ObjectKey key = "sized/" + std::to_string(size);
    put(key, body);
    const auto exactly = get_object(*store_, key, size);
    ASSERT_TRUE(exactly.ok()) << exactly.error().message;
    EXPECT_EQ(*exactly, body);
    EXPECT_EQ(outcome(get_object(*store_, key, size - 1)), "corrupt") << size;
  }
}

TEST_P(ObjectStoreContract, KeepsAnEmptyObject) {
  put("empty", {});
  EXPECT_TRUE(content("empty").empty());
  EXPECT_EQ(listed_keys(*store_, ""), std::set<ObjectKey>{"empty"});
}

TEST_P(ObjectStoreContract, DeliversRangesAndStopsWhereTheObjectEnds) {
  const AlignedBytes body(random_bytes(50'000, 2));
  put("object", body.view());
  for (const std::uint64_t offset : {0U, 1U, 4'096U, 8'191U, 49'152U, 49'999U, 50'000U, 53'248U, 90'000U}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4'096}, std::size_t{65'536}}) {
      const AlignedBytes destination(size);
      TestGet get("object", offset, destination.view());
      store_->get(get.operation);
      EXPECT_EQ(get.done_count, 0) << "done only from run";
      run_until_done(*store_, get);
      ASSERT_TRUE(get.operation.result.ok()) << get.operation.result.error().message;
      const std::size_t from = std::min<std::size_t>(offset, body.view().size());
      const std::size_t expected = std::min(size, body.view().size() - from);
      ASSERT_EQ(*get.operation.result, expected) << offset << "+" << size;
      EXPECT_TRUE(std::equal(destination.view().begin(),
                             destination.view().begin() + static_cast<std::ptrdiff_t>(expected),
                             body.view().begin() + static_cast<std::ptrdiff_t>(from)));
    }
  }
}

TEST_P(ObjectStoreContract, BlockingRangeIsAllOrTruncated) {
  put("object", as_bytes("0123456789"));
  Bytes range(4);
  ASSERT_TRUE(get_range(*store_, "object", 6, range).ok());
  EXPECT_EQ(as_text(range), "6789");
  EXPECT_EQ(outcome(get_range(*store_, "object", 7, range)), "truncated");
  EXPECT_EQ(outcome(get_object(*store_, "object", 9)), "corrupt");
}

TEST_P(ObjectStoreContract, SaysNotFoundForWhatWasNeverPut) {
  put("packs/aa/x", as_bytes("x"));
  Bytes range(1);
  for (const ObjectKey key : {"packs/aa/y", "packs/bb/x", "nowhere/at/all", "packs/aa"}) {
    EXPECT_EQ(outcome(store_->stat(key)), "not-found") << key;
    EXPECT_EQ(outcome(store_->remove(key)), removal_of_nothing()) << key;
    EXPECT_EQ(outcome(get_object(*store_, key, 10)), "not-found") << key;
  }
  EXPECT_EQ(outcome(get_range(*store_, "packs/aa/y", 0, range)), "not-found");
}

TEST_P(ObjectStoreContract, NeverReplacesAnObject) {
  put("manifests/m", as_bytes("first"));
  EXPECT_EQ(outcome(put_object(*store_, "manifests/m", as_bytes("second"))), "already-exists");
  EXPECT_EQ(outcome(put_object(*store_, "manifests/m", as_bytes("first"))), "already-exists");
  EXPECT_EQ(as_text(content("manifests/m")), "first");
}

TEST_P(ObjectStoreContract, LetsOneOfManyPutsOfAKeyWin) {
  constexpr int kRounds = 10;
  auto second = store_->clone();
  ASSERT_TRUE(second.ok()) << second.error().message;
  std::array<std::array<Result<void>, 2>, kRounds> results;
  const auto put_all = [&](ObjectStore& store, std::size_t who) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      const Bytes body = random_bytes(5'000, who);
      results[round][who] = put_object(store, "race/" + std::to_string(round), body);
    }
  };
  std::thread rival([&] { put_all(**second, 1); });
  put_all(*store_, 0);
  rival.join();
  for (std::size_t round = 0; round < kRounds; ++round) {
    const std::size_t winner = results[round][0].ok() ? 0 : 1;
    EXPECT_EQ(outcome(results[round][winner]), "ok");
    EXPECT_EQ(outcome(results[round][1 - winner]), "already-exists");
    EXPECT_EQ(content("race/" + std::to_string(round)), random_bytes(5'000, winner));
  }
}

TEST_P(ObjectStoreContract, LetsOneOfTwoPutsInFlightWin) {
  const Bytes first = random_bytes(9'000, 1);
  const Bytes second = random_bytes(9'000, 2);
  TestPut a("same", {first});
  TestPut b("same", {second});
  store_->put(a.operation);
  store_->put(b.operation);
  run_until_done(*store_, a);
  run_until_done(*store_, b);
  EXPECT_NE(a.operation.result.ok(), b.operation.result.ok());
  EXPECT_EQ(content("same"), a.operation.result.ok() ? first : second);
}

TEST_P(ObjectStoreContract, StoresAnUnnamedPutOnceItIsNamed) {
  const Bytes body = random_bytes(3 * kMiB + 17, 3);
  TestPut put("", {body});
  store_->put(put.operation);
  for (int i = 0; i < 20; ++i) {
    // `run` returns although nothing can finish.
    const auto moved = store_->run(true);
    ASSERT_TRUE(moved.ok());
    EXPECT_EQ(*moved, 0U);
  }
  EXPECT_EQ(put.done_count, 0);
  EXPECT_EQ(store_->in_flight(), 1U);
  EXPECT_TRUE(listed_keys(*store_, "").empty());
  store_->name(put.operation, "packs/00/named");
  EXPECT_EQ(put.done_count, 0);
  run_until_done(*store_, put);
  EXPECT_TRUE(put.operation.result.ok()) << put.operation.result.error().message;
  EXPECT_EQ(content("packs/00/named"), body);
  EXPECT_EQ(store_->in_flight(), 0U);
}

TEST_P(ObjectStoreContract, NamesAPutBeforeItRan) {
  TestPut put("", {as_bytes("body")});
  store_->put(put.operation);
  store_->name(put.operation, "named");
  run_until_done(*store_, put);
  EXPECT_EQ(as_text(content("named")), "body");
}

TEST_P(ObjectStoreContract, LeavesNothingOfADroppedPut) {
  const Bytes body = random_bytes(2 * kMiB, 4);
  for (int runs_before = 0; runs_before < 6; ++runs_before) {
    TestPut put("", {body});
    store_->put(put.operation);
    for (int i = 0; i < runs_before; ++i) ASSERT_TRUE(store_->run(false).ok());
    store_->drop(put.operation);
    EXPECT_EQ(put.done_count, 0);
    run_until_done(*store_, put);
    EXPECT_EQ(outcome(put.operation.result), "cancelled");
  }
  EXPECT_TRUE(listed_keys(*store_, "").empty());
  EXPECT_EQ(store_->in_flight(), 0U);
}

TEST_P(ObjectStoreContract, DoesOtherWorkWhileMorePutsThanItRunsWaitForNames) {
  const Bytes body = random_bytes(10'000, 5);
  std::vector<std::unique_ptr<TestPut>> unnamed;
  for (std::size_t i = 0; i < 2 * store_->parallel_max() + 1; ++i) {
    unnamed.push_back(std::make_unique<TestPut>("", std::vector<ByteView>{body}));
    store_->put(unnamed.back()->operation);
  }
  put("other", as_bytes("other"));
  EXPECT_EQ(as_text(content("other")), "other");
  for (std::size_t i = 0; i < unnamed.size(); ++i) store_->name(unnamed[i]->operation, "late/" + std::to_string(i));
  for (const auto& late : unnamed) run_until_done(*store_, *late);
  EXPECT_EQ(listed_keys(*store_, "late/").size(), unnamed.size());
}

TEST_P(ObjectStoreContract, ListsExactlyTheObjectsUnderAPrefix) {
  std::set<ObjectKey> packs;
  std::set<ObjectKey> all;
  for (const ObjectKey key : {"packs/aa/1", "packs/aa/2", "packs/ab/1", "index/1", "config.0", "packs-old/x"}) {
    put(key, as_bytes(key));
    all.insert(key);
    if (key.starts_with("packs/")) packs.insert(key);
  }
  EXPECT_EQ(listed_keys(*store_, ""), all);
  EXPECT_EQ(listed_keys(*store_, "packs/"), packs);
  EXPECT_EQ(listed_keys(*store_, "packs/ab/"), std::set<ObjectKey>{"packs/ab/1"});
  EXPECT_TRUE(listed_keys(*store_, "nothing/here/").empty());
  const auto ignore = [](const ObjectInfo&) -> Result<void> { return {}; };
  for (const std::string_view prefix : {"packs", "/", "packs//", "../", ".incoming/"}) {
    EXPECT_EQ(outcome(store_->list(prefix, ignore)), "usage") << prefix;
  }
}

TEST_P(ObjectStoreContract, StopsAListWhenTheVisitorFails) {
  put("a", as_bytes("a"));
  put("b", as_bytes("b"));
  int visits = 0;
  const auto listed = store_->list("", [&](const ObjectInfo&) -> Result<void> {
    ++visits;
    return Error(ErrorCode::kCancelled, "enough");
  });
  EXPECT_EQ(outcome(listed), "cancelled");
  EXPECT_EQ(visits, 1);
}

TEST_P(ObjectStoreContract, ListsSeveralPrefixesAtOnce) {
  for (const ObjectKey key : {"a/1", "a/2", "b/1", "c/1"}) put(key, as_bytes("x"));
  constexpr std::array<std::string_view, 3> kPrefixes = {"a/", "c/", "nothing/"};
  std::set<ObjectKey> seen;
  const auto listed = store_->list_together(kPrefixes, [&](const ObjectInfo& info) -> Result<void> {
    EXPECT_TRUE(seen.insert(info.key).second) << info.key;
    return {};
  });
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(seen, (std::set<ObjectKey>{"a/1", "a/2", "c/1"}));
}

TEST_P(ObjectStoreContract, ReadsSeveralObjectsAndRangesAtOnce) {
  constexpr std::size_t kCount = 70;  // more than any store takes at once
  std::vector<ObjectInfo> objects;
  for (std::size_t i = 0; i < kCount; ++i) {
    const ObjectKey key = "a/" + std::to_string(i);
    put(key, as_bytes("object " + std::to_string(i)));
    objects.push_back({key, ("object " + std::to_string(i)).size(), 0});
  }
  objects[3].key = "a/gone";
  objects[4].size_bytes += 1;    // longer than the object
  objects[5].size_bytes = 1000;  // longer than allowed
  std::vector<std::string> read(kCount);
  const auto all = get_objects(*store_, objects, 100, [&](std::size_t place, Result<Bytes> bytes) -> Result<void> {
    read.at(place) += bytes.ok() ? std::string(as_text(*bytes)) : outcome(bytes);
    return {};
  });
  ASSERT_TRUE(all.ok());
  for (std::size_t i = 0; i < kCount; ++i)
    EXPECT_EQ(read[i], i == 3   ? "not-found"
                       : i == 4 ? "truncated"
                       : i == 5 ? "corrupt"
                                : "object " + std::to_string(i));
  std::size_t visits = 0;
  const auto ended = get_objects(*store_, objects, 100, [&](std::size_t, const Result<Bytes>&) -> Result<void> {
    return ++visits == 2 ? Error(ErrorCode::kCancelled, "enough") : Result<void>();
  });
  EXPECT_EQ(outcome(ended), "cancelled");
  EXPECT_EQ(visits, 2U);
  EXPECT_EQ(store_->in_flight(), 0U);

  AlignedBytes memory{std::size_t{64}};
  std::vector<RangeRead> ranges = {{"a/7", 2, memory.view().first(4), {}},
                                   {"a/gone", 0, memory.view().subspan(16, 4), {}},
                                   {"a/8", 5, memory.view().subspan(32, 10), {}}};
  ASSERT_TRUE(get_ranges(*store_, ranges).ok());
  ASSERT_TRUE(ranges[0].result.ok());
  EXPECT_EQ(as_text(ranges[0].destination), "ject");
  EXPECT_EQ(outcome(ranges[1].result), "not-found");
  EXPECT_EQ(outcome(ranges[2].result), "truncated");
}

TEST_P(ObjectStoreContract, RemovesAnObjectAndFreesItsName) {
  put("packs/aa/1", as_bytes("old"));
  EXPECT_EQ(as_text(content("packs/aa/1")), "old");
  ASSERT_TRUE(store_->remove("packs/aa/1").ok());
  EXPECT_EQ(outcome(get_object(*store_, "packs/aa/1", 10)), "not-found");
  EXPECT_EQ(outcome(store_->remove("packs/aa/1")), removal_of_nothing());
  EXPECT_TRUE(listed_keys(*store_, "").empty());
  put("packs/aa/1", as_bytes("new"));
  EXPECT_EQ(as_text(content("packs/aa/1")), "new");
}

TEST_P(ObjectStoreContract, RemovesManyObjectsWhetherTheyAreThereOrNot) {
  std::vector<ObjectKey> keys;
  for (std::size_t i = 0; i < 1100; ++i)
    keys.push_back("packs/aa/" + std::to_string(i));  // more than fit into one request
  put("packs/aa/0", as_bytes("first"));
  put("packs/aa/1099", as_bytes("last"));
  put("packs/ab/1", as_bytes("another"));
  ASSERT_TRUE(store_->remove_all(keys).ok());
  EXPECT_EQ(listed_keys(*store_, ""), std::set<ObjectKey>{"packs/ab/1"});
  EXPECT_TRUE(store_->remove_all({}).ok());
}

TEST_P(ObjectStoreContract, RefusesInvalidKeys) {
  for (const ObjectKey key :
       {"", "/a", "a/", "a//b", ".", "..", "a/../b", ".hidden", "a/.b", "A", "a b", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(is_valid_object_key(key)) << key;
    EXPECT_EQ(outcome(put_object(*store_, key, as_bytes("x"))), "usage") << key;
  }
  EXPECT_FALSE(is_valid_object_key(std::string(201, 'a')));
  EXPECT_FALSE(is_valid_object_key(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_valid_object_key(std::string(200, 'a')));
  EXPECT_TRUE(is_valid_object_key("packs/3f/3fa0-b_c.d9"));
  EXPECT_TRUE(listed_keys(*store_, "").empty());
}

TEST_P(ObjectStoreContract, StoresBodiesOfManySizesInSeveralPieces) {
  const AlignedBytes source(random_bytes(5 * kMiB + 4'097, 6));
  const ByteView all = source.view();
  // The sizes of the pieces; only aligned ones are written directly.
  const std::vector<std::vector<std::size_t>> shapes = {{1},
                                                        {4'095},
                                                        {4'096},
                                                        {4'097},
                                                        {8'192, 1},
                                                        {4'096, 4'096, 4'095},
                                                        {0, 4'096, 0},
                                                        {1, 4'096},
                                                        {7, 11, 13},
                                                        {kMiB},
                                                        {kMiB + 1},
                                                        {kMiB - 1},
                                                        {kMiB, kMiB, 12'288},
                                                        {2 * kMiB, 3 * kMiB + 4'097},
                                                        {3 * kMiB + 5, 2 * kMiB}};
  std::vector<std::unique_ptr<TestPut>> puts;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    std::vector<ByteView> body;
    std::size_t at = 0;
    for (const std::size_t size : shapes[i]) {
      body.push_back(all.subspan(at, size));
      at += size;
    }
    puts.push_back(std::make_unique<TestPut>("sizes/" + std::to_string(i), std::move(body)));
    store_->put(puts.back()->operation);
  }
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    run_until_done(*store_, *puts[i]);
    ASSERT_TRUE(puts[i]->operation.result.ok()) << puts[i]->operation.result.error().message;
    Bytes expected;
    for (const ByteView piece : puts[i]->operation.body) expected.insert(expected.end(), piece.begin(), piece.end());
    EXPECT_EQ(content("sizes/" + std::to_string(i)), expected) << "shape " << i;
  }
}

TEST_P(ObjectStoreContract, AnotherInstanceSeesTheSameObjectsAndWorksByItself) {
  put("mine", as_bytes("mine"));
  TestPut waiting("", {as_bytes("waiting")});
  store_->put(waiting.operation);
  auto second = store_->clone();
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ((*second)->in_flight(), 0U);
  std::thread thread([&] {
    const auto mine = get_object(**second, "mine", 10);
    ASSERT_TRUE(mine.ok()) << mine.error().message;
    EXPECT_EQ(as_text(*mine), "mine");
    EXPECT_TRUE(put_object(**second, "theirs", as_bytes("theirs")).ok());
  });
  thread.join();
  EXPECT_EQ(waiting.done_count, 0);
  EXPECT_EQ(as_text(content("theirs")), "theirs");
  second->reset();
  store_->name(waiting.operation, "waited");
  run_until_done(*store_, waiting);
  EXPECT_EQ(as_text(content("waited")), "waiting");
}

TEST_P(ObjectStoreContract, LetsDoneStartFurtherOperations) {
  struct Chain {
    ObjectStore* store = nullptr;
    PutOperation operation;
    int left = 5;
    bool failed = false;
  } chain;
  const Bytes body = random_bytes(6'000, 8);
  chain.store = store_.get();
  chain.operation.key = "chain/0";
  chain.operation.body = {body};
  chain.operation.owner = &chain;
  chain.operation.done = [](PutOperation& put) {
    Chain& c = *static_cast<Chain*>(put.owner);
    c.failed = c.failed || !put.result.ok();
    if (--c.left == 0) return;
    put.key = "chain/" + std::to_string(c.left);
    c.store->put(put);
  };
  store_->put(chain.operation);
  while (chain.left > 0) ASSERT_TRUE(store_->run(true).ok());
  EXPECT_FALSE(chain.failed);
  EXPECT_EQ(listed_keys(*store_, "chain/").size(), 5U);
}

TEST_P(ObjectStoreContract, TakesManyOperationsAtOnce) {
  constexpr std::size_t kCount = 50;
  std::vector<Bytes> bodies;
  std::vector<std::unique_ptr<TestPut>> puts;
  for (std::size_t i = 0; i < kCount; ++i) {
    bodies.push_back(random_bytes(i * 977, i));
    puts.push_back(std::make_unique<TestPut>("many/" + std::to_string(i), std::vector<ByteView>{bodies.back()}));
    store_->put(puts.back()->operation);
  }
  for (const auto& put : puts) run_until_done(*store_, *put);
  std::vector<std::unique_ptr<TestGet>> gets;
  std::vector<Bytes> read(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    read[i].resize(bodies[i].size());
    gets.push_back(std::make_unique<TestGet>("many/" + std::to_string(i), 0, read[i]));
    store_->get(gets.back()->operation);
  }
  for (const auto& get : gets) run_until_done(*store_, *get);
  EXPECT_EQ(read, bodies);
}

TEST_P(ObjectStoreContract, GivesUpWhatIsInFlightWhenItIsDestroyed) {
  const Bytes body = random_bytes(300'000, 10);
  put("there", body);
  TestPut named("packs/aa/1", {body});
  TestPut unnamed("", {body});
  auto destination = std::make_unique<AlignedBytes>(body.size());
  TestGet read("there", 0, destination->view());
  store_->put(named.operation);
  store_->put(unnamed.operation);
  store_->get(read.operation);
  const Result<std::size_t> moved = store_->run(false);
  ASSERT_TRUE(moved.ok());
  store_.reset();
  destination.reset();  // the store must not write there any more
  EXPECT_EQ(named.done_count + unnamed.done_count + read.done_count, static_cast<int>(*moved));
}

TEST_P(ObjectStoreContract, UsesRegisteredMemory) {
  const AlignedBytes arena(random_bytes(2 * kMiB + 100, 9));
  store_->register_memory(arena.view());
  put("registered", arena.view());
  EXPECT_EQ(content("registered"), Bytes(arena.view().begin(), arena.view().end()));
  EXPECT_FALSE(store_->io_description().empty());
  EXPECT_FALSE(store_->name_for_messages().empty());
}

TEST_P(ObjectStoreContract, SecuresWhatIsThereAndMissesWhatIsNot) {
  put("kept", as_bytes("kept"));
  EXPECT_TRUE(store_->secure({}).ok());
  EXPECT_EQ(outcome(store_->secure({"kept"})), "ok");
  EXPECT_EQ(outcome(store_->secure({"kept", "gone"})), store_->secures() ? "io" : "ok");
  EXPECT_EQ(as_text(content("kept")), "kept");
}

// A decorator that does not forward would return its own traits.
TEST_P(ObjectStoreContract, ClonesHaveTheSameTraits) {
  const auto second = store_->clone();
  ASSERT_TRUE(second.ok()) << second.error().message;
  const StoreTraits traits = store_->traits();
  const StoreTraits cloned = (*second)->traits();
  EXPECT_GE(traits.parallel_max, 1U);
  EXPECT_TRUE(traits.secures || !traits.locks);
  EXPECT_EQ(std::tie(traits.parallel_max, traits.operation_bytes, traits.secures, traits.locks),
            std::tie(cloned.parallel_max, cloned.operation_bytes, cloned.secures, cloned.locks));
  EXPECT_EQ(store_->describe().name, (*second)->describe().name);
  EXPECT_EQ(store_->describe().io, (*second)->describe().io);
}

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreContract, testing::ValuesIn(test::contract_stores()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace drs
