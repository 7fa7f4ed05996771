// Pull that goes on behind damage: the bytes outside the holes are those of the stream, and the map names exactly what
// is lost.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "engine/format/names.h"
#include "engine/pipeline/pull/pull.h"
#include "tests/engine/pipeline/pull/pull_runs.h"
#include "tests/engine/pipeline/repository_fixture.h"

namespace drs::test {
namespace {

using Cause = Loss::Cause;
using Part = Loss::Part;

// A pull that leaves holes.
struct HolesRun {
  HolesRun(RepositoryFixture& fixture, const Snapshot& snapshot, const PullMemory& memory,
           HoleFill fill = HoleFill::kZeros, PullOptions options = {},
           const std::function<void(PullRun&)>& prepare = nullptr)
      : map(fill), pull(fixture, snapshot, memory, with_map(options, map), prepare) {}
  static PullOptions with_map(PullOptions options, HoleMap& map) {
    options.holes = &map;
    return options;
  }
  HoleMap map;
  PullRun pull;
};

// Which bytes of a stream are lost.
using LostBytes = std::vector<bool>;

LostBytes lost_bytes_of(const HoleMap& map, std::size_t stream_bytes) {
  LostBytes lost(stream_bytes);
  for (const Hole& hole : map.holes())
    for (std::uint64_t i = 0; i < hole.bytes; ++i) lost.at(hole.stream_offset_bytes + i) = true;
  return lost;
}

// What a restore of [begin, end) writes.
Bytes output_of(const Bytes& stream, const LostBytes& lost, HoleFill fill, std::size_t begin, std::size_t end) {
  Bytes out;
  for (std::size_t i = begin; i < end; ++i) {
    if (!lost[i])
      out.push_back(stream[i]);
    else if (fill == HoleFill::kZeros)
      out.push_back(0);
  }
  return out;
}

// Some packs of blocks with random chunks, some of which lie in several blocks; then bit flips in blocks and lost
// packs.
class DamagedStream {
 public:
  DamagedStream(RepositoryFixture& fixture, std::mt19937_64& random) : fixture_(fixture), random_(random) {
    std::vector<Bytes> known;
    std::vector<BlockId> blocks;
    const std::size_t block_count = 1 + random_() % 30;
    for (std::size_t i = 0; i < block_count; ++i) {
      std::vector<Bytes> chunks;
      for (std::size_t chunk = 0; chunk <= random_() % 5; ++chunk) {
        const bool again = !known.empty() && random_() % 3 == 0;
        chunks.push_back(again ? known[random_() % known.size()] : plain_bytes(16 + random_() % 2000, random_()));
        known.push_back(chunks.back());
      }
      blocks.push_back(fixture_.add_block(chunks, random_() % 4 == 0));
      open_pack_.push_back(blocks.back());
      if (random_() % 5 == 0 || i + 1 == block_count) close_pack();
    }
    for (std::size_t i = 0; i < 1 + random_() % 80; ++i) {
      const BlockId block = blocks[random_() % 3 == 0 ? random_() % blocks.size() : i % blocks.size()];
      const auto chunks = static_cast<std::uint32_t>(fixture_.chunks_of(block).size());
      const auto first = static_cast<std::uint32_t>(random_() % chunks);
      pieces_.push_back({block, first, 1 + static_cast<std::uint32_t>(random_() % (chunks - first))});
    }
  }

  void damage() {
    for (const auto& [pack, blocks] : packs_) {
      if (random_() % 6 == 0) {
        fixture_.objects().erase(pack_name(pack));
        bad_.insert(blocks.begin(), blocks.end());
        if (!indexed_.contains(pack)) unknown_.insert(blocks.begin(), blocks.end());
        continue;
      }
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (random_() % 4 != 0) continue;
        fixture_.damage(pack_name(pack), fixture_.table_of(pack)[i].record.offset_bytes + 5);
        bad_.insert(blocks[i]);
      }
    }
  }

