// Damages a repository that has an object of every kind: every kind of damage, in every object.
#include <gtest/gtest.h>

#include <string>

#include "tests/verify/check_runs.h"

namespace drs::test {
namespace {

// Every place of a damage is tried but under ThreadSanitizer, which needs ten times as long and sees the same threads
// each time.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define DRS_PLACES_APART 16
#endif
#endif
#ifndef DRS_PLACES_APART
#define DRS_PLACES_APART 1
#endif
constexpr std::size_t kPlacesApart = DRS_PLACES_APART;

std::string folder(const std::string& name) {
  return name.substr(0, name.find('/'));
}

// Whether scrub reports damage.
bool scrub_detects(const StoredRepository& stored) {
  const auto report = run_scrub(stored);
  return !report.ok() || !report->findings.empty();
}

class EveryDamage : public ::testing::Test {
 protected:
  static bool is_found(const CheckRun& run, const std::string& name) {
    return is_hint(name) ? run.about(name) != nullptr && !run.detected() : run.detected();
  }
  bool scrub_finds(const std::string& name) {
    if (!is_hint(name)) return scrub_detects(stored_);
    const auto report = run_scrub(stored_);
    return report.ok() && report->findings.size() == 1 && report->findings[0].object == name &&
           report->findings[0].severity == Finding::Severity::kWarning;
  }
  StoredRepository stored_;
};

TEST_F(EveryDamage, IsAbsentFromTheRepositoryAsBuilt) {
  VerifySettings settings;
  settings.rebuild = true;
  const CheckRun run = run_verify(stored_, settings);
  ASSERT_FALSE(run.error) << run.error->message;
  EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
  EXPECT_EQ(run.report.snapshots, 3U);
  EXPECT_EQ(run.report.recipe_parts, 3U);
  EXPECT_EQ(run.report.blocks_referenced, 6U);
  EXPECT_EQ(run.report.packs, 3U);
  EXPECT_EQ(run.report.packs_read, 3U);
  EXPECT_EQ(run.report.bytes_read, run.report.packs_bytes);
  EXPECT_EQ(run.report.blocks_decoded, 7U);
  EXPECT_EQ(run.report.chunks_checked, 8U);
  EXPECT_EQ(run.report.snapshots_rebuilt, 3U);
  EXPECT_EQ(run.report.rebuilt_bytes,
            stored_.stream_1.size() + stored_.stream_2.size() + stored_.block_z.record.raw_bytes);
  const auto scrubbed = run_scrub(stored_);
  ASSERT_TRUE(scrubbed.ok()) << scrubbed.error().message;
  EXPECT_TRUE(scrubbed->findings.empty()) << described(scrubbed->findings);
  EXPECT_EQ(scrubbed->objects, stored_.names().size());
}

TEST_F(EveryDamage, FlippedByteIsFoundByVerifyAndScrub) {
  std::size_t flips = 0;
  for (const auto& [name, bytes] : stored_.built) {
    for (std::size_t at = 0; at < bytes.size(); at += kPlacesApart, ++flips) {
      Bytes flipped = bytes;
      flipped[at] ^= static_cast<Byte>(1U << (at % 8));
      stored_.objects->damage(name, flipped);
      const CheckRun run = run_verify(stored_);
      ASSERT_TRUE(is_found(run, name)) << name << " byte " << at;
      ASSERT_TRUE(run.error || run.about(name))
          << name << " byte " << at << " is not named: " << described(run.report.findings);
      ASSERT_TRUE(scrub_finds(name)) << name << " byte " << at;
    }
    stored_.objects->damage(name, bytes);
  }
  RecordProperty("flips", static_cast<int>(flips));
}

TEST_F(EveryDamage, TruncationIsFound) {
  for (const auto& [name, bytes] : stored_.built) {
    for (std::size_t size = 0; size < bytes.size();
         size += (size < 90 || size + 60 > bytes.size() ? 1U : 31U) * kPlacesApart) {
      stored_.objects->damage(name, Bytes(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
      ASSERT_TRUE(is_found(run_verify(stored_), name)) << name << " to " << size;
      ASSERT_TRUE(scrub_finds(name)) << name << " to " << size;
    }
    stored_.objects->damage(name, bytes);
  }
}

TEST_F(EveryDamage, ExtensionIsFound) {
  for (const auto& [name, bytes] : stored_.built) {
    for (const Byte more : {Byte{0}, Byte{0xA5}}) {
      Bytes longer = bytes;
      longer.push_back(more);
      stored_.objects->damage(name, longer);
      EXPECT_TRUE(is_found(run_verify(stored_), name)) << name;
      EXPECT_TRUE(scrub_finds(name)) << name;
    }
    stored_.objects->damage(name, bytes);
  }
}

TEST_F(EveryDamage, SwapOfTwoObjectsIsFound) {
  for (const auto& [a, bytes_a] : stored_.built) {
    for (const auto& [b, bytes_b] : stored_.built) {
      if (b <= a) continue;
      stored_.objects->damage(a, bytes_b);
      stored_.objects->damage(b, bytes_a);
      const CheckRun run = run_verify(stored_);
      EXPECT_TRUE(run.detected() || (is_hint(a) && is_hint(b) && run.about(a) && run.about(b))) << a << " and " << b;
      stored_.reset();
    }
  }
}

TEST_F(EveryDamage, ObjectOfAnotherRepositoryIsFound) {
  const StoredRepository other(2);
  for (const auto& [name, bytes] : stored_.built) {
    for (const auto& [other_name, other_bytes] : other.built) {
      if (folder(other_name) != folder(name)) continue;
      stored_.objects->damage(name, other_bytes);
      EXPECT_TRUE(is_found(run_verify(stored_), name)) << other_name << " in place of " << name;
      EXPECT_TRUE(scrub_finds(name)) << other_name << " in place of " << name;
    }
    stored_.objects->damage(name, bytes);
  }
  // Also under its own name beside ours, unless that name is taken.
  for (const auto& [name, bytes] : other.built) {
    if (stored_.built.contains(name) || folder(name) == "damaged") continue;
    stored_.objects->damage(name, bytes);
    const auto run = run_verify(stored_);
    // A slot of another repository opens nothing, and a record of a sweep of it proves nothing: each is reported, but
    // is not damage.
    EXPECT_TRUE(run.detected() || ((folder(name) == "keys" || is_hint(name)) && run.about(name))) << name;
    stored_.reset();
  }
}

TEST_F(EveryDamage, DeletionIsFoundWhereAnythingRemembersTheObject) {
  const auto severity_of_deletion = [&](const std::string& name) {
    stored_.objects->erase(name);
    const CheckRun run = run_verify(stored_);
    stored_.reset();
    if (run.error || run.has(Finding::Severity::kDamage)) return std::string("damage");
    if (run.has(Finding::Severity::kDeletion)) return std::string("deletion");
    return std::string(run.has(Finding::Severity::kWarning) ? "warning" : "nothing");
  };
  EXPECT_EQ(severity_of_deletion(stored_.pack_first), "damage");
  EXPECT_EQ(severity_of_deletion(stored_.pack_second), "damage");
  EXPECT_EQ(severity_of_deletion(stored_.pack_orphan), "damage");
  EXPECT_EQ(severity_of_deletion(stored_.index_first), "warning");
  EXPECT_EQ(severity_of_deletion(stored_.index_second), "warning");
  EXPECT_EQ(severity_of_deletion(stored_.manifest_1), "deletion");
  EXPECT_EQ(severity_of_deletion(stored_.removed), "deletion");
  EXPECT_EQ(severity_of_deletion(stored_.config_2), "deletion");
  EXPECT_EQ(severity_of_deletion(stored_.slot_1), "damage");  // the key opens no other slot
  // No object names the newest manifest of a stream (only heads do), a further slot, a session or a record.
  EXPECT_EQ(severity_of_deletion(stored_.manifest_2), "nothing");
  EXPECT_EQ(severity_of_deletion(stored_.slot_2), "nothing");
  EXPECT_EQ(severity_of_deletion(stored_.session_object), "nothing");
  EXPECT_EQ(severity_of_deletion(stored_.condemned), "nothing");
  EXPECT_EQ(severity_of_deletion(stored_.retired), "deletion");
  for (const std::string& name : {stored_.waits, stored_.kept, stored_.hold, stored_.verified})
    EXPECT_EQ(severity_of_deletion(name), "nothing") << name;
  EXPECT_EQ(severity_of_deletion(stored_.mark), "nothing");
}

TEST_F(EveryDamage, IsFoundByTheStructureCheckWhereItNeedsNoData) {
  VerifySettings settings;
  settings.read_data = false;
  for (const auto& [name, bytes] : stored_.built) {
    Bytes longer = bytes;
    longer.push_back(0);
    stored_.objects->damage(name, longer);
    EXPECT_TRUE(is_found(run_verify(stored_, settings), name)) << name << " extended";
    stored_.objects->damage(name, Bytes(bytes.begin(), bytes.end() - 1));
    EXPECT_TRUE(is_found(run_verify(stored_, settings), name)) << name << " truncated";
    stored_.objects->damage(name, bytes);
  }
}

}  // namespace
}  // namespace drs::test
