// A push whose process died after its manifest was recorded: another process commits it in full or refuses it.
#include "engine/pipeline/push/spooled_push.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/names.h"
#include "engine/format/retention.h"
#include "engine/repository/damage.h"
#include "engine/repository/write_session.h"
#include "tests/engine/pipeline/repository_fixture.h"

namespace drs {
namespace {

using test::plain_bytes;

class SpooledPushTest : public testing::Test {
 protected:
  // A snapshot of two packs, one of them shared with earlier snapshots; its manifest is not in the store.
  SpooledPushTest() {
    const BlockId old_block = fixture_.add_block({plain_bytes(9000, 1), plain_bytes(9000, 2)});
    shared_ = fixture_.close_pack();
    const BlockId new_block = fixture_.add_block({plain_bytes(9000, 3)});
    own_ = fixture_.close_pack();
    fixture_.add_index({shared_, own_});
    snapshot_ = fixture_.add_snapshot("pg/app", {{old_block, 0, 2}, {new_block, 0, 1}});
    for (const ObjectInfo& info : objects().list("packs/")) packs_.push_back(parse_name(info.key)->digest);
    record_ = *objects().find(snapshot_.name)->bytes;
    objects().erase(snapshot_.name);
  }

  MemoryObjects& objects() { return fixture_.objects(); }
  RecordedPush recorded() {
    auto push = open_recorded_push(fixture_.repository(), snapshot_.name, record_);
    EXPECT_TRUE(push.ok()) << push.error().message;
    return *std::move(push);
  }
  std::string finish(const Result<void>& upload = {}) {
    const auto finished = finish_recorded_push(
        fixture_.repository(), recorded(), [&] { return upload; }, kMiB);
    return finished.ok() ? "ok" : std::string(error_code_name(finished.error().code));
  }
  Bytes fence(const std::string& stream) {
    const Bytes body = encode_fence({snapshot_.manifest.session, stream, 1, "prune"});
    return encode_document(fixture_.repository().keys(), ObjectKind::kFence, snapshot_.name, body);
  }
  bool committed() {
    const auto found = objects().find(snapshot_.name);
    return found && *found->bytes == record_;
  }