  // A chunk is lost if its block is, and no good block has the same bytes, or nothing lists the chunks of its block.
  [[nodiscard]] LostBytes lost() const {
    std::set<Bytes> good;
    for (const auto& [pack, blocks] : packs_)
      for (const BlockId& block : blocks)
        if (!bad_.contains(block)) good.insert(fixture_.chunks_of(block).begin(), fixture_.chunks_of(block).end());
    LostBytes lost;
    for (const Piece& piece : pieces_)
      for (std::uint32_t i = 0; i < piece.chunk_count; ++i) {
        const Bytes& chunk = fixture_.chunks_of(piece.block)[piece.chunk_first + i];
        const bool is_lost = bad_.contains(piece.block) && (unknown_.contains(piece.block) || !good.contains(chunk));
        lost.insert(lost.end(), chunk.size(), is_lost);
      }
    return lost;
  }
  [[nodiscard]] const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  void close_pack() {
    const Digest pack = fixture_.close_pack();
    packs_[pack] = std::exchange(open_pack_, {});
    if (random_() % 3 == 0) return;
    fixture_.add_index({pack});
    indexed_.insert(pack);
  }

  RepositoryFixture& fixture_;
  std::mt19937_64& random_;
  std::vector<BlockId> open_pack_;
  std::map<Digest, std::vector<BlockId>> packs_;
  std::set<Digest> indexed_;
  std::vector<Piece> pieces_;
  std::set<BlockId> bad_;
  std::set<BlockId> unknown_;  // lost together with the only list of their chunks
};

TEST(PullHoles, TheMapIsExactForAnyDamageAndAnyBudget) {
  const bool holds = rc::check("good bytes or named holes", [] {
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    RepositoryFixture fixture;
    DamagedStream stream(fixture, random);
    const Snapshot snapshot = fixture.add_snapshot("s", stream.pieces(), 1 + random() % 40);
    const Bytes original = fixture.stream_of(stream.pieces());
    stream.damage();
    const LostBytes lost = stream.lost();
    const auto lost_bytes = static_cast<std::uint64_t>(std::count(lost.begin(), lost.end(), true));
    const PullMemory memory = budget(*rc::gen::inRange<std::size_t>(1, 5), *rc::gen::inRange<std::size_t>(1, 9),
                                     *rc::gen::inRange<std::size_t>(1, 4));
    const HoleFill fill = random() % 2 == 0 ? HoleFill::kZeros : HoleFill::kOmitted;

    const HolesRun whole(fixture, snapshot, memory, fill);
    RC_ASSERT(whole.pull.report.ok());
    RC_ASSERT(lost_bytes_of(whole.map, original.size()) == lost);
    const PullRun plain(fixture, snapshot, memory);
    RC_ASSERT(plain.report.ok() == (lost_bytes == 0));
    if (plain.report.ok()) RC_ASSERT(plain.sink.bytes == original);
    RC_ASSERT(whole.map.bytes() == lost_bytes);
    RC_ASSERT(whole.pull.sink.bytes == output_of(original, lost, fill, 0, original.size()));
    RC_ASSERT(whole.pull.sink.commits == 1);
    RC_ASSERT(whole.pull.report->bytes == whole.pull.sink.bytes.size());
    RC_ASSERT(whole.pull.report->whole == (lost_bytes == 0));
    RC_ASSERT(whole.pull.report->holes_bytes == lost_bytes);
    RC_ASSERT(whole.pull.progress.bytes == original.size());

    const std::size_t begin = random() % (original.size() + 1);
    const std::size_t length = random() % (original.size() - begin + 1);
    const HolesRun part(fixture, snapshot, memory, fill, {.offset_bytes = begin, .length_bytes = length});
    RC_ASSERT(part.pull.report.ok());
    RC_ASSERT(part.pull.sink.bytes == output_of(original, lost, fill, begin, begin + length));
    LostBytes in_part(original.size());
    for (std::size_t i = begin; i < begin + length; ++i) in_part[i] = lost[i];
    RC_ASSERT(lost_bytes_of(part.map, original.size()) == in_part);
    for (const Hole& hole : part.map.holes()) {
      const Bytes before = output_of(original, lost, fill, begin, hole.stream_offset_bytes);
      RC_ASSERT(hole.output_offset_bytes == before.size());
    }
  });
  EXPECT_TRUE(holds);
}

// Ten blocks of three chunks in a pack with an index, in recipe parts of three blocks.
class PullHolesTest : public ::testing::Test {
 protected:
  PullHolesTest() {
    for (std::uint64_t i = 0; i < 10; ++i)
      pieces_.push_back(
          {fixture_.add_block({plain_bytes(1000, 3 * i), plain_bytes(2000, 3 * i + 1), plain_bytes(3000, 3 * i + 2)}),
           0, 3});
    pack_ = fixture_.close_pack();
    fixture_.add_index({pack_});
    snapshot_ = fixture_.add_snapshot("s", pieces_, 3);
    expected_ = fixture_.stream_of(pieces_);
  }
  void damage_block(std::size_t number) {
    fixture_.damage(pack_name(pack_), fixture_.table_of(pack_)[number].record.offset_bytes + 5);
  }
  [[nodiscard]] Digest recipe_pack() {
    for (const ObjectInfo& object : fixture_.objects().list("packs/"))
      if (object.key != pack_name(pack_)) return parse_name(object.key)->digest;
    return {};
  }
  [[nodiscard]] Bytes with_zeros(std::size_t begin, std::size_t bytes) const {
    Bytes out = expected_;
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(begin), bytes, Byte{0});
    return out;
  }

