#include "engine/repository/snapshot_selection.h"

#include <gtest/gtest.h>

#include "engine/format/names.h"

namespace drs {
namespace {

Uuid id_of(std::uint8_t number) {
  Uuid id;
  id.data[0] = number;
  return id;
}

std::string name_of(std::uint8_t number) {
  return manifest_name(StreamTag(), id_of(number));
}

// Numbered by sequence. `started_ns` 0: a clock gave the time.
Snapshot snapshot(std::uint8_t sequence, WallNs time_ns, WallNs started_ns = 0) {
  Snapshot out;
  out.name = name_of(sequence);
  out.manifest.stream = "pg/app";
  out.manifest.sequence = sequence;
  out.manifest.session = id_of(sequence);
  out.manifest.snapshot_ns = time_ns;
  out.manifest.started_ns = started_ns == 0 ? time_ns : started_ns;
  return out;
}

BrokenManifest broken(std::uint8_t number, std::optional<std::uint64_t> superseded_by) {
  return {name_of(number), Error(ErrorCode::kCorrupt, "rotten"), {}, "pg/app", superseded_by.has_value(),
          superseded_by};
}

Selector latest() {
  return {"pg/app@latest", "pg/app", std::nullopt};
}

Selector at(WallNs time_ns) {
  return {"pg/app@time", "pg/app", time_ns};
}

Selector by_id(std::uint8_t number) {
  return {id_of(number).hex(), "", std::nullopt};
}

std::uint64_t sequence_of(const Result<const Snapshot*>& found) {
  return found.ok() ? (*found)->manifest.sequence : 0;
}

ErrorCode code_of(const Result<const Snapshot*>& found) {
  return found.ok() ? ErrorCode::kInternal : found.error().code;
}

TEST(SnapshotSelection, ATimeTakesTheNewestAtOrBeforeIt) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200), snapshot(3, 300)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(200))), 2U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(299))), 2U);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(99))), ErrorCode::kNoSnapshot);
}

TEST(SnapshotSelection, AClockSetBackHidesNoSnapshotThatCameLater) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200), snapshot(3, 150)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(1000))), 3U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest())), 3U);
  // A clock that ran ahead once does not hide what came after it either.
  catalog.live = {snapshot(1, 100), snapshot(2, 9000), snapshot(3, 300)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(1000))), 3U);
}

TEST(SnapshotSelection, AClockSetBackDoesNotMakeALaterSnapshotOlder) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200), snapshot(3, 150), snapshot(4, 50, 5000)};
  catalog.live.push_back(snapshot(5, 120));
  catalog.live.back().manifest.stream = "pg/other";
  std::vector<std::uint64_t> sequences;
  std::vector<WallNs> times;
  for (const DatedSnapshot& dated : oldest_first(catalog)) {
    sequences.push_back(dated.snapshot->manifest.sequence);
    times.push_back(dated.made_ns);
  }
  EXPECT_EQ(sequences, (std::vector<std::uint64_t>{4, 1, 5, 2, 3}));
  EXPECT_EQ(times, (std::vector<WallNs>{50, 100, 120, 200, 200}));
}

TEST(SnapshotSelection, ATimeThatTheOperatorGaveCountsAsGiven) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 200, 5000), snapshot(2, 100, 5001)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(1000))), 1U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest())), 2U);
}

TEST(SnapshotSelection, ADamagedManifestThatMayBeMeantIsNotPassedOver) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200), snapshot(4, 400)};
  catalog.broken = {broken(3, 4)};  // between 2 and 4
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest())), 4U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(400))), 4U);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(399))), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(150))), ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(50))), ErrorCode::kCorrupt);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, by_id(2))), 2U);
  EXPECT_EQ(code_of(select_snapshot(catalog, by_id(3))), ErrorCode::kCorrupt);
  catalog.broken = {broken(5, std::nullopt)};  // nothing came after it
  for (const Selector& selector : {latest(), at(1000), at(250)})
    EXPECT_EQ(code_of(select_snapshot(catalog, selector)), ErrorCode::kCorrupt);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, by_id(4))), 4U);
}