  test::RepositoryFixture fixture_;
  Digest shared_;
  Digest own_;
  std::vector<Digest> packs_;  // those two, and the recipe's
  Snapshot snapshot_;
  Bytes record_;
};

TEST_F(SpooledPushTest, TheRecordIsCommittedAsItIs) {
  EXPECT_EQ(finish(), "ok");
  EXPECT_TRUE(committed());
  EXPECT_TRUE(objects().list("sessions/").empty());
  const auto catalog = load_snapshots(fixture_.repository());
  ASSERT_TRUE(catalog.ok());
  ASSERT_EQ(catalog->live.size(), 1U);
  EXPECT_EQ(catalog->live.front().digest, snapshot_.digest);
  EXPECT_EQ(recorded().manifest_digest, snapshot_.digest);
}

TEST_F(SpooledPushTest, WhatWasCommittedBeforeIsASuccess) {
  EXPECT_EQ(finish(), "ok");
  EXPECT_EQ(finish(Error(ErrorCode::kUnavailable, "not asked")), "ok");
}

TEST_F(SpooledPushTest, NothingIsCommittedBeforeEverythingIsUploaded) {
  EXPECT_EQ(finish(Error(ErrorCode::kUnavailable, "the store is away")), "unavailable");
  EXPECT_FALSE(committed());
  EXPECT_EQ(finish(), "ok");
}

TEST_F(SpooledPushTest, AFenceStands) {
  ASSERT_TRUE(objects().insert(snapshot_.name, fence("pg/app"), 0));
  EXPECT_EQ(finish(), "conflict");
}

// Without a key, write access does not suffice to fence a session or to have a spooled stream discarded.
TEST_F(SpooledPushTest, WhatOnlyLooksLikeAFenceIsNone) {
  Bytes forged = plain_bytes(200, 1);
  const Bytes real = fence("pg/app");
  std::copy_n(real.begin(), kEnvelopeBytes, forged.begin());
  const Digest digest = sha256(forged);
  forged.insert(forged.end(), digest.view().begin(), digest.view().end());
  for (const Bytes& object : {forged, fence("another stream")}) {
    objects().damage(snapshot_.name, object);
    EXPECT_EQ(finish(), "corrupt");
  }
}

TEST_F(SpooledPushTest, ADamagedManifestIsNoFence) {
  ASSERT_TRUE(objects().insert(snapshot_.name, plain_bytes(100, 1), 0));
  EXPECT_EQ(finish(), "corrupt");  // not a conflict: the spooled objects are kept
}

TEST_F(SpooledPushTest, ASnapshotThatWasRemovedIsNotLiveAgain) {
  const std::string name = removed_name(snapshot_.name);
  const Bytes body = encode_removed({snapshot_.name, snapshot_.digest, "pg/app", 1, 1, "by a test"});
  const Bytes mark = encode_document(fixture_.repository().keys(), ObjectKind::kRemoved, name, body);
  ASSERT_TRUE(objects().insert(name, mark, 0));
  EXPECT_EQ(finish(), "conflict");
  const auto given_up = is_given_up(fixture_.repository(), recorded());
  EXPECT_TRUE(given_up.ok() && *given_up);
}

// A prune deletes a fence or a mark when a retired object stands for it.
TEST_F(SpooledPushTest, ASnapshotWhoseFenceWasRetiredIsGivenUp) {
  const RepositoryKeys& keys = fixture_.repository().keys();
  Retired retired;
  retired.stream = "pg/app";
  retired.tag = keys.stream_tag(retired.stream);
  retired.entries.resize(1);
  retired.entries[0].session = parse_name(snapshot_.name)->uuid;
  const std::string name = retired_name(retired.tag, Uuid());
  ASSERT_TRUE(objects().insert(name, encode_document(keys, ObjectKind::kRetired, name, encode_retired(retired)), 0));
  EXPECT_EQ(finish(), "conflict");
  const auto given_up = is_given_up(fixture_.repository(), recorded());
  EXPECT_TRUE(given_up.ok() && *given_up);
}

// A mark made without a key must not end the push: the spooled objects may be the last copy.
TEST_F(SpooledPushTest, WhatOnlyHasTheNameOfARemovalMarkGivesNothingUp) {
  ASSERT_TRUE(objects().insert(removed_name(snapshot_.name), plain_bytes(10, 1), 0));
  const auto given_up = is_given_up(fixture_.repository(), recorded());
  ASSERT_TRUE(given_up.ok()) << given_up.error().message;
  EXPECT_FALSE(*given_up);
  EXPECT_EQ(finish(), "ok");
  EXPECT_TRUE(committed());
}

TEST_F(SpooledPushTest, APackThatIsGoneSinceThePushIsMissed) {
  ASSERT_TRUE(objects().erase(pack_name(shared_)));
  EXPECT_EQ(finish(), "conflict");
  EXPECT_FALSE(committed());
}

// However young the packs are: the upload of the spool may have put them again.
TEST_F(SpooledPushTest, APackThatAnUnreadableRecordMayCondemnIsNotReliedOn) {
  const std::string record = condemned_name(Uuid());
  for (const Digest& pack : packs_) {
    const Bytes bytes = *objects().find(pack_name(pack))->bytes;
    ASSERT_TRUE(objects().erase(pack_name(pack)));
    ASSERT_TRUE(objects().insert(pack_name(pack), bytes, SystemClock().wall_ns()));
  }
  ASSERT_TRUE(objects().insert(record, plain_bytes(100, 1), 1));
  EXPECT_EQ(finish(), "corrupt");  // not a conflict: the spooled objects are kept
  EXPECT_FALSE(committed());
  objects().erase(record);
  EXPECT_EQ(finish(), "ok");
  EXPECT_TRUE(committed());
}

TEST_F(SpooledPushTest, APackThatIsCondemnedSinceThePushIsNotReliedOn) {
  Uuid id;
  const std::string name = condemned_name(id);
  const Bytes record =
      encode_document(fixture_.repository().keys(), ObjectKind::kCondemned, name, encode_condemned({1, {shared_}}));
  ASSERT_TRUE(objects().insert(name, record, 0));
  EXPECT_EQ(finish(), "conflict");
  EXPECT_FALSE(committed());
}

TEST_F(SpooledPushTest, ACondemnedPackOfTheRecipeIsNotReliedOn) {
  const auto recipe =
      std::find_if(packs_.begin(), packs_.end(), [&](const Digest& pack) { return pack != shared_ && pack != own_; });
  ASSERT_NE(recipe, packs_.end());
  const std::string name = condemned_name(Uuid());
  ASSERT_TRUE(objects().insert(
      name,
      encode_document(fixture_.repository().keys(), ObjectKind::kCondemned, name, encode_condemned({1, {*recipe}})),
      0));
  EXPECT_EQ(finish(), "conflict");
  EXPECT_FALSE(committed());
}

TEST_F(SpooledPushTest, AnIndexObjectThatWasReplacedMeanwhileIsNoVerdict) {
  // At each read in turn, as a repair does: it puts the new object before it removes the old one.
  for (std::uint64_t at = 1;; ++at) {
    const std::vector<ObjectInfo> before = objects().list("index/");
    ASSERT_EQ(before.size(), 1U);
    std::uint64_t reads = 0;
    bool replaced = false;
    fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
      if (get.key != before.front().key || ++reads != at) return std::nullopt;
      fixture_.add_index({shared_, own_});
      objects().erase(get.key);
      replaced = true;
      return std::nullopt;
    };
    EXPECT_EQ(finish(), "ok") << "replaced at read " << at;
    EXPECT_TRUE(committed());
    if (!replaced) break;
    objects().erase(snapshot_.name);
    EXPECT_LT(at, 20U);
  }
}

TEST_F(SpooledPushTest, AllThatTheSnapshotConsistsOfIsLockedAnewBeforeItsCommit) {
  objects().lock_objects();
  EXPECT_EQ(finish(), "ok");
  const auto retained = objects().locked();
  for (const char* const prefix : {"packs/", "index/", "config/", "keys/"})
    for (const ObjectInfo& info : objects().list(prefix)) EXPECT_TRUE(retained.contains(info.key)) << info.key;
}

TEST_F(SpooledPushTest, DamageIsNoVerdict) {
  const std::string pack = pack_name(shared_);
  const Bytes whole = *objects().find(pack)->bytes;
  objects().damage(pack, Bytes(whole.begin(), whole.end() - 1));
  EXPECT_EQ(finish(), "corrupt");
  objects().damage(pack, whole);
  EXPECT_FALSE(committed());
  EXPECT_EQ(finish(), "ok");
}

TEST_F(SpooledPushTest, AForgedMarkHoldsNothingUp) {
  const auto store = fixture_.repository().store().clone();
  ASSERT_TRUE(
      mark_damaged(**store, fixture_.repository().clock(), shared_, {.found_by = "nobody", .problem = "a lie"}).ok());
  EXPECT_EQ(finish(), "ok");
}

TEST_F(SpooledPushTest, AManifestThatCannotBeReadMayBeCommitted) {
  for (const ErrorCode code : {ErrorCode::kDenied, ErrorCode::kIo}) {
    fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
      if (get.key != snapshot_.name) return std::nullopt;
      return Error(code, "may not be read");
    };
    EXPECT_EQ(finish(), "unsettled") << error_code_name(code);
  }
}