  RepositoryFixture fixture_;
  std::vector<Piece> pieces_;
  Digest pack_;
  Snapshot snapshot_;
  Bytes expected_;
};

TEST_F(PullHolesTest, AnIntactStreamIsComparedWithItsDigestsAsAlways) {
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_TRUE(run.pull.report->whole);
  EXPECT_TRUE(run.map.holes().empty());
  const Snapshot forged =
      fixture_.change_manifest(snapshot_, [](Manifest& manifest) { manifest.streams.front().sha256->data[3] ^= 1; });
  const HolesRun other(fixture_, forged, budget(2, 4, 2));
  ASSERT_FALSE(other.pull.report.ok());
  EXPECT_EQ(other.pull.report.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(other.pull.sink.commits, 0);
}

TEST_F(PullHolesTest, ADamagedBlockIsOneHoleWithItsPack) {
  damage_block(4);
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_EQ(run.pull.sink.bytes, with_zeros(24000, 6000));
  const std::vector<Hole> holes{{24000, 6000, 24000, {Cause::kDamaged, Part::kData, pack_}}};
  EXPECT_EQ(run.map.holes(), holes);
  EXPECT_EQ(run.pull.report->holes, 1U);
  EXPECT_EQ(run.pull.report->healed_blocks, 0U);
}

// The slot has held other blocks of the stream, and what a damaged block decodes to must not appear either.
TEST_F(PullHolesTest, NothingOfAnotherBlockShowsInAHole) {
  for (std::size_t i = 3; i < 10; ++i) damage_block(i);
  const HolesRun run(fixture_, snapshot_, budget(1, 1, 1));
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_EQ(run.pull.sink.bytes, with_zeros(18000, 42000));
}

TEST_F(PullHolesTest, NeighboursOfTheSameCauseAreOneHole) {
  damage_block(4);
  damage_block(5);
  damage_block(7);
  const HolesRun run(fixture_, snapshot_, budget(1, 2, 1), HoleFill::kOmitted);
  ASSERT_TRUE(run.pull.report.ok());
  const Loss loss{Cause::kDamaged, Part::kData, pack_};
  const std::vector<Hole> holes{{24000, 12000, 24000, loss}, {42000, 6000, 30000, loss}};
  EXPECT_EQ(run.map.holes(), holes);
  EXPECT_EQ(run.pull.sink.bytes.size(), 42000U);
}

TEST_F(PullHolesTest, OfALostBlockOnlyChunksWithoutAnotherCopyAreHoles) {
  const std::vector<Bytes>& chunks = fixture_.chunks_of(pieces_[4].block);
  fixture_.add_block({chunks[2], plain_bytes(50, 900), chunks[0]});
  fixture_.add_index({fixture_.close_pack()});
  damage_block(4);
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_EQ(run.pull.sink.bytes, with_zeros(25000, 2000));
  const std::vector<Hole> holes{{25000, 2000, 25000, {Cause::kDamaged, Part::kData, pack_}}};
  EXPECT_EQ(run.map.holes(), holes);
}

TEST_F(PullHolesTest, AMissingPackIsNamedByItsIndex) {
  fixture_.objects().erase(pack_name(pack_));
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_EQ(run.pull.sink.bytes, Bytes(60000));
  const std::vector<Hole> holes{{0, 60000, 0, {Cause::kMissing, Part::kData, pack_}}};
  EXPECT_EQ(run.map.holes(), holes);
}

TEST_F(PullHolesTest, ACutPackIsDamagedAndNotMissing) {
  Bytes cut = *fixture_.objects().find(pack_name(pack_))->bytes;
  cut.resize(cut.size() - 100);
  fixture_.objects().erase(pack_name(pack_));
  fixture_.objects().insert(pack_name(pack_), std::move(cut), 1);
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_TRUE(run.pull.report.ok());
  const std::vector<Hole> holes{{0, 60000, 0, {Cause::kDamaged, Part::kData, pack_}}};
  EXPECT_EQ(run.map.holes(), holes);
}

TEST_F(PullHolesTest, ALostRecipePartIsAHoleOfTheRangeThatItsReferenceStates) {
  const Digest recipes = recipe_pack();
  fixture_.damage(pack_name(recipes), fixture_.table_of(recipes)[1].record.offset_bytes + 5);
  damage_block(2);
  for (const std::size_t slots : {1U, 3U, 20U}) {
    const HolesRun run(fixture_, snapshot_, budget(2, slots, 2));
    ASSERT_TRUE(run.pull.report.ok()) << run.pull.report.error().message;
    EXPECT_EQ(run.pull.sink.bytes, with_zeros(12000, 6000 + 18000));
    const std::vector<Hole> holes{{12000, 6000, 12000, {Cause::kDamaged, Part::kData, pack_}},
                                  {18000, 18000, 18000, {Cause::kDamaged, Part::kRecipe, recipes}}};
    EXPECT_EQ(run.map.holes(), holes);
  }
  const HolesRun part(fixture_, snapshot_, budget(2, 3, 2), HoleFill::kOmitted,
                      {.offset_bytes = 20000, .length_bytes = 20000});
  ASSERT_TRUE(part.pull.report.ok());
  const std::vector<Hole> holes{{20000, 16000, 0, {Cause::kDamaged, Part::kRecipe, recipes}}};
  EXPECT_EQ(part.map.holes(), holes);
  EXPECT_EQ(part.pull.sink.bytes, Bytes(expected_.begin() + 36000, expected_.begin() + 40000));
}

TEST_F(PullHolesTest, AllRecipePartsLostLeaveOneHole) {
  fixture_.objects().erase(pack_name(recipe_pack()));
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2), HoleFill::kOmitted);
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_TRUE(run.pull.sink.bytes.empty());
  // Nothing lists the blocks of a missing pack that no index object covers.
  const std::vector<Hole> holes{{0, 60000, 0, {Cause::kMissing, Part::kRecipe, std::nullopt}}};
  EXPECT_EQ(run.map.holes(), holes);
}

