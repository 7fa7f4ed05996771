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

// A snapshot whose name and id derive from its sequence number. `started_ns` 0: its time is from a clock.
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
}

TEST(SnapshotSelection, ATimeIsNotAnsweredWithWhatWasPushedAfterIt) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 200), snapshot(3, 10), snapshot(4, 300)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(150))), 1U) << "3 was pushed after 2, which is of 200";
  EXPECT_EQ(code_of(select_snapshot(catalog, at(50))), ErrorCode::kNoSnapshot);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(200))), 3U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(300))), 4U);
  EXPECT_EQ(made_ns_of(catalog, catalog.live[2]), 200);
  EXPECT_EQ(made_ns_of(catalog, catalog.live[3]), 300);
}

TEST(SnapshotSelection, AnImportedSnapshotDoesNotHideWhatAClockSetBackGaveAnOldTime) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 500), snapshot(2, 10), snapshot(3, 100, 501)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(500))), 2U) << "it counts as of 500, and was pushed after 1";
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(499))), 3U);
}

TEST(SnapshotSelection, WhatAClockAheadMakesTooNewIsNamed) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 9000), snapshot(3, 300)};  // which of the clocks was wrong?
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(1000))), 1U);
  const Snapshot* const held = held_back(catalog, at(1000));
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->manifest.sequence, 3U);
  EXPECT_EQ(held_back(catalog, at(250)), nullptr);
  EXPECT_EQ(held_back(catalog, at(9000)), nullptr) << "it is selected, or older than what is";
  EXPECT_EQ(held_back(catalog, latest()), nullptr);
}

TEST(SnapshotSelection, AClockThatWasAheadOnceMovesNoLaterSnapshot) {
  SnapshotCatalog catalog;
  catalog.live = {snapshot(1, 100), snapshot(2, 9000), snapshot(3, 300), snapshot(4, 400), snapshot(5, 2000)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(1000))), 4U);
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(150))), 2U) << "it was pushed between 100 and 300";
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(9000))), 5U);
  EXPECT_EQ(held_back(catalog, at(1000)), nullptr);
  catalog.live = {snapshot(1, 9000), snapshot(2, 100), snapshot(3, 200)};
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(150))), 2U);
  EXPECT_EQ(made_ns_of(catalog, catalog.live[0]), 100);
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
  EXPECT_EQ(sequence_of(select_snapshot(catalog, at(150), lost)), 1U)
      << "the lost one came after a snapshot that is already too new";
  EXPECT_EQ(sequence_of(select_snapshot(catalog, by_id(2), lost)), 2U);
  EXPECT_EQ(code_of(select_snapshot(catalog, by_id(3), lost)), ErrorCode::kRollback);
  // A snapshot after the lost one is the newest.
  catalog.live.push_back(snapshot(4, 400));
  EXPECT_EQ(sequence_of(select_snapshot(catalog, latest(), lost)), 4U);
  // All snapshots of the stream are missing.
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
