#include "engine/repository/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "engine/repository/verified_arcs.h"
#include "tests/engine/format/golden_proving.h"

namespace drs {
namespace {

constexpr WallNs kMinute = 60'000'000'000;
constexpr WallNs kHour = 60 * kMinute;
constexpr WallNs kDay = 24 * kHour;
constexpr WallNs kNow = 1'000 * kDay;

Digest name(std::uint8_t first, std::uint8_t second = 0) {
  Digest digest;
  digest.data[0] = first;
  digest.data[1] = second;
  return digest;
}

PackInfo pack(std::uint8_t first, WallNs stored_ns) {
  return {.name = name(first), .bytes = 100, .stored_ns = stored_ns};
}

Verified record_of(std::vector<VerifiedArc> arcs, WallNs ended_ns) {
  Verified record;
  record.ended_ns = ended_ns;
  record.arcs = std::move(arcs);
  return record;
}

std::vector<VerifiedArc> arcs(const std::vector<PackInfo>& packs, const std::vector<bool>& proven, WallNs proven_ns,
                              std::vector<WallNs> bounds = {}) {
  WallNs listed_ns = 0;
  for (const PackInfo& one : packs) listed_ns = std::max(listed_ns, one.stored_ns);
  return arcs_of({.packs = packs,
                  .proven = proven,
                  .bounds = std::move(bounds),
                  .listed_ns = listed_ns,
                  .proven_ns = proven_ns,
                  .level = ProofLevel::kDecoded});
}

TEST(Evidence, OfASweepOfAllPacksIsOneArc) {
  const std::vector<PackInfo> packs = {pack(1, kNow - kDay), pack(2, kNow - kHour), pack(3, kNow - 1)};
  const auto one = arcs(packs, {true, true, true}, kNow);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].packs, 3U);
  EXPECT_EQ(one[0].bytes, 300U);
  Evidence evidence(kNow);
  evidence.add(record_of(one, kNow), 0);
  for (const PackProof& proof : evidence.of(packs)) EXPECT_EQ(proof.decoded_ns, kNow);
}

TEST(Evidence, OfWhatWasPushedSinceTheLastSweepIsOneArcToo) {
  std::vector<PackInfo> packs;
  std::vector<bool> fresh;
  for (std::uint8_t i = 1; i < 200; ++i) {
    packs.push_back(pack(i, i % 7 == 0 ? kNow - kMinute : kNow - 10 * kDay));
    fresh.push_back(i % 7 == 0);
  }
  EXPECT_GT(arcs(packs, fresh, kNow).size(), 20U);
  EXPECT_EQ(arcs(packs, fresh, kNow, {kNow - 10 * kDay}).size(), 1U);
}

TEST(Evidence, DoesNotCoverAPackThatAppearsLaterWithAnEarlierTime) {
  std::vector<PackInfo> packs = {pack(1, kNow - kDay), pack(3, kNow - kMinute)};
  Evidence evidence(kNow + kDay);
  evidence.add(record_of(arcs(packs, {true, true}, kNow), kNow), 0);
  // Its put had begun before the list, within the hour: the names tell.
  packs.insert(packs.begin() + 1, pack(2, kNow - 2 * kMinute));
  for (const PackProof& proof : evidence.of(packs)) EXPECT_EQ(proof.read_ns, 0);
  // One that was put back with a time of long ago is told by the count.
  packs[1].stored_ns = kNow - 20 * kDay;
  for (const PackProof& proof : evidence.of(packs)) EXPECT_EQ(proof.read_ns, 0);
}

TEST(Evidence, IsNoneWhereOnePackWentAndAnotherCame) {
  std::vector<PackInfo> packs = {pack(1, kNow - kDay), pack(3, kNow - kDay)};
  Evidence evidence(kNow + kDay);
  evidence.add(record_of(arcs(packs, {true, true}, kNow), kNow), 0);
  packs[0] = pack(2, kNow - 2 * kDay);  // of the same size
  packs[0].name = name(1, 7);
  for (const PackProof& proof : evidence.of(packs)) EXPECT_EQ(proof.read_ns, 0);
  // One that was cut has its name and time.
  packs[0] = pack(1, kNow - kDay);
  EXPECT_EQ(evidence.of(packs)[0].read_ns, kNow);
  packs[0].bytes = 99;
  EXPECT_EQ(evidence.of(packs)[0].read_ns, 0);
}