TEST_F(PullHolesTest, AStoreThatStaysAwayLeavesNoHole) {
  {
    const std::lock_guard lock(fixture_.faults().mutex);
    fixture_.faults().fail = [&](const GetOperation& get) -> std::optional<Error> {
      if (get.key == pack_name(pack_)) return Error(ErrorCode::kUnavailable, "no answer");
      return std::nullopt;
    };
  }
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2));
  ASSERT_FALSE(run.pull.report.ok());
  EXPECT_EQ(run.pull.report.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(run.map.holes().empty());
  EXPECT_EQ(run.pull.sink.commits, 0);
}

TEST_F(PullHolesTest, AnArchiveOfTopicsIsRefused) {
  const Snapshot topics = fixture_.change_manifest(snapshot_, [](Manifest& manifest) {
    manifest.content = ManifestContent::kTopics;
    manifest.streams.front().label = "catalogue";
  });
  damage_block(4);
  const HolesRun run(fixture_, topics, budget(2, 4, 2));
  ASSERT_FALSE(run.pull.report.ok());
  EXPECT_EQ(run.pull.report.error().code, ErrorCode::kUsage);
  EXPECT_EQ(run.pull.sink.abandons, 1);
}

TEST_F(PullHolesTest, TheMapIsWrittenBeforeTheSinkCommits) {
  damage_block(4);
  std::string order;
  PullOptions options;
  options.before_commit = [&]() -> Result<void> {
    order += "map ";
    return {};
  };
  const HolesRun run(fixture_, snapshot_, budget(2, 4, 2), HoleFill::kZeros, options,
                     [&](PullRun& self) { self.sink.on_commit = [&] { order += "commit"; }; });
  ASSERT_TRUE(run.pull.report.ok());
  EXPECT_EQ(order, "map commit");
  options.before_commit = []() -> Result<void> { return Error(ErrorCode::kNoSpace, "no room for the map"); };
  const HolesRun full(fixture_, snapshot_, budget(2, 4, 2), HoleFill::kZeros, options);
  ASSERT_FALSE(full.pull.report.ok());
  EXPECT_EQ(full.pull.report.error().code, ErrorCode::kNoSpace);
  EXPECT_EQ(full.pull.sink.commits, 0);
  EXPECT_EQ(full.pull.sink.abandons, 1);
}

