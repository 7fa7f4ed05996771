#include "tools/repository/heads.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/format/names.h"
#include "io/fd.h"
#include "tests/io/temporary_directory.h"

namespace drs {
namespace {

Digest digest_of(Byte first) {
  Digest digest;
  digest.data[0] = first;
  return digest;
}

const Uuid kSlot{{7}};

Head head(std::uint64_t sequence, Byte digest) {
  return {"pg/app", sequence, digest_of(digest), "manifests/a-b", 100, "here", kSlot};
}

Head named(std::uint64_t sequence, const std::string& manifest) {
  Head out = head(sequence, static_cast<Byte>(sequence));
  out.manifest_name = manifest;
  return out;
}

// A repository as far as heads look at it: a config, and the key slot.
void make_repository(const std::string& path, const Uuid& slot) {
  std::filesystem::create_directories(path + "/config");
  std::filesystem::create_directories(path + "/keys");
  std::ofstream(path + "/" + slot_name(slot)) << "slot";
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
  HeadDirectory heads(directory.file("state/deep"), Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.load("pg/app").ok());
  EXPECT_TRUE(heads.load("pg/app")->empty());
  EXPECT_TRUE(heads.load_all()->heads.empty());
  ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
  ASSERT_TRUE(heads.store(head(2, 2), {}).ok());
  Head other = head(7, 7);
  other.stream = "../../etc/passwd";
  ASSERT_TRUE(heads.store(other, {}).ok());
  EXPECT_EQ(*heads.load("pg/app"), std::vector{head(2, 2)});
  const auto all = heads.load_all();
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->heads, (std::vector<Head>{other, head(2, 2)}));
}

TEST(HeadDirectory, WithoutADirectoryKeepsNone) {
  HeadDirectory heads("", Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
  ASSERT_TRUE(heads.load("pg/app").ok());
  EXPECT_TRUE(heads.load("pg/app")->empty());
  EXPECT_TRUE(heads.load_all()->heads.empty());
}

TEST(PrivateDirectory, IsMadeForUsAlone) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("state");
  ASSERT_TRUE(private_directory(path).ok());
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, mode_t{0700});
  EXPECT_TRUE(private_directory(path).ok()) << "the second time";
}

TEST(PrivateDirectory, RefusesWhatAnotherUserControls) {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("state");
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  std::filesystem::create_directory_symlink(path, directory.file("link"));
  EXPECT_FALSE(private_directory(directory.file("link")).ok());
  std::ofstream(directory.file("file")) << "x";
  EXPECT_FALSE(private_directory(directory.file("file")).ok());
  ASSERT_EQ(::chmod(path.c_str(), 0770), 0);
  EXPECT_FALSE(private_directory(path).ok());
  ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
  // Only root may give it away.
  const bool given_away = ::chown(path.c_str(), ::geteuid() + 1, static_cast<gid_t>(-1)) == 0;
  EXPECT_EQ(private_directory(path).ok(), !given_away);
}

TEST(HeadDirectory, KeepsRepositoriesApart) {
  const test::TemporaryDirectory directory;
  Uuid second;
  second.data[0] = 1;
  ASSERT_TRUE(HeadDirectory(directory.path(), Uuid{}, {"here", kSlot}).store(head(1, 1), {}).ok());
  EXPECT_TRUE(HeadDirectory(directory.path(), second, {"here", kSlot}).load_all()->heads.empty());
}

TEST(HeadDirectory, KnowsADirectoryThatWasMovedOrHasASecondName) {
  const test::TemporaryDirectory directory;
  const std::string old_place = directory.file("old");
  const std::string new_place = directory.file("new");
  make_repository(old_place, kSlot);
  ASSERT_TRUE(HeadDirectory(directory.path(), Uuid{}, {old_place, kSlot}).store(head(12, 1), {}).ok());
  const auto seen_here = [&](const std::string& here) {
    const auto seen = HeadDirectory(directory.path(), Uuid{}, {here, kSlot}).load_all();
    return seen.ok() ? seen->heads.size() : 99;
  };
  std::filesystem::create_directory_symlink(old_place, directory.file("second name"));
  EXPECT_EQ(seen_here(directory.file("second name")), 1U);
  make_repository(new_place, kSlot);
  EXPECT_EQ(seen_here(new_place), 0U) << "a copy beside it may lag behind";
  std::filesystem::remove_all(new_place);
  std::filesystem::rename(old_place, new_place);
  EXPECT_EQ(seen_here(new_place), 1U);
}