TEST(Evidence, IsNoneOfAFileThatWasPutBackOrCopied) {
  std::vector<PackInfo> packs = {pack(1, kNow - 3 * kDay), pack(2, kNow - 2 * kDay), pack(3, kNow - 2 * kDay)};
  Evidence evidence(kNow + kDay);
  evidence.add(record_of(arcs(packs, {true, true, true}, kNow), kNow), 0);
  packs[0].changed_ns = kNow + kHour;
  EXPECT_EQ(evidence.of(packs)[0].read_ns, 0);
  EXPECT_EQ(evidence.of(packs)[1].read_ns, 0);  // less than an hour older than the newest: another may have gone
  packs[2].stored_ns = kNow - kMinute;
  Evidence later(kNow + kDay);
  packs[0].changed_ns = 0;
  later.add(record_of(arcs(packs, {true, true, true}, kNow), kNow), 0);
  packs[0].changed_ns = kNow + kHour;
  EXPECT_EQ(later.of(packs)[0].read_ns, 0);
  EXPECT_EQ(later.of(packs)[1].read_ns, kNow);
}

TEST(Evidence, OfAPackThatIsDatedAheadIsNoneAndIsOverdue) {
  const std::vector<PackInfo> packs = {pack(1, kNow - kDay), pack(2, kNow + 100 * kDay)};
  const auto some = arcs_of({.packs = packs,
                             .proven = {true, true},
                             .bounds = {},
                             .listed_ns = kNow - kDay,
                             .proven_ns = kNow,
                             .level = ProofLevel::kDecoded});
  Evidence evidence(kNow);
  evidence.add(record_of(some, kNow), 0);
  const auto proofs = evidence.of(packs);
  EXPECT_EQ(proofs[0].read_ns, kNow);
  EXPECT_EQ(proofs[1].read_ns, 0);
  EXPECT_EQ(coverage_of(packs, proofs, {kNow - kHour, kNow}).overdue_packs, 1U);
}

TEST(Evidence, StaysForPacksThatWereLongThereWhenOthersAreDeleted) {
  std::vector<PackInfo> packs = {pack(1, kNow - kDay), pack(2, kNow - kDay), pack(3, kNow - kMinute)};
  Evidence evidence(kNow + kDay);
  evidence.add(record_of(arcs(packs, {true, true, true}, kNow), kNow), 0);
  packs.erase(packs.begin());
  const auto proofs = evidence.of(packs);
  EXPECT_EQ(proofs[0].read_ns, kNow);
  EXPECT_EQ(proofs[1].read_ns, 0);  // nothing tells whether it was in the list
}

TEST(Evidence, IsOverriddenByDamageUntilAReadOfThatLevelFindsItIntact) {
  const std::vector<PackInfo> packs = {pack(1, kNow - kDay)};
  Evidence evidence(kNow + 10 * kDay);
  evidence.add(record_of(arcs(packs, {true}, kNow), kNow), 0);
  Verified damaged;
  damaged.ended_ns = kNow + kDay;
  damaged.damaged = {{packs[0].name, ProofLevel::kDecoded, kNow + kDay}};
  evidence.add(damaged, 0);
  EXPECT_TRUE(evidence.of(packs)[0].damaged);
  EXPECT_EQ(evidence.of(packs)[0].read_ns, 0);
  auto by_digest = arcs(packs, {true}, kNow + 2 * kDay);
  by_digest[0].level = ProofLevel::kDigest;
  evidence.add(record_of(by_digest, kNow + 2 * kDay), 0);
  EXPECT_TRUE(evidence.of(packs)[0].damaged);
  evidence.add(record_of(arcs(packs, {true}, kNow + 3 * kDay), kNow + 3 * kDay), 0);
  EXPECT_FALSE(evidence.of(packs)[0].damaged);
  EXPECT_EQ(evidence.of(packs)[0].decoded_ns, kNow + 3 * kDay);
}

TEST(Evidence, OfDamageIsNoneOfAPackThatWasPutThereLater) {
  std::vector<PackInfo> packs = {pack(1, kNow - kDay)};
  Evidence evidence(kNow + kDay);
  Verified damaged;
  damaged.ended_ns = kNow;
  damaged.damaged = {{packs[0].name, ProofLevel::kDecoded, kNow}};
  evidence.add(damaged, 0);
  EXPECT_TRUE(evidence.of(packs)[0].damaged);
  packs[0].changed_ns = kNow + kMinute;  // healed by hand
  EXPECT_FALSE(evidence.of(packs)[0].damaged);
  EXPECT_EQ(evidence.of(packs)[0].read_ns, 0);
}

