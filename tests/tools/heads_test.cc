#include "tools/heads.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

Digest digest_of(Byte first) {
  Digest digest;
  digest.data[0] = first;
  return digest;
}

Head head(std::uint64_t sequence, Byte digest) {
  return {"pg/app", sequence, digest_of(digest), "manifests/a-b", 100, "here"};
}

Snapshot snapshot(std::uint64_t sequence, Byte digest, const std::string& name) {
  Snapshot out;
  out.name = name;
  out.digest = digest_of(digest);
  out.manifest.stream = "pg/app";
  out.manifest.sequence = sequence;
  return out;
}

TEST(HeadDirectory, LoadsWhatWasStored) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.file("state/deep"), Uuid{}, "here");
  ASSERT_TRUE(heads.load("pg/app").ok());
  EXPECT_FALSE(heads.load("pg/app")->has_value());
  EXPECT_TRUE(heads.load_all()->heads.empty());
  ASSERT_TRUE(heads.store(head(1, 1)).ok());
  ASSERT_TRUE(heads.store(head(2, 2)).ok());
  Head other = head(7, 7);
  other.stream = "../../etc/passwd";
  ASSERT_TRUE(heads.store(other).ok());
  EXPECT_EQ(**heads.load("pg/app"), head(2, 2));
  const auto all = heads.load_all();
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->heads, (std::vector<Head>{other, head(2, 2)}));
}

TEST(HeadDirectory, KeepsRepositoriesApart) {
  const test::TemporaryDirectory directory;
  Uuid second;
  second.data[0] = 1;
  ASSERT_TRUE(HeadDirectory(directory.path(), Uuid{}, "here").store(head(1, 1)).ok());
  EXPECT_TRUE(HeadDirectory(directory.path(), second, "here").load_all()->heads.empty());
}

TEST(HeadDirectory, KnowsADirectoryThatWasMovedOrHasASecondName) {
  const test::TemporaryDirectory directory;
  const std::string old_place = directory.file("old");
  const std::string new_place = directory.file("new");
  std::filesystem::create_directories(old_place + "/config");
  ASSERT_TRUE(HeadDirectory(directory.path(), Uuid{}, old_place).store(head(12, 1)).ok());
  const auto seen_here = [&](const std::string& here) {
    const auto seen = HeadDirectory(directory.path(), Uuid{}, here).load_all();
    return seen.ok() ? seen->heads.size() : 99;
  };
  std::filesystem::create_directory_symlink(old_place, directory.file("second name"));
  EXPECT_EQ(seen_here(directory.file("second name")), 1U);
  std::filesystem::create_directories(new_place + "/config");
  EXPECT_EQ(seen_here(new_place), 0U);  // it may be a replica
  std::filesystem::remove_all(new_place);
  std::filesystem::rename(old_place, new_place);
  EXPECT_EQ(seen_here(new_place), 1U);
}

TEST(HeadDirectory, APushToADirectoryThatWasMovedIsHeldAgainstWhatWasSeenBeforeTheMove) {
  const test::TemporaryDirectory directory;
  const std::string old_place = directory.file("old");
  const std::string new_place = directory.file("new");
  HeadDirectory before(directory.path(), Uuid{}, old_place);
  HeadDirectory after(directory.path(), Uuid{}, new_place);
  ASSERT_TRUE(before.store(head(12, 1)).ok());
  std::filesystem::create_directories(old_place + "/config");
  EXPECT_FALSE(after.load("pg/app")->has_value()) << "a replica that lags behind is no rollback";
  std::filesystem::rename(old_place, new_place);
  const auto seen = after.load("pg/app");
  ASSERT_TRUE(seen.ok() && seen->has_value());
  EXPECT_TRUE(check_successor(**seen, head(5, 2)).has_value());
  EXPECT_EQ(after.path_of(**seen), before.path_of("pg/app"));
  ASSERT_TRUE(after.store(head(13, 3)).ok());
  EXPECT_EQ((**after.load("pg/app")).sequence, 13U);
}

TEST(HeadDirectory, ReadsNothingButAFile) {
  const test::TemporaryDirectory directory;
  const HeadDirectory heads(directory.path(), Uuid{}, "here");
  const std::string path = heads.path_of("pg/app");
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  const auto is_refused = [&] {
    const auto loaded = heads.load("pg/app");
    return !loaded.ok() && loaded.error().code == ErrorCode::kCorrupt;
  };
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(is_refused());
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_TRUE(is_refused());
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/dev/zero", path);
  EXPECT_TRUE(is_refused());
}

TEST(HeadDirectory, KeepsPlacesOfOneRepositoryApart) {
  const test::TemporaryDirectory directory;
  HeadDirectory here(directory.path(), Uuid{}, "here");
  HeadDirectory there(directory.path(), Uuid{}, "there");
  ASSERT_TRUE(here.store(head(12, 1)).ok());
  ASSERT_TRUE(there.store(head(3, 2)).ok());
  EXPECT_EQ((**here.load("pg/app")).sequence, 12U);
  const auto seen = there.load_all();
  ASSERT_TRUE(seen.ok());
  ASSERT_EQ(seen->heads.size(), 1U);
  EXPECT_EQ(seen->heads[0].sequence, 3U);
  ASSERT_EQ(seen->elsewhere.size(), 1U);
  EXPECT_EQ(seen->elsewhere[0], head(12, 1));
}