TEST(HeadDirectory, AReplicaWhoseOriginalIsGoneIsNoDirectoryThatWasMoved) {
  const test::TemporaryDirectory directory;
  const std::string original = directory.file("original");
  const std::string replica = directory.file("replica");
  const Uuid slot_of_replica{{8}};
  make_repository(original, kSlot);
  make_repository(replica, slot_of_replica);
  ASSERT_TRUE(HeadDirectory(directory.path(), Uuid{}, {original, kSlot}).store(head(12, 1), {}).ok());
  std::filesystem::rename(original, directory.file("not mounted"));
  const auto seen = HeadDirectory(directory.path(), Uuid{}, {replica, slot_of_replica}).load_all();
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->heads.size(), 0U);
  EXPECT_EQ(seen->elsewhere.size(), 1U);
}

TEST(HeadDirectory, APushToADirectoryThatWasMovedIsHeldAgainstWhatWasSeenBeforeTheMove) {
  const test::TemporaryDirectory directory;
  const std::string old_place = directory.file("old");
  const std::string new_place = directory.file("new");
  HeadDirectory before(directory.path(), Uuid{}, {old_place, kSlot});
  HeadDirectory after(directory.path(), Uuid{}, {new_place, kSlot});
  ASSERT_TRUE(before.store(head(12, 1), {}).ok());
  make_repository(old_place, kSlot);
  EXPECT_TRUE(after.load("pg/app")->empty()) << "a replica that lags behind is no rollback";
  std::filesystem::rename(old_place, new_place);
  const auto seen = after.load("pg/app");
  ASSERT_TRUE(seen.ok() && seen->size() == 1);
  EXPECT_EQ(after.path_of(seen->front()), before.path_of("pg/app"));
  ASSERT_TRUE(after.store(head(13, 3), {}).ok());
  EXPECT_EQ(after.load("pg/app")->front().sequence, 13U);
}

TEST(HeadDirectory, KeepsPlacesApartWhoseNamesAreNoUtf8) {
  const test::TemporaryDirectory directory;
  for (const std::string place : {"/repo\xff", "/repo\xfe", "/repo\xef\xbf\xbd", "/repo\xc3\xa9"}) {
    HeadDirectory heads(directory.path(), Uuid{}, {place, kSlot});
    Head other = head(2, 2);
    other.stream = "s\xff";
    ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
    ASSERT_TRUE(heads.store(other, {}).ok());
    other.place = place;
    EXPECT_EQ(*heads.load("s\xff"), std::vector{other});
    const auto seen = heads.load_all();
    ASSERT_TRUE(seen.ok());
    EXPECT_EQ(seen->heads.size(), 2U);
    EXPECT_TRUE(seen->unreadable.empty());
  }
}

TEST(HeadDirectory, KeepsTheHeadsOfPushesThatOverlap) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.store(named(4, "before"), {}).ok());
  ASSERT_TRUE(heads.store(named(5, "a"), {.settled = {"before"}, .lost = {}}).ok());
  ASSERT_TRUE(heads.store(named(5, "b"), {.settled = {"before"}, .lost = {}}).ok());
  ASSERT_TRUE(heads.store(named(3, "of a resume"), {}).ok());
  const std::vector all = {named(5, "b"), named(5, "a"), named(3, "of a resume")};
  EXPECT_EQ(*heads.load("pg/app"), all);
  EXPECT_EQ(heads.load_all()->heads, all);
  ASSERT_TRUE(heads.store(named(6, "next"), {.settled = {"b", "before"}, .lost = {}}).ok());
  EXPECT_EQ(*heads.load("pg/app"), (std::vector{named(6, "next"), named(5, "a"), named(3, "of a resume")}));
}

TEST(HeadDirectory, ForgetsTheOldestWhereThereAreTooMany) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  for (std::uint64_t i = 1; i <= kHeadsMax + 2; ++i)
    ASSERT_TRUE(heads.store(named(i, manifest_name({}, Uuid{{static_cast<Byte>(i)}})), {}).ok());
  const auto kept = heads.load("pg/app");
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(kept->size(), kHeadsMax);
  EXPECT_EQ(kept->back().sequence, 3U);
}

