// Pull from damaged repositories and failing stores: heals what other copies allow, and refuses everything else.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "engine/format/names.h"
#include "engine/pipeline/pull/pull.h"
#include "tests/engine/pipeline/pull/pull_runs.h"
#include "tests/engine/pipeline/repository_fixture.h"

namespace drs::test {
namespace {

void expect_refused(const PullRun& run, ErrorCode code = ErrorCode::kCorrupt) {
  ASSERT_FALSE(run.report.ok());
  EXPECT_EQ(run.report.error().code, code) << run.report.error().message;
  EXPECT_EQ(run.sink.commits, 0);
  EXPECT_EQ(run.sink.abandons, 1);
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\n  lacks " << part;
}

// Twenty blocks of three chunks in two packs, restored one after the other.
class PullDamage : public ::testing::Test {
 protected:
  PullDamage() {
    for (std::uint64_t i = 0; i < 20; ++i) {
      const BlockId block = fixture_.add_block(
          {plain_bytes(1000 + i, 3 * i), plain_bytes(2000 + i, 3 * i + 1), plain_bytes(3000, 3 * i + 2)});
      pieces_.push_back({block, 0, 3});
      if (i % 10 == 9) packs_.push_back(fixture_.close_pack());
    }
    index_ = add_index(packs_);
    snapshot_ = fixture_.add_snapshot("pg/app", pieces_, 7);
    expected_ = fixture_.stream_of(pieces_);
  }
  [[nodiscard]] std::string pack(std::size_t i) const { return pack_name(packs_[i]); }
  void damage_block(std::size_t pack, std::size_t block) {
    fixture_.damage(pack_name(packs_[pack]), fixture_.table_of(packs_[pack])[block].record.offset_bytes + 5);
  }
  // Stores the chunks of some blocks of the stream again in other blocks, as a later push would.
  void store_again(std::size_t first_block, std::size_t block_count) {
    for (std::size_t i = first_block; i < first_block + block_count; ++i) {
      const std::vector<Bytes>& chunks = fixture_.chunks_of(pieces_[i].block);
      fixture_.add_block({plain_bytes(100, 1000 + i), chunks[2], chunks[0]});
      fixture_.add_block({chunks[1], plain_bytes(100, 2000 + i)});
    }
    add_index({fixture_.close_pack()});
  }
  std::string add_index(const std::vector<Digest>& packs) {
    const std::string name = fixture_.add_index(packs);
    indexed_[name] = packs;
    return name;
  }
  void fail_reads(std::function<std::optional<Error>(const GetOperation&)> fail) {
    const std::lock_guard lock(fixture_.faults().mutex);
    fixture_.faults().fail = std::move(fail);
  }