TEST(HeadDirectory, LeavesNoTemporaryFileAndLetsNobodyElseRead) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, "here");
  ASSERT_TRUE(heads.store(head(1, 1)).ok());
  const std::filesystem::path path = heads.path_of("pg/app");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}), 1);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(path.parent_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST(HeadDirectory, RefusesAFileThatIsNoHead) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, "here");
  ASSERT_TRUE(heads.store(head(1, 1)).ok());
  for (const char* text : {"", "{", "[]", "{\"schema\":\"drstream.head/1\"}", "{\"schema\":7}"}) {
    std::ofstream(heads.path_of("pg/app"), std::ios::trunc) << text;
    const auto loaded = heads.load("pg/app");
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
    Head other = head(2, 2);
    other.stream = "other";
    ASSERT_TRUE(heads.store(other).ok());
    const auto all = heads.load_all();
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(all->unreadable.size(), 1U);
    EXPECT_EQ(all->heads.size(), 1U) << "one that cannot be read hides no other";
  }
}

TEST(HeadText, ReadsWhatItPrints) {
  Head plain = head(12, 0x3f);
  plain.manifest_name.clear();
  plain.finished_ns = 0;
  plain.place.clear();
  plain.stream = "k8s/ns:app=1";
  const auto back = parse_head(format_head(plain));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, plain);
}

TEST(HeadText, RefusesWhatIsNoHead) {
  const std::string digits(64, 'a');
  for (const std::string& text :
       std::vector<std::string>{"", "pg/app", "pg/app=12", "pg/app=12:abc", "=12:" + digits, "pg/app=0:" + digits,
                                "pg/app=x:" + digits, "pg/app=-1:" + digits, "pg/app=1:" + std::string(64, 'g')}) {
    const auto parsed = parse_head(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage);
  }
}

TEST(CheckHead, IsContentWhileTheManifestIsThere) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 1, "manifests/a-b"), snapshot(2, 2, "manifests/a-c")};
  EXPECT_EQ(check_head(head(1, 1), catalog), std::nullopt);
}

TEST(CheckHead, ReportsAManifestThatIsGoneAndNamesTheNewest) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 1, "manifests/a-c")};
  const auto trouble = check_head(head(2, 2), catalog);
  ASSERT_TRUE(trouble.has_value());
  EXPECT_NE(trouble->find("sequence 2"), std::string::npos);
  EXPECT_NE(trouble->find("sequence 1"), std::string::npos);
  EXPECT_TRUE(check_head(head(2, 2), SnapshotCatalog{}).has_value());
}

TEST(CheckHead, IsContentWithAnAuthenticMarkOfRemoval) {
  SnapshotCatalog catalog;
  RemovedMark mark;
  mark.stream = "pg/app";
  mark.manifest_digest = digest_of(2);
  catalog.removed = {mark};
  EXPECT_EQ(check_head(head(2, 2), catalog), std::nullopt);
  EXPECT_TRUE(check_head(head(2, 3), catalog).has_value());
}

TEST(CheckHead, ReportsAManifestThatWasReplaced) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(2, 9, "manifests/a-b")};
  const auto trouble = check_head(head(2, 2), catalog);
  ASSERT_TRUE(trouble.has_value());
  EXPECT_NE(trouble->find("not the manifest that was seen"), std::string::npos);
}

TEST(CheckHead, ReportsASequenceThatDoesNotAgree) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(2, 2, "manifests/a-b")};
  EXPECT_TRUE(check_head(head(3, 2), catalog).has_value());
}

TEST(CheckHead, LeavesAnUnreadableManifestToTheReportOfDamage) {
  SnapshotCatalog catalog;
  catalog.broken.push_back({"manifests/a-b", Error{ErrorCode::kCorrupt, "x"}, {}, "", false, std::nullopt});
  EXPECT_EQ(check_head(head(2, 2), catalog), std::nullopt);
}

TEST(CheckSuccessor, WarnsOnlyWhenTheRepositoryWentBackWhateverTheClockSays) {
  const Head before = head(2, 2);
  for (const WallNs finished_ns : {WallNs{0}, before.finished_ns, before.finished_ns + 1'000'000}) {
    Head pushed = head(3, 3);
    pushed.finished_ns = finished_ns;
    EXPECT_EQ(check_successor(before, pushed), std::nullopt);
    pushed.sequence = 2;
    EXPECT_TRUE(check_successor(before, pushed).has_value()) << finished_ns;
    pushed.sequence = 1;
    EXPECT_TRUE(check_successor(before, pushed).has_value()) << finished_ns;
  }
}

}  // namespace
}  // namespace drs