TEST(HeadDirectory, ForgetsWhatIsLostOnlyWhereThereIsNothingElse) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  HeadDirectory::Known known;
  for (std::uint64_t i = 1; i <= kHeadsMax; ++i)
    ASSERT_TRUE(heads.store(named(i, manifest_name({}, Uuid{{static_cast<Byte>(i)}})), {}).ok());
  for (const Byte lost : {Byte{1}, Byte{2}}) known.lost.insert(manifest_name({}, Uuid{{lost}}));
  ASSERT_TRUE(heads.store(named(kHeadsMax + 1, "next"), known).ok());
  auto kept = heads.load("pg/app");
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  ASSERT_EQ(kept->size(), kHeadsMax);
  EXPECT_EQ(kept->back().sequence, 1U);
  EXPECT_EQ(kept->at(kHeadsMax - 3).sequence, 4U);

  for (const Head& head : *kept) known.lost.insert(head.manifest_name);
  ASSERT_TRUE(heads.store(named(kHeadsMax + 2, "the one just pushed"), known).ok());
  kept = heads.load("pg/app");
  ASSERT_EQ(kept->size(), kHeadsMax);
  EXPECT_EQ(kept->front().manifest_name, "the one just pushed");
  EXPECT_EQ(kept->back().sequence, 2U);
}

TEST(HeadDirectory, ReadsAFileOfOneHeadAsEarlierVersionsWroteIt) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
  std::ofstream(heads.path_of("pg/app"), std::ios::trunc)
      << R"({"schema": "drstream.head/1", "stream": "pg/app", "sequence": 12, "manifest_digest": ")"
      << digest_of(1).hex() << R"(", "manifest": "manifests/a-b", "finished_ns": 100, "place": "here", "slot": ")"
      << kSlot.hex() << "\"}\n";
  EXPECT_EQ(*heads.load("pg/app"), std::vector{head(12, 1)});
  ASSERT_TRUE(heads.store(named(13, "new"), {}).ok());
  EXPECT_EQ(*heads.load("pg/app"), (std::vector{named(13, "new"), head(12, 1)}));
}

TEST(HeadDirectory, ProcessesThatStoreAHeadTakeTurns) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
  const std::string folder = std::filesystem::path(heads.path_of("pg/app")).parent_path();
  Fd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX), 0);
  std::atomic<bool> stored = false;
  std::thread slower([&] {
    EXPECT_TRUE(heads.store(named(2, "slower"), {}).ok());
    stored = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(stored);
  // What the holder of the lock puts there is seen by the one that waits.
  std::ifstream first(heads.path_of("pg/app"));
  std::string text((std::istreambuf_iterator<char>(first)), {});
  text.replace(text.find("\"sequence\": 1"), 13, "\"sequence\": 9");
  std::ofstream(heads.path_of("pg/app"), std::ios::trunc) << text;
  ASSERT_TRUE(lock.close().ok());
  slower.join();
  const auto both = heads.load("pg/app");
  ASSERT_TRUE(both.ok() && both->size() == 2);
  EXPECT_EQ(both->front().sequence, 9U);
  EXPECT_EQ(both->back().sequence, 2U);
}

TEST(HeadDirectory, ReadsNothingButAFile) {
  const test::TemporaryDirectory directory;
  const HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
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
  HeadDirectory here(directory.path(), Uuid{}, {"here", kSlot});
  HeadDirectory there(directory.path(), Uuid{}, {"there", kSlot});
  ASSERT_TRUE(here.store(head(12, 1), {}).ok());
  ASSERT_TRUE(there.store(head(3, 2), {}).ok());
  EXPECT_EQ(here.load("pg/app")->front().sequence, 12U);
  const auto seen = there.load_all();
  ASSERT_TRUE(seen.ok());
  ASSERT_EQ(seen->heads.size(), 1U);
  EXPECT_EQ(seen->heads[0].sequence, 3U);
  ASSERT_EQ(seen->elsewhere.size(), 1U);
  EXPECT_EQ(seen->elsewhere[0], head(12, 1));
}

TEST(HeadDirectory, LeavesNoTemporaryFileAndLetsNobodyElseRead) {
  const test::TemporaryDirectory directory;
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
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
  HeadDirectory heads(directory.path(), Uuid{}, {"here", kSlot});
  ASSERT_TRUE(heads.store(head(1, 1), {}).ok());
  std::ifstream file(heads.path_of("pg/app"));
  std::string good((std::istreambuf_iterator<char>(file)), {});
  good.resize(good.rfind('}'));
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"),
                                  std::string("{\"schema\":\"drstream.head/1\"}"), std::string("{\"schema\":7}"),
                                  good + ",\"others\":7}", good + ",\"others\":[{}]}", good + ",\"others\":[[]]}"}) {
    std::ofstream(heads.path_of("pg/app"), std::ios::trunc) << text;
    const auto loaded = heads.load("pg/app");
    ASSERT_FALSE(loaded.ok()) << text;
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
    Head other = head(2, 2);
    other.stream = "other";
    ASSERT_TRUE(heads.store(other, {}).ok());
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
  plain.slot = {};
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
  Removal mark;
  mark.stream = "pg/app";
  mark.manifest_digest = digest_of(2);
  catalog.removed = {mark};
  EXPECT_EQ(check_head(head(2, 2), catalog), std::nullopt);
  EXPECT_TRUE(check_head(head(2, 3), catalog).has_value());
}

