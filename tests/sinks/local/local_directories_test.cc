// Directories of a local store: which syncs make a name durable, and what follows a failed sync.
#include <gtest/gtest.h>

#include <cerrno>
#include <map>

#include "io/sim_file_system.h"
#include "sinks/local/local_store.h"
#include "sinks/object_io.h"
#include "tests/io/forwarding_file_system.h"
#include "tests/sinks/store_test_support.h"

namespace drs {
namespace {

using test::listed_keys;
using test::outcome;
using test::run_until_done;
using test::TestPut;

std::unique_ptr<ObjectStore> open_store(const std::shared_ptr<FileSystem>& files) {
  auto store = open_local_store(files, {});
  EXPECT_TRUE(store.ok());
  return *std::move(store);
}

// A file system whose syncs of one directory fail, and which counts all of them.
class SyncCountingFileSystem final : public test::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<void> sync_directory(const std::string& path) override {
    ++syncs[path];
    if (failures.contains(path)) return failures.at(path);
    return ForwardingFileSystem::sync_directory(path);
  }

  std::map<std::string, int> syncs;
  std::map<std::string, Error> failures;
};

class LocalStoreSyncs : public testing::Test {
 protected:
  std::shared_ptr<SyncCountingFileSystem> files_ =
      std::make_shared<SyncCountingFileSystem>(std::make_shared<SimFileSystem>(5));
  std::unique_ptr<ObjectStore> store_ = open_store(files_);
};

TEST_F(LocalStoreSyncs, OneSyncServesAllPutsOfADirectoryThatAreNamedTogether) {
  std::vector<std::unique_ptr<TestPut>> puts;
  for (int i = 0; i < 10; ++i) {
    puts.push_back(std::make_unique<TestPut>("", std::vector<ByteView>{as_bytes("body")}));
    store_->put(puts.back()->operation);
  }
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(store_->run(false).ok());
  for (std::size_t i = 0; i < puts.size(); ++i) store_->name(puts[i]->operation, "packs/ab/" + std::to_string(i));
  for (const auto& put : puts) run_until_done(*store_, *put);
  EXPECT_EQ(files_->syncs["packs/ab"], 1);
  EXPECT_EQ(files_->syncs["packs"], 1);
  EXPECT_EQ(files_->syncs[""], 1);
}

TEST_F(LocalStoreSyncs, SyncsTheParentOfADirectoryOnceOnly) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(put_object(*store_, "packs/ab/" + std::to_string(i), as_bytes("x")).ok());
  EXPECT_EQ(files_->syncs["packs/ab"], 3);
  EXPECT_EQ(files_->syncs["packs"], 1);
  ASSERT_TRUE(put_object(*store_, "packs/ac/1", as_bytes("x")).ok());
  EXPECT_EQ(files_->syncs["packs"], 2);
  EXPECT_EQ(files_->syncs[""], 1);
}

TEST_F(LocalStoreSyncs, NeverTriesAFailedDirectorySyncAgain) {
  ASSERT_TRUE(put_object(*store_, "index/1", as_bytes("x")).ok());
  files_->failures.emplace("index", Error(ErrorCode::kIo, "planned", EIO));
  EXPECT_EQ(outcome(put_object(*store_, "index/2", as_bytes("x"))), "io");
  files_->failures.clear();
  const int syncs = files_->syncs["index"];
  auto second = store_->clone();
  ASSERT_TRUE(second.ok());
  for (ObjectStore* const store : {store_.get(), second->get()}) {
    EXPECT_EQ(outcome(put_object(*store, "index/2", as_bytes("x"))), "io");
    EXPECT_EQ(outcome(put_object(*store, "index/3", as_bytes("x"))), "io");
    EXPECT_EQ(outcome(store->remove("index/1")), store == store_.get() ? "io" : "not-found");
  }
  EXPECT_EQ(files_->syncs["index"], syncs);
  EXPECT_TRUE(put_object(*store_, "packs/1", as_bytes("x")).ok());
}

TEST_F(LocalStoreSyncs, ANameWhoseSyncFailedIsTakenAway) {
  ASSERT_TRUE(put_object(*store_, "index/1", as_bytes("x")).ok());
  files_->failures.emplace("index", Error(ErrorCode::kIo, "planned", EIO));
  EXPECT_EQ(outcome(put_object(*store_, "index/2", as_bytes("x"))), "io");
  EXPECT_EQ(listed_keys(*store_, "index/"), std::set<ObjectKey>{"index/1"});
  // The name of another writer stays.
  EXPECT_EQ(outcome(put_object(*store_, "index/1", as_bytes("x"))), "io");
  EXPECT_EQ(listed_keys(*store_, "index/"), std::set<ObjectKey>{"index/1"});
}