TEST_F(PullHolesTest, ALongHoleEndsWhenCancelled) {
  fixture_.objects().erase(pack_name(recipe_pack()));
  const Snapshot vast = fixture_.change_manifest(snapshot_, [](Manifest& manifest) {
    manifest.streams.front().parts.back().stream_bytes += 1ULL << 60;
    manifest.streams.front().bytes += 1ULL << 60;
    manifest.bytes += 1ULL << 60;
  });
  int writes = 0;
  const HolesRun run(fixture_, vast, budget(2, 4, 2), HoleFill::kZeros, {}, [&](PullRun& self) {
    self.sink.on_write = [&] {
      self.sink.bytes.clear();
      if (++writes == 3) self.cancel.cancel();
    };
  });
  ASSERT_FALSE(run.pull.report.ok());
  EXPECT_EQ(run.pull.report.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(run.pull.sink.commits, 0);
}

TEST(HoleMap, RefusesMoreHolesThanItsBound) {
  HoleMap map(HoleFill::kZeros, 2);
  EXPECT_TRUE(map.add({0, 10, 0, {}}).ok());
  EXPECT_TRUE(map.add({20, 10, 20, {}}).ok());
  EXPECT_TRUE(map.add({30, 10, 30, {}}).ok()) << "a neighbour needs no entry of its own";
  const auto full = map.add({50, 10, 50, {}});
  ASSERT_FALSE(full.ok());
  EXPECT_NE(full.error().message.find("--offset"), std::string::npos);
  EXPECT_EQ(map.holes().size(), 2U);
  EXPECT_EQ(map.bytes(), 30U);
}

TEST(HoleMap, TellsMissingDamagedAndTooNewApart) {
  EXPECT_EQ(cause_of({ErrorCode::kNotFound, ""}), Cause::kMissing);
  EXPECT_EQ(cause_of({ErrorCode::kCorrupt, ""}), Cause::kDamaged);
  EXPECT_EQ(cause_of({ErrorCode::kTruncated, ""}), Cause::kDamaged);
  EXPECT_EQ(cause_of({ErrorCode::kFormatTooNew, ""}), Cause::kTooNew);
}

}  // namespace
}  // namespace drs::test