TEST(Evidence, TakesTheEarlierOfTwoClocks) {
  const std::vector<PackInfo> packs = {pack(1, kNow - 90 * kDay)};
  const auto one = arcs(packs, {true}, kNow - kHour);
  // The sweep ended an hour later by its machine's clock, which is 30 days ahead of the store's.
  Evidence ahead(kNow);
  ahead.add(record_of(one, kNow), kNow - 30 * kDay);
  EXPECT_EQ(ahead.of(packs)[0].read_ns, kNow - 30 * kDay - kHour);
  // The repository was copied as files, so its times are new.
  Evidence copied(kNow + 60 * kDay);
  copied.add(record_of(one, kNow), kNow + 60 * kDay);
  EXPECT_EQ(copied.of(packs)[0].read_ns, kNow - kHour);
}

TEST(Evidence, FromTheFutureIsIgnored) {
  const std::vector<PackInfo> packs = {pack(1, kNow - kDay)};
  Evidence evidence(kNow);
  evidence.add(record_of(arcs(packs, {true}, kNow + 300 * kDay), kNow + 300 * kDay), 0);
  EXPECT_EQ(evidence.of(packs)[0].read_ns, 0);
}

TEST(Evidence, OfTheGoldenRecordsIsWhatEveryReaderFinds) {
  std::vector<PackInfo> packs;
  for (const golden::SweptPack& one : golden::swept_packs())
    packs.push_back({.name = one.name, .bytes = one.bytes, .stored_ns = one.stored_ns, .condemned = one.condemned});
  Evidence evidence(golden::judging_ns());
  for (const golden::ProvingRecord& one : golden::proving_records()) evidence.add(one.record, one.stored_ns);
  const auto proofs = evidence.of(packs);
  for (std::size_t i = 0; i < packs.size(); ++i) {
    const golden::SweptPack expected = golden::swept_packs()[i];
    EXPECT_EQ(proofs[i].read_ns, expected.read_ns) << i;
    EXPECT_EQ(proofs[i].decoded_ns, expected.decoded_ns) << i;
    EXPECT_EQ(proofs[i].damaged, expected.damaged) << i;
  }
}

TEST(Coverage, OfLessThanAllIsNotComplete) {
  const std::vector<PackInfo> packs = {pack(1, kNow - 3 * kDay), pack(2, kNow - 2 * kDay), pack(3, kNow - kDay)};
  std::vector<PackProof> proofs(3);
  proofs[0].read_ns = kNow - kDay;
  proofs[2].read_ns = proofs[2].decoded_ns = kNow;
  const Coverage coverage = coverage_of(packs, proofs, {kNow - 2 * kDay, kNow});
  EXPECT_FALSE(coverage.complete());
  EXPECT_EQ(coverage.proven_bytes, 200U);
  EXPECT_EQ(coverage.decoded_bytes, 100U);
  EXPECT_EQ(coverage.oldest_unproven_ns, kNow - 2 * kDay);
  EXPECT_EQ(coverage.oldest_proof_ns, kNow - kDay);
  EXPECT_EQ(coverage_of(packs, proofs, {kNow - kHour, kNow}).proven_packs, 1U);
}

// Pushes, sweeps, prunes and folds in random order, beside what truly was read.
class World {
 public:
  explicit World(std::uint32_t seed) : dice_(seed) {}

  void step() {
    now_ns_ += static_cast<WallNs>(roll(3 * 60)) * kMinute + 1;
    switch (roll(6)) {
      case 0:
      case 1: push(); break;
      case 2: prune(); break;
      case 3: fold(); break;
      default: sweep();
    }
    check();
  }
  // Nothing is on its way, and one sweep reads all.
  void settle() {
    now_ns_ += 2 * kHour;
    rot_ = false;
    budget_ = 1'000'000;
    sweep();
    check();
    const auto packs = listed();
    const Evidence evidence = load();
    EXPECT_TRUE(coverage_of(packs, evidence.of(packs), {now_ns_ - 4 * kDay, now_ns_}).complete());
  }

 private:
  struct Pack {
    PackInfo info;
    WallNs listed_from_ns = 0;  // its put has ended, less than an hour after its time
    WallNs intact_ns = 0;       // the begin of the last read that found it intact; 0: never, or damage was found since
  };

  std::uint32_t roll(std::uint32_t sides) { return std::uniform_int_distribution<std::uint32_t>(0, sides - 1)(dice_); }