TEST_F(LocalStoreSyncs, ToSecureNamesTheirDirectoryIsSyncedOncePerList) {
  ASSERT_TRUE(put_object(*open_store(files_), "packs/ab/1", as_bytes("x")).ok());
  files_->syncs.clear();
  listed_keys(*store_, "");
  ASSERT_TRUE(store_->secure({"packs/ab/1"}).ok());
  ASSERT_TRUE((*store_->clone())->secure({"packs/ab/1"}).ok());
  EXPECT_EQ(files_->syncs["packs/ab"], 1);
  // A put of this store has synced it already.
  listed_keys(*store_, "");
  ASSERT_TRUE(put_object(*store_, "packs/ab/2", as_bytes("x")).ok());
  ASSERT_TRUE(store_->secure({"packs/ab/1"}).ok());
  EXPECT_EQ(files_->syncs["packs/ab"], 2);
  // A later list may show a newer name.
  listed_keys(*store_, "");
  ASSERT_TRUE(store_->secure({"packs/ab/1"}).ok());
  EXPECT_EQ(files_->syncs["packs/ab"], 3);
}

TEST_F(LocalStoreSyncs, ANameIsNotSecureWhereTheSyncFails) {
  ASSERT_TRUE(put_object(*open_store(files_), "packs/ab/1", as_bytes("x")).ok());
  files_->failures.emplace("packs/ab", Error(ErrorCode::kIo, "planned", EIO));
  EXPECT_EQ(outcome(store_->secure({"packs/ab/1"})), "io");
  files_->failures.clear();
  EXPECT_EQ(outcome(store_->secure({"packs/ab/1"})), "io");
}

// kNoSpace and kDenied say that the object never appears, but a power cut can bring back a name that was made.
TEST_F(LocalStoreSyncs, APutWhoseNameIsNotDurableIsNeitherFullNorRefused) {
  for (const ErrorCode code : {ErrorCode::kNoSpace, ErrorCode::kDenied}) {
    const std::string directory(error_code_name(code));
    files_->failures.emplace(directory, Error(code, "planned"));
    EXPECT_EQ(outcome(put_object(*store_, directory + "/1", as_bytes("x"))), "io") << directory;
    EXPECT_EQ(outcome(store_->stat(directory + "/1")), "not-found");
  }
}

TEST_F(LocalStoreSyncs, ANameThatHasVanishedSinceItWasListedIsNotSecure) {
  ASSERT_TRUE(put_object(*store_, "packs/ab/1", as_bytes("x")).ok());
  ASSERT_TRUE(put_object(*store_, "packs/ab/2", as_bytes("x")).ok());
  listed_keys(*store_, "");
  ASSERT_TRUE(files_->remove("packs/ab/2").ok());
  const auto secured = store_->secure({"packs/ab/1", "packs/ab/2"});
  ASSERT_EQ(outcome(secured), "io");
  EXPECT_NE(secured.error().message.find("packs/ab/2"), std::string::npos) << secured.error().message;
}

TEST(LocalStorePowerCut, WhatIsSecuredSurvivesAPowerCutWhoeverNamedIt) {
  std::uint64_t found = 0;
  for (std::uint64_t nth = 1; nth < 40; ++nth) {
    auto files = std::make_shared<SimFileSystem>(nth);
    auto first = open_store(files);
    files->halt_at(nth);
    static_cast<void>(put_object(*first, "packs/ab/shared", as_bytes("body")));
    files->halt_at(0);
    auto second = open_store(files);
    const std::set<ObjectKey> listed = listed_keys(*second, "packs/");
    const Result<void> secured = second->secure({listed.begin(), listed.end()});
    ASSERT_TRUE(secured.ok()) << secured.error().message;
    found += listed.size();
    files->power_cut();
    EXPECT_EQ(listed_keys(*open_store(files), "packs/"), listed) << nth;
  }
  EXPECT_GT(found, 5U);
}

TEST_F(LocalStoreSyncs, SaysSoWhereDirectoriesCannotBeSynced) {
  files_->failures.emplace("", Error(ErrorCode::kUsage, "planned", EINVAL));
  EXPECT_EQ(store_->io_description().find("cannot be synced"), std::string::npos);
  EXPECT_TRUE(put_object(*store_, "object", as_bytes("x")).ok());
  EXPECT_NE(store_->io_description().find("cannot be synced"), std::string::npos);
}

}  // namespace
}  // namespace drs