TEST(SnapshotSelection, AMarkOfRemovalThatCannotBeReadIsNoSnapshot) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100)};
  BrokenManifest mark = broken(2, 0);
  mark.name = removed_name(mark.name);
  catalog.broken = {mark};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest())), 1U);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(50))), ErrorCode::kNoSnapshot);
}

TEST(SnapshotSelection, OnlyADamagedManifestOfAnUnknownStreamMayBeMeant) {
  SnapshotCatalog catalog;
  catalog.broken = {broken(1, std::nullopt)};
  catalog.broken.front().stream = "";
  EXPECT_EQ(code_of(select_snapshot(catalog, latest())), ErrorCode::kCorrupt);
  catalog.broken.front().stream = "another";
  EXPECT_EQ(code_of(select_snapshot(catalog, latest())), ErrorCode::kNoSnapshot);
}

TEST(SnapshotSelection, AGapInTheChainCountsWhereItMayBeMeant) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(3, 300)};
  catalog.missing = {{"pg/app", name_of(2), name_of(3), 3}};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest())), 3U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(300))), 3U);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(250))), ErrorCode::kRollback);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(50))), ErrorCode::kRollback);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, by_id(1))), 1U);
  EXPECT_EQ(code_of(select_snapshot(catalog, by_id(2))), ErrorCode::kRollback);
}

TEST(SnapshotSelection, WhatWasSeenAndIsGoneCountsWhereItMayBeMeant) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200)};
  const std::vector<LostSnapshot> lost = {{"pg/app", name_of(3), 3, "sequence 3 was seen"}};
  EXPECT_EQ(code_of(select_snapshot(catalog, latest(), lost)), ErrorCode::kRollback);
  EXPECT_EQ(code_of(select_snapshot(catalog, at(1000), lost)), ErrorCode::kRollback);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(150), lost)), 1U) << "it came after one that is too new already";
  EXPECT_EQ(sequence_of(select_snapshot(catalog, by_id(2), lost)), 2U);
  EXPECT_EQ(code_of(select_snapshot(catalog, by_id(3), lost)), ErrorCode::kRollback);
  // What came after it counts as the newest.
  catalog.live.push_back(snapshot(4, 400));
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest(), lost)), 4U);
  // All of the stream is gone.
  catalog.live.clear();
  EXPECT_EQ(code_of(select_snapshot(catalog, latest(), lost)), ErrorCode::kRollback);
  EXPECT_EQ(code_of(select_snapshot(catalog, {"other", "other", std::nullopt}, lost)), ErrorCode::kNoSnapshot);
}

TEST(SnapshotSelection, TheBeginningOfAnIdDoesNotPassOverWhatIsDamagedOrGone) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100)};
  catalog.broken = {broken(2, std::nullopt)};
  const Selector prefix{"0", "", std::nullopt};
  const auto found = select_snapshot(catalog, prefix);
  EXPECT_EQ(code_of(found), ErrorCode::kUsage);
  EXPECT_NE(found.error().message.find("(damaged)"), std::string::npos) << found.error().message;
}

TEST(SnapshotSelection, SiblingsAreThoseOfOneStreamAndOneSequenceNumber) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200), snapshot(3, 200), snapshot(4, 300), snapshot(2, 200)};
  catalog.live[2].manifest.sequence = 2;
  catalog.live[4].manifest.stream = "pg/billing";
  const auto siblings = siblings_of(catalog, catalog.live[1]);
  ASSERT_EQ(siblings.size(), 2U);
  EXPECT_EQ(siblings[0].id(), id_of(2).hex());
  EXPECT_EQ(siblings[1].id(), id_of(3).hex());
  EXPECT_EQ(siblings_of(catalog, catalog.live[2]).data(), siblings.data());
  for (const std::size_t alone : {std::size_t{0}, std::size_t{3}, std::size_t{4}})
    EXPECT_EQ(siblings_of(catalog, catalog.live[alone]).size(), 1U) << alone;
}

}  // namespace
}  // namespace drs