TEST_F(SpooledPushTest, WarnsWhereMarksCannotBeRead) {
  const auto store = fixture_.repository().store().clone();
  ASSERT_TRUE(
      mark_damaged(**store, fixture_.repository().clock(), shared_, {.found_by = "nobody", .problem = "a lie"}).ok());
  fixture_.faults().fail = [](const GetOperation& get) -> std::optional<Error> {
    if (!get.key.starts_with("damaged/")) return std::nullopt;
    return Error(ErrorCode::kDenied, "may not be read");
  };
  const auto finished = finish_recorded_push(
      fixture_.repository(), recorded(), [] { return Result<void>(); }, kMiB);
  ASSERT_TRUE(finished.ok()) << finished.error().message;
  ASSERT_EQ(finished->size(), 1U);
  EXPECT_NE(finished->front().find("which packs are marked as damaged is not known"), std::string::npos);
}

TEST_F(SpooledPushTest, AMarkThatIsTrueHoldsTheCommitUp) {
  const auto store = fixture_.repository().store().clone();
  ASSERT_TRUE(
      mark_damaged(**store, fixture_.repository().clock(), shared_, {.found_by = "scrub", .problem = "SHA-256"}).ok());
  const std::string pack = pack_name(shared_);
  Bytes bytes = *objects().find(pack)->bytes;
  for (std::size_t at = kEnvelopeBytes; at + 400 < bytes.size(); at += 50) bytes[at] ^= 1;  // blocks, not the table
  objects().damage(pack, bytes);
  EXPECT_EQ(finish(), "corrupt");
  EXPECT_FALSE(committed());
}

TEST_F(SpooledPushTest, ADamagedRecordIsNoProof) {
  record_[record_.size() / 2] ^= 1;
  const auto push = open_recorded_push(fixture_.repository(), snapshot_.name, record_);
  ASSERT_FALSE(push.ok());
  EXPECT_EQ(push.error().code, ErrorCode::kCorrupt);
}

TEST_F(SpooledPushTest, TheSessionGoesOnBehindItsOldHeartbeats) {
  const Uuid session = snapshot_.manifest.session;
  const StreamTag tag = fixture_.repository().keys().stream_tag("s");
  for (const std::uint32_t heartbeat : {0U, 1U})
    ASSERT_TRUE(objects().insert(session_name(tag, session, heartbeat), plain_bytes(10, heartbeat), 0));
  const auto store = fixture_.repository().store().clone();
  auto goes_on =
      WriteSession::begin(fixture_.repository(), **store, {.stream = "s", .host = "h", .session = session},
                          {.every = std::chrono::nanoseconds(0), .look_every = std::chrono::milliseconds(1)});
  ASSERT_TRUE(goes_on.ok()) << goes_on.error().message;
  const std::uint32_t first = parse_name(objects().list("sessions/").at(2).key)->number;
  EXPECT_GT(first, 1U);
  while (!objects().find(session_name(tag, session, first + 2)))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE((*goes_on)->heartbeat_result().ok());
  goes_on->reset();
  // Without a commit the old heartbeats stay: the session may be resumed again.
  EXPECT_EQ(objects().list("sessions/").size(), 2U);
}

}  // namespace
}  // namespace drs