  RepositoryFixture fixture_;
  std::vector<Piece> pieces_;
  std::vector<Digest> packs_;
  std::string index_;
  std::map<std::string, std::vector<Digest>> indexed_;  // by index object
  Snapshot snapshot_;
  Bytes expected_;
};

TEST_F(PullDamage, NamesSnapshotPackBlockAndBytesOfALostBlock) {
  damage_block(1, 3);
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
  const std::string& text = run.report.error().message;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < 13; ++i) begin += 6000 + 2 * i;
  expect_contains(text, snapshot_.id());
  expect_contains(text, pack(1));
  expect_contains(text, to_string(pieces_[13].block));
  expect_contains(text, "bytes " + std::to_string(begin) + " to " + std::to_string(begin + 6026));
}

TEST_F(PullDamage, RefusesAMissingPack) {
  fixture_.objects().erase(pack(0));
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
  expect_contains(run.report.error().message, pack(0));
}

TEST_F(PullDamage, RefusesAPackThatWasCutShort) {
  Bytes bytes = *fixture_.objects().find(pack(1))->bytes;
  bytes.resize(bytes.size() / 2);
  fixture_.objects().damage(pack(1), std::move(bytes));
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
}

TEST_F(PullDamage, RestoresARangeThatTheDamageDoesNotTouch) {
  fixture_.objects().erase(pack(1));
  PullRun run(fixture_, snapshot_, budget(2, 4, 2), {.offset_bytes = 0, .length_bytes = 6000});
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_FALSE(run.report->whole);
}

TEST_F(PullDamage, HealsADamagedBlockFromOtherCopiesOfItsChunks) {
  store_again(13, 1);
  damage_block(1, 3);
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(run.sink.bytes, expected_);
  EXPECT_EQ(run.report->healed_blocks, 1U);
  EXPECT_EQ(run.sink.commits, 1);
}

TEST_F(PullDamage, RefusesABlockAllButOneOfWhoseChunksHaveAnotherCopy) {
  const std::vector<Bytes>& chunks = fixture_.chunks_of(pieces_[13].block);
  fixture_.add_block({chunks[2], chunks[0]});
  fixture_.add_index({fixture_.close_pack()});
  damage_block(1, 3);
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
  expect_contains(run.report.error().message, "1 of its 3 chunks has no other copy");
}

TEST_F(PullDamage, RestoresWhatNeedsNoneOfTheLostChunks) {
  const BlockId block = pieces_[13].block;
  const std::vector<Bytes> chunks = fixture_.chunks_of(block);
  ASSERT_EQ(chunks.size(), 3U);
  const std::vector<Piece> around = {pieces_[2], {block, 0, 1}, {block, 2, 1}, pieces_[14]};
  const Snapshot needs_less = fixture_.add_snapshot("less", around, 2);
  const std::vector<Piece> all = {pieces_[2], {block, 0, 3}};
  const Snapshot needs_all = fixture_.add_snapshot("all", all, 1);
  fixture_.add_block({chunks[2], chunks[0]});
  fixture_.add_index({fixture_.close_pack()});
  damage_block(1, 3);
  for (const std::size_t slots : {1U, 4U}) {
    PullRun run(fixture_, needs_less, budget(2, slots, 2));
    ASSERT_TRUE(run.report.ok()) << run.report.error().message;
    EXPECT_EQ(run.sink.bytes, fixture_.stream_of(around));
    EXPECT_TRUE(run.report->whole);
    EXPECT_EQ(run.report->healed_blocks, 1U);
    EXPECT_EQ(run.sink.commits, 1);
  }
  PullRun run(fixture_, needs_all, budget(2, 4, 2));
  expect_refused(run);
  const std::size_t lost = fixture_.stream_of({pieces_[2]}).size() + chunks[0].size();
  expect_contains(run.report.error().message, "bytes " + std::to_string(lost) + " to " +
                                                  std::to_string(lost + chunks[1].size()) + " of the stream");
}

TEST_F(PullDamage, HealsAWholeLostPack) {
  store_again(0, 5);
  store_again(5, 5);
  fixture_.objects().erase(pack(0));
  for (const std::size_t slots : {1U, 2U, 5U}) {
    PullRun run(fixture_, snapshot_, budget(3, slots, 2));
    ASSERT_TRUE(run.report.ok()) << run.report.error().message;
    EXPECT_EQ(run.sink.bytes, expected_);
    EXPECT_EQ(run.report->healed_blocks, 10U);
  }
}

TEST_F(PullDamage, RefusesWhenOneChunkHasNoOtherCopy) {
  store_again(0, 9);
  fixture_.objects().erase(pack(0));
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
  expect_contains(run.report.error().message, "3 of its 3 chunks have no other copy");
}

TEST_F(PullDamage, DoesNotHealFromADamagedCopy) {
  store_again(0, 10);
  fixture_.objects().erase(pack(0));
  // Damage every pack except the stream's own; the copies lie in these packs.
  for (const ObjectInfo& object : fixture_.objects().list("packs/")) {
    if (object.key != pack(1)) fixture_.damage(object.key, kEnvelopeBytes + 200);
  }
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
}

TEST_F(PullDamage, DoesNotHealFromBytesThatAreNotTheChunk) {
  const std::vector<Bytes>& chunks = fixture_.chunks_of(pieces_[13].block);
  std::vector<Bytes> wrong = chunks;
  wrong[1][7] ^= 1;
  fixture_.add_lying_block(wrong, chunks);
  fixture_.close_pack();
  damage_block(1, 3);
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
  expect_contains(run.report.error().message, "1 of its 3 chunks");
  // A range is not checked by a digest of the whole stream.
  PullRun range(fixture_, snapshot_, budget(2, 4, 2), {.offset_bytes = 0, .length_bytes = expected_.size() - 1});
  expect_refused(range);
}

TEST_F(PullDamage, ReadsACopyOfTheBlockInAnotherPack) {
  fixture_.add_copy(pieces_[13].block);
  fixture_.add_index({fixture_.close_pack()});
  damage_block(1, 3);
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(run.sink.bytes, expected_);
}

TEST_F(PullDamage, FollowsBlocksThatAPruneMovesMeanwhile) {
  // The first read of the pack removes it; from then on copies of its blocks exist.
  bool moved = false;
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == pack(1) && !moved) {
      moved = true;
      for (std::size_t i = 10; i < 20; ++i) fixture_.add_copy(pieces_[i].block);
      fixture_.add_index({fixture_.close_pack()});
      fixture_.objects().erase(index_);
      fixture_.add_index({packs_[0]});
      fixture_.objects().erase(pack(1));
    }
    return std::nullopt;
  });
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_TRUE(moved);
  EXPECT_EQ(run.sink.bytes, expected_);
  EXPECT_EQ(run.report->healed_blocks, 0U);
}

