// Verify while a repair of the index or a prune runs: objects that are replaced or removed in the meantime are not
// damage, unless a snapshot needs them.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "codecs/sha256.h"
#include "engine/format/index.h"
#include "engine/format/names.h"
#include "engine/repository/pack_table.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

class VerifyBesideTest : public ::testing::Test {
 protected:
  // Replaces all index objects by one that names every existing pack, as `repair index --all` does.
  void repair() {
    const auto repository = stored_.open();
    ASSERT_TRUE(repository.ok());
    std::vector<PackContents> packs;
    for (const ObjectInfo& info : stored_.objects->list("packs/")) {
      const Digest name = parse_name(info.key)->digest;
      auto table = read_pack_table(**repository, (*repository)->store(), name, info.size_bytes);
      ASSERT_TRUE(table.ok()) << table.error().message;
      packs.push_back({{name, info.size_bytes, table->salt}, std::move(table->blocks)});
    }
    const std::vector<ObjectInfo> old = stored_.objects->list("index/");
    const Bytes object = encode_index((*repository)->keys(), (*repository)->crypto(), packs, 1);
    ASSERT_TRUE(stored_.objects->insert(index_name(sha256(object)), object, 0));
    for (const ObjectInfo& info : old) stored_.objects->erase(info.key);
  }
  // Runs `act` before the nth read of an object with this prefix. Returns false if there were fewer reads.
  bool verify_with(std::string_view prefix, int nth, const VerifySettings& settings,
                   const std::function<void(std::string_view key)>& act) {
    std::atomic<int> reads = 0;  // several threads of verify call the hook
    const auto hook = std::make_shared<StoreHook>();
    *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      if (operation == "get" && key.starts_with(prefix) && ++reads == nth) act(key);
      return std::nullopt;
    };
    run_ = run_verify(stored_, settings, [&](Repository& repository) {
      repository.replace_store(std::make_unique<HookStore>(stored_.store(), hook));
    });
    return reads >= nth;
  }

  StoredRepository stored_;
  CheckRun run_;
};

TEST_F(VerifyBesideTest, ARepairOfTheIndexIsNoDamageWheneverItReplacesTheObjects) {
  for (const bool all : {false, true}) {
    int nth = 1;
    for (;; ++nth) {
      stored_.reset();
      if (!verify_with("index/", nth, {.read_data = all, .rebuild = all}, [&](std::string_view) { repair(); })) break;
      ASSERT_FALSE(run_.error) << run_.error->message;
      EXPECT_TRUE(run_.report.findings.empty()) << nth << ": " << described(run_.report.findings);
      EXPECT_EQ(run_.report.snapshots_rebuilt, all ? 3U : 0U);
    }
    EXPECT_GT(nth, 4);
  }
}

TEST_F(VerifyBesideTest, RepairsThatFollowEachOtherAreNoDamage) {
  for (int nth = 1;; ++nth) {
    stored_.reset();
    int repairs = 0;
    const auto hook = std::make_shared<StoreHook>();
    int reads = 0;
    std::mutex repairing;
    *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      const std::lock_guard lock(repairing);
      if (operation != "get" || !key.starts_with("index/") || ++reads < nth || repairs == 4) return std::nullopt;
      ++repairs;
      repair();
      return std::nullopt;
    };
    run_ = run_verify(stored_, {.rebuild = true}, [&](Repository& repository) {
      repository.replace_store(std::make_unique<HookStore>(stored_.store(), hook));
    });
    if (repairs == 0) break;
    ASSERT_FALSE(run_.error) << run_.error->message;
    EXPECT_TRUE(run_.report.findings.empty()) << nth << ": " << described(run_.report.findings);
    EXPECT_EQ(run_.report.snapshots_rebuilt, 3U);
  }
}

TEST_F(VerifyBesideTest, APackThatNothingNeedsMayGo) {
  for (int nth = 1;; ++nth) {
    stored_.reset();
    const bool met = verify_with(stored_.pack_orphan, nth, {}, [&](std::string_view key) {
      stored_.objects->erase(std::string(key));
      repair();
    });
    if (!met) break;
    ASSERT_FALSE(run_.error) << run_.error->message;
    EXPECT_FALSE(run_.detected()) << nth << ": " << described(run_.report.findings);
  }
}

TEST_F(VerifyBesideTest, APackThatASnapshotNeedsIsMissedWheneverItGoes) {
  for (const bool all : {false, true}) {
    int nth = 1;
    for (;; ++nth) {
      stored_.reset();
      const bool met = verify_with(stored_.pack_first, nth, {.read_data = all, .rebuild = all},
                                   [&](std::string_view key) { stored_.objects->erase(std::string(key)); });
      if (!met) break;
      EXPECT_TRUE(run_.detected()) << nth;
    }
    EXPECT_GT(nth, 1);
  }
}

TEST_F(VerifyBesideTest, WhateverIsListedAgainAndNotThereIsReported) {
  for (const std::string& name : stored_.names()) {
    if (name == stored_.pack_orphan) continue;  // found out only by reading packs
    run_ = run_verify(stored_, {.read_data = false}, [&](Repository& repository) {
      repository.replace_store(std::make_unique<HookStore>(stored_.store(), only_listed({name})));
    });
    ASSERT_FALSE(run_.error) << name << ": " << run_.error->message;
    EXPECT_NE(run_.about(name), nullptr) << name << "\n" << described(run_.report.findings);
    EXPECT_TRUE(run_.detected() || is_hint(name)) << name;
  }
}

// A store that lists an object that it does not have.
TEST_F(VerifyBesideTest, APackThatIsListedButNotThereIsDamage) {
  const auto hook = only_listed({stored_.pack_second});
  for (const bool rebuild : {false, true}) {
    run_ = run_verify(stored_, {.rebuild = rebuild}, [&](Repository& repository) {
      repository.replace_store(std::make_unique<HookStore>(stored_.store(), hook));
    });
    EXPECT_NE(run_.about(stored_.pack_second), nullptr) << described(run_.report.findings);
    EXPECT_TRUE(run_.detected());
  }
}

}  // namespace
}  // namespace drs::test