TEST(CheckHead, IsContentWithTheMarkOfADamagedManifest) {
  SnapshotCatalog catalog;
  Removal mark;  // with the digest of the damaged bytes, and of no known stream
  mark.manifest_name = "manifests/a-b";
  mark.manifest_digest = digest_of(7);
  catalog.removed = {mark};
  Head seen = head(2, 2);
  EXPECT_EQ(check_head(seen, catalog), std::nullopt);
  seen.manifest_name = "";
  EXPECT_TRUE(check_head(seen, catalog).has_value()) << "a head without a name has its digest alone";
  seen.manifest_name = "manifests/a-c";
  EXPECT_TRUE(check_head(seen, catalog).has_value());
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

TEST(SettledHeads, AreWhatTheNewSnapshotFollows) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 1, "m1"), snapshot(2, 2, "m2"), snapshot(2, 3, "sibling"), snapshot(3, 3, "m3")};
  catalog.live[1].manifest.predecessor_name = "m1";
  catalog.live[3].manifest.predecessor_name = "m2";
  catalog.broken.push_back({"broken", Error(ErrorCode::kCorrupt, "x"), {}, "", false, std::nullopt});
  Manifest next;
  next.predecessor_name = "m3";
  next.unreadable = {{"broken", {}}};
  std::vector<Head> heads = {named(1, "m1"), named(2, "sibling"), named(2, "broken")};
  heads[1].manifest_digest = digest_of(3);
  EXPECT_EQ(settled_by(next, heads, catalog), (std::set<std::string>{"m1", "m2", "m3", "broken"}));
}

TEST(SettledHeads, AreWhatWasRemovedWithAMark) {
  SnapshotCatalog catalog;
  Removal mark;
  mark.stream = "pg/app";
  mark.manifest_name = "m2";
  mark.manifest_digest = digest_of(2);
  catalog.removed = {mark};
  EXPECT_EQ(settled_by({}, {named(2, "m2")}, catalog), std::set<std::string>{"m2"});
  EXPECT_TRUE(settled_by({}, {named(3, "m2")}, catalog).empty()) << "another digest";
}

TEST(SettledHeads, WhatIsGoneIsNot) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 1, "m1")};
  Manifest resumed;
  resumed.predecessor_name = "m2";
  EXPECT_TRUE(settled_by(resumed, {named(2, "m2")}, catalog).empty());
  resumed.predecessor_name = "m1";
  EXPECT_TRUE(settled_by(resumed, {named(2, "m1")}, catalog).empty()) << "replaced by another";
}

TEST(SettledHeads, ManifestsThatNameEachOtherEndTheSearch) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 1, "m1"), snapshot(2, 2, "m2")};
  catalog.live[0].manifest.predecessor_name = "m2";
  catalog.live[1].manifest.predecessor_name = "m1";
  Manifest next;
  next.predecessor_name = "m2";
  EXPECT_EQ(settled_by(next, {}, catalog), (std::set<std::string>{"m1", "m2"}));
}

TEST(CheckHead, LeavesAnUnreadableManifestToTheReportOfDamage) {
  SnapshotCatalog catalog;
  catalog.broken.push_back({"manifests/a-b", Error(ErrorCode::kCorrupt, "x"), {}, "", false, std::nullopt});
  EXPECT_EQ(check_head(head(2, 2), catalog), std::nullopt);
}

}  // namespace
}  // namespace drs