TEST_F(PullDamage, FollowsBlocksThatSeveralPrunesMoveOneAfterTheOther) {
  // The first read of each pack that holds them removes it.
  std::string holds = pack(1);
  std::string names = index_;
  int moves = 0;
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    if (get.key != holds || moves == 3) return std::nullopt;
    ++moves;
    for (std::size_t i = 10; i < 20; ++i) fixture_.add_copy(pieces_[i].block);
    const Digest moved = fixture_.close_pack();
    const std::string index = fixture_.add_index({packs_[0], moved});
    fixture_.objects().erase(names);
    fixture_.objects().erase(holds);
    holds = pack_name(moved);
    names = index;
    return std::nullopt;
  });
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(moves, 3);
  EXPECT_EQ(run.sink.bytes, expected_);
  EXPECT_EQ(run.report->healed_blocks, 0U);
}

TEST_F(PullDamage, FollowsTheIndexAsOftenAsItIsReplaced) {
  // The block can only be rebuilt. Repairs replace the index objects whenever one of their chunk lists is read.
  store_again(10, 10);
  fixture_.objects().erase(pack(1));
  int repairs = 0;
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    if (!get.key.starts_with("index/") || get.offset_bytes != kEnvelopeBytes || repairs == 3) return std::nullopt;
    ++repairs;
    add_index(indexed_.at(get.key));
    fixture_.objects().erase(get.key);
    return std::nullopt;
  });
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(repairs, 3);
  EXPECT_EQ(run.sink.bytes, expected_);
}

// Damage of many blocks must not cause one list each.
TEST_F(PullDamage, ListsAgainOnlyWhereSomethingHasChanged) {
  store_again(10, 10);
  fixture_.objects().erase(pack(1));
  int lists = 0;
  {
    const std::lock_guard lock(fixture_.faults().mutex);
    fixture_.faults().before_list = [&](std::string_view prefix) { lists += prefix == "packs/" ? 1 : 0; };
  }
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok()) << run.report.error().message;
  EXPECT_EQ(run.report->healed_blocks, 10U);
  EXPECT_LE(lists, 2);
}

TEST_F(PullDamage, SurvivesTransientReadErrors) {
  for (const ErrorCode code : {ErrorCode::kIo, ErrorCode::kUnavailable, ErrorCode::kTruncated}) {
    std::map<std::string, int> failures;
    fail_reads([&](const GetOperation& get) -> std::optional<Error> {
      if (!get.key.starts_with("packs/") || failures[get.key]++ != 0) return std::nullopt;
      // Fail only the large reads of blocks, not those of the tables of packs that no index object covers.
      return get.destination.size() > 8000 ? std::optional<Error>(Error(code, "a hiccup")) : std::nullopt;
    });
    PullRun run(fixture_, snapshot_, budget(2, 4, 2));
    ASSERT_TRUE(run.report.ok()) << run.report.error().message;
    EXPECT_EQ(run.sink.bytes, expected_);
    EXPECT_EQ(run.report->healed_blocks, 0U);
  }
}

TEST_F(PullDamage, GivesUpWhenTheStoreStaysAway) {
  std::uint64_t reads = 0;
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == pack(1) && ++reads > 1) return Error(ErrorCode::kUnavailable, "no answer");
    return std::nullopt;
  });
  PullRun run(fixture_, snapshot_, budget(2, 2, 1));
  if (!run.report.ok()) expect_refused(run, ErrorCode::kUnavailable);
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    if (get.key == pack(1)) return Error(ErrorCode::kUnavailable, "no answer");
    return std::nullopt;
  });
  PullRun away(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(away, ErrorCode::kUnavailable);
}