  void push() {
    for (std::uint32_t i = 0; i <= roll(12); ++i) {
      Pack one;
      for (std::uint8_t& byte : one.info.name.data) byte = static_cast<std::uint8_t>(roll(256));
      one.info.bytes = 1 + roll(100);
      one.info.stored_ns = now_ns_ - static_cast<WallNs>(roll(50)) * kMinute;
      one.listed_from_ns = std::max(now_ns_, one.info.stored_ns + static_cast<WallNs>(roll(59)) * kMinute);
      packs_.push_back(one);
    }
    std::ranges::sort(packs_, {}, [](const Pack& one) { return one.info.name; });
  }
  void prune() {
    std::erase_if(packs_, [&](const Pack& one) { return one.info.condemned && roll(2) == 0; });
    for (Pack& one : packs_)
      if (roll(10) == 0) one.info.condemned = true;
  }
  std::vector<PackInfo> listed() const {
    std::vector<PackInfo> packs;
    for (const Pack& one : packs_)
      if (one.listed_from_ns <= now_ns_) packs.push_back(one.info);
    return packs;
  }
  Evidence load() const {
    Evidence evidence(now_ns_);
    for (const auto& [record, stored_ns] : records_) evidence.add(*decode_verified(encode_verified(record)), stored_ns);
    return evidence;
  }
  void sweep() {
    const std::vector<PackInfo> packs = listed();
    if (packs.empty()) return;
    const Evidence evidence = load();
    const auto proofs = evidence.of(packs);
    std::vector<bool> proven(packs.size(), false);
    Verified record;
    const WallNs begun_ns = now_ns_;
    const std::uint32_t every = 1 + roll(4);  // which of those that are due
    for (std::size_t i = 0, left = budget_; i < packs.size() && left > 0; ++i) {
      if (packs[i].condemned || proofs[i].decoded_ns > now_ns_ - 3 * kDay) continue;
      if (rot_ && roll(every) != 0) continue;
      --left;
      Pack& one = *std::ranges::find(packs_, packs[i].name, [](const Pack& p) { return p.info.name; });
      if (rot_ && roll(20) == 0) {
        record.damaged.push_back({packs[i].name, ProofLevel::kDecoded, begun_ns});
        one.intact_ns = 0;
      } else {
        proven[i] = true;
        one.intact_ns = begun_ns;
      }
    }
    WallNs listed_ns = 0;
    for (const PackInfo& one : packs) listed_ns = std::max(listed_ns, one.stored_ns);
    record.arcs = arcs_of({.packs = packs,
                           .proven = proven,
                           .bounds = evidence.bounds(),
                           .listed_ns = listed_ns,
                           .proven_ns = begun_ns,
                           .level = ProofLevel::kDecoded});
    now_ns_ += static_cast<WallNs>(roll(30)) * kMinute;
    record.ended_ns = now_ns_;
    records_.emplace_back(record, roll(2) == 0 ? 0 : now_ns_ - static_cast<WallNs>(roll(3)) * kMinute);
  }
  // Changes nothing of what is proven.
  void fold() {
    const std::vector<PackInfo> packs = listed();
    const Evidence evidence = load();
    const auto before = evidence.of(packs);
    records_.clear();
    for (const Verified& record : evidence.folded(packs, {})) records_.emplace_back(record, now_ns_);
    const auto after = load().of(packs);
    for (std::size_t i = 0; i < packs.size(); ++i) {
      EXPECT_EQ(before[i].read_ns, after[i].read_ns);
      EXPECT_EQ(before[i].decoded_ns, after[i].decoded_ns);
      EXPECT_EQ(before[i].damaged, after[i].damaged);
    }
  }
  void check() {
    const std::vector<PackInfo> packs = listed();
    const auto proofs = load().of(packs);
    for (std::size_t i = 0; i < packs.size(); ++i) {
      if (proofs[i].read_ns == 0) continue;
      const Pack& one = *std::ranges::find(packs_, packs[i].name, [](const Pack& p) { return p.info.name; });
      ASSERT_NE(one.intact_ns, 0) << "a pack counts as proven that was never read, or is damaged";
      ASSERT_LE(proofs[i].read_ns, one.intact_ns) << "a pack counts as proven later than it was read";
    }
  }

  std::mt19937 dice_;
  WallNs now_ns_ = kNow;
  std::vector<Pack> packs_;
  std::vector<std::pair<Verified, WallNs>> records_;
  bool rot_ = true;
  std::size_t budget_ = 20;
};

TEST(Evidence, NeverCoversWhatWasNotReadAndCoversAllThatWas) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int i = 0; i < 80 && !testing::Test::HasFailure(); ++i) world.step();
    world.settle();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace drs