TEST_F(PullDamage, RefusesAStreamWhoseDigestDiffers) {
  const Snapshot sha256 =
      fixture_.change_manifest(snapshot_, [](Manifest& manifest) { manifest.streams.front().sha256->data[3] ^= 1; });
  PullRun run(fixture_, sha256, budget(2, 4, 2));
  expect_refused(run);
  expect_contains(run.report.error().message, "SHA-256");
  const Snapshot xxh3 = fixture_.change_manifest(sha256, [](Manifest& manifest) {
    manifest.streams.front().sha256.reset();
    manifest.streams.front().xxh3.data[3] ^= 1;
  });
  PullRun checksum(fixture_, xxh3, budget(2, 4, 2));
  expect_refused(checksum);
  expect_contains(checksum.report.error().message, "XXH3-128");
}

TEST_F(PullDamage, RefusesAnArchiveOfTopicsBeforeItReadsAnything) {
  const Snapshot topics = fixture_.change_manifest(snapshot_, [](Manifest& manifest) {
    manifest.content = ManifestContent::kTopics;
    manifest.streams.front().label = "catalogue";
  });
  PullRun run(fixture_, topics, budget(2, 4, 2));
  expect_refused(run, ErrorCode::kUsage);
  expect_contains(run.report.error().message, "drstream kafka cat");
}

TEST_F(PullDamage, RestoresAStreamWithoutSha256) {
  snapshot_ = fixture_.change_manifest(snapshot_, [](Manifest& manifest) { manifest.streams.front().sha256.reset(); });
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.report.ok());
  EXPECT_TRUE(run.report->whole);
}

TEST_F(PullDamage, RefusesALostRecipePart) {
  for (const ObjectInfo& object : fixture_.objects().list("packs/")) {
    if (object.key != pack(0) && object.key != pack(1)) fixture_.damage(object.key, kEnvelopeBytes + 20);
  }
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run);
  expect_contains(run.report.error().message, "recipe");
}

TEST_F(PullDamage, TellsTheStoresErrorWhenItGoesAwayWhileALostRecipeIsLookedFor) {
  int index_reads = 0;
  bool reads_packs = false;
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    reads_packs = reads_packs || get.key.starts_with("packs/");
    if (!reads_packs && get.key.starts_with("index/")) ++index_reads;
    return std::nullopt;
  });
  PullRun whole(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(whole.report.ok());
  ASSERT_GT(index_reads, 0);

  for (const ObjectInfo& object : fixture_.objects().list("packs/"))
    if (object.key != pack(0) && object.key != pack(1)) fixture_.objects().erase(object.key);
  fail_reads([&](const GetOperation& get) -> std::optional<Error> {
    if (get.key.starts_with("index/") && --index_reads < 0) return Error(ErrorCode::kUnavailable, "no answer");
    return std::nullopt;
  });
  PullRun run(fixture_, snapshot_, budget(2, 4, 2));
  expect_refused(run, ErrorCode::kUnavailable);
}

TEST_F(PullDamage, NeverCommitsWrongBytesWhateverByteIsFlipped) {
  std::vector<ObjectInfo> objects = fixture_.objects().list("packs/");
  objects.push_back({index_, fixture_.objects().find(index_)->bytes->size(), 0});
  const bool holds = rc::check("right bytes or none", [&] {
    const ObjectInfo& object = objects[*rc::gen::inRange<std::size_t>(0, objects.size())];
    const auto offset = *rc::gen::inRange<std::size_t>(0, object.size_bytes);
    const Bytes before = *fixture_.objects().find(object.key)->bytes;
    fixture_.damage(object.key, offset);
    PullRun run(fixture_, snapshot_, budget(2, 4, 2));
    fixture_.objects().damage(object.key, before);
    RC_ASSERT(run.sink.commits == (run.report.ok() ? 1 : 0));
    RC_ASSERT(run.sink.abandons == (run.report.ok() ? 0 : 1));
    if (run.report.ok()) RC_ASSERT(run.sink.bytes == expected_);
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace drs::test
