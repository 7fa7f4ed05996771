#include "verify/verify.h"

#include <gtest/gtest.h>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/index.h"
#include "engine/format/manifest.h"
#include "engine/format/names.h"
#include "tests/sinks/hook_store.h"
#include "tests/verify/check_runs.h"
#include "verify/index_object.h"

namespace drs::test {
namespace {

class VerifyTest : public StoredRepositoryTest {
 protected:
  // "stream snapshot-number offset bytes" of each range.
  std::vector<std::string> ranges(const Finding& finding) {
    std::vector<std::string> texts;
    for (const AffectedRange& range : finding.affected) {
      const char* number = range.snapshot_id == stored_.session_1.hex()   ? "1"
                           : range.snapshot_id == stored_.session_2.hex() ? "2"
                                                                          : "3";
      texts.push_back(range.stream + " " + number + " " + std::to_string(range.offset_bytes) + " " +
                      std::to_string(range.bytes));
    }
    EXPECT_EQ(finding.affected_count, finding.affected.size());
    return texts;
  }
  std::string text(const char* snapshot, std::uint64_t offset, std::uint64_t bytes) {
    return std::string(snapshot) + " " + std::to_string(offset) + " " + std::to_string(bytes);
  }

  const std::uint64_t x_bytes_ = stored_.block_x.record.raw_bytes;
  const std::uint64_t y_bytes_ = stored_.block_y.record.raw_bytes;
  const std::uint64_t z_bytes_ = stored_.block_z.record.raw_bytes;
  // Lengths of the runs of snapshot 2.
  const std::uint64_t run_x_ = stored_.block_x.chunks[1].bytes + stored_.block_x.chunks[2].bytes;
  const std::uint64_t run_y_ = stored_.block_y.chunks[1].bytes;
};

TEST_F(VerifyTest, TellsWhichBytesOfWhichSnapshotsADamagedBlockTakes) {
  flip(stored_.pack_first, stored_.block_y.record.offset_bytes + 3);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(stored_.pack_first);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(run.report.findings.size(), 1U) << described(run.report.findings);
  EXPECT_EQ(finding->severity, Finding::Severity::kDamage);
  EXPECT_NE(finding->problem.find("1 of its 3 blocks"), std::string::npos) << finding->problem;
  EXPECT_EQ(ranges(*finding),
            (std::vector<std::string>{text("db 1", x_bytes_, y_bytes_), text("db 2", run_x_ + z_bytes_, run_y_)}));
}

TEST_F(VerifyTest, WarnsWherePacksAreThereAndNoSnapshot) {
  EXPECT_EQ(run_verify(stored_).about("packs/"), nullptr);
  for (const std::string& name : stored_.names())
    if (name.starts_with("manifests/") || name.starts_with("removed/")) stored_.objects->erase(name);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about("packs/");
  ASSERT_NE(finding, nullptr) << described(run.report.findings);
  EXPECT_EQ(finding->severity, Finding::Severity::kWarning);
  EXPECT_NE(finding->problem.find("3 packs with "), std::string::npos) << finding->problem;
  EXPECT_NE(finding->problem.find("--expect-head"), std::string::npos) << finding->problem;
}

TEST_F(VerifyTest, DamageOfAManifestWhoseSnapshotWasRemovedIsAWarning) {
  const std::string manifest = "manifests/" + stored_.removed.substr(std::string("removed/").size());
  ASSERT_TRUE(stored_.objects->insert(manifest, Bytes(100), 0));
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(manifest);
  ASSERT_NE(finding, nullptr) << described(run.report.findings);
  EXPECT_EQ(finding->severity, Finding::Severity::kWarning);
  EXPECT_NE(finding->problem.find("unforget"), std::string::npos) << finding->problem;
  stored_.objects->erase(stored_.removed);
  const CheckRun unmarked = run_verify(stored_);
  ASSERT_NE(unmarked.about(manifest), nullptr);
  EXPECT_EQ(unmarked.about(manifest)->severity, Finding::Severity::kDamage);
}

TEST_F(VerifyTest, JoinsTheRangesOfNeighbouringBlocks) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  flip(stored_.pack_first, stored_.block_y.record.offset_bytes);
  const Finding* finding = run_verify(stored_).about(stored_.pack_first);
  const CheckRun run = run_verify(stored_);
  finding = run.about(stored_.pack_first);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(ranges(*finding), (std::vector<std::string>{text("db 1", 0, x_bytes_ + y_bytes_), text("db 2", 0, run_x_),
                                                        text("db 2", run_x_ + z_bytes_, run_y_)}));
}

TEST_F(VerifyTest, TakesAWholePartWhenItsRecipeIsDamaged) {
  // The recipe is the last seal before the table: it follows block y.
  flip(stored_.pack_first, stored_.block_y.record.offset_bytes + stored_.block_y.record.sealed_bytes + 1);
  const CheckRun read = run_verify(stored_);
  ASSERT_NE(read.about(stored_.pack_first), nullptr);
  EXPECT_EQ(ranges(*read.about(stored_.pack_first)),
            std::vector<std::string>{text("db 1", 0, stored_.stream_1.size())});
  // The structure check reads recipes, so it finds this, too.
  VerifySettings settings;
  settings.read_data = false;
  const CheckRun structure = run_verify(stored_, settings);
  ASSERT_NE(structure.about(stored_.pack_first), nullptr);
  EXPECT_EQ(ranges(*structure.about(stored_.pack_first)),
            std::vector<std::string>{text("db 1", 0, stored_.stream_1.size())});
}

TEST_F(VerifyTest, TellsWhatAMissingPackTakes) {
  for (const bool read_data : {false, true}) {
    stored_.objects->erase(stored_.pack_second);
    VerifySettings settings;
    settings.read_data = read_data;
    const CheckRun run = run_verify(stored_, settings);
    const Finding* finding = run.about(stored_.pack_second);
    ASSERT_NE(finding, nullptr);
    EXPECT_EQ(run.report.findings.size(), 1U) << described(run.report.findings);
    // The pack holds their recipes.
    EXPECT_EQ(ranges(*finding),
              (std::vector<std::string>{text("db 2", 0, stored_.stream_2.size()), text("gone 3", 0, z_bytes_)}));
  }
}

TEST_F(VerifyTest, TellsWhatAPackOfAnotherSizeTakes) {
  Bytes longer = stored_.object(stored_.pack_first);
  longer.push_back(0);
  stored_.objects->damage(stored_.pack_first, longer);
  VerifySettings settings;
  settings.read_data = false;
  settings.read_only = false;
  const CheckRun run = run_verify(stored_, settings);
  const Finding* finding = run.about(stored_.pack_first);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(ranges(*finding).front(), text("db 1", 0, stored_.stream_1.size()));
  EXPECT_TRUE(is_marked(stored_.pack_first_digest));
}

TEST_F(VerifyTest, NamesTheSnapshotWhenNothingElseRemembersTheBlock) {
  stored_.objects->erase(stored_.pack_first);
  stored_.objects->erase(stored_.index_first);
  const CheckRun run = run_verify(stored_);
  const Finding* first = run.about(stored_.manifest_1);
  const Finding* second = run.about(stored_.manifest_2);
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(ranges(*first), std::vector<std::string>{text("db 1", 0, stored_.stream_1.size())});
  EXPECT_EQ(ranges(*second),
            (std::vector<std::string>{text("db 2", 0, run_x_), text("db 2", run_x_ + z_bytes_, run_y_)}));
}

TEST_F(VerifyTest, SaysThatPacksWithoutAnIndexAreStillRead) {
  stored_.objects->erase(stored_.index_second);
  VerifySettings settings;
  settings.rebuild = true;
  const CheckRun run = run_verify(stored_, settings);
  ASSERT_EQ(run.report.findings.size(), 1U) << described(run.report.findings);
  EXPECT_EQ(run.report.findings[0].severity, Finding::Severity::kWarning);
  EXPECT_EQ(run.report.findings[0].problem.find("2 packs are not covered by an index object"), 0U);
  EXPECT_NE(run.report.findings[0].problem.find("drstream repair index"), std::string::npos);
  EXPECT_EQ(run.report.snapshots_rebuilt, 3U);
}

TEST_F(VerifyTest, SaysThatADamagedIndexObjectCanBeRebuilt) {
  flip(stored_.index_first, 20);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(stored_.index_first);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Finding::Severity::kDamage);
  EXPECT_NE(finding->problem.find("next: drstream repair index"), std::string::npos);
  EXPECT_EQ(finding->affected_count, 0U);
}

TEST_F(VerifyTest, CallsAMissingPredecessorADeletion) {
  stored_.objects->erase(stored_.manifest_1);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(stored_.manifest_1);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->severity, Finding::Severity::kDeletion);
  EXPECT_NE(finding->problem.find(stored_.manifest_2), std::string::npos);
}

TEST_F(VerifyTest, MarksADamagedPackAndTakesTheMarkBackOnceItIsWhole) {
  VerifySettings settings;
  settings.read_only = false;
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  EXPECT_EQ(run_verify(stored_, settings).report.marked, 1U);
  ASSERT_TRUE(is_marked(stored_.pack_first_digest));
  EXPECT_EQ(run_verify(stored_, settings).report.marked, 0U);

  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  settings.read_only = true;
  CheckRun run = run_verify(stored_, settings);
  EXPECT_TRUE(is_marked(stored_.pack_first_digest));
  EXPECT_FALSE(run.detected()) << described(run.report.findings);

  settings.read_only = false;
  run = run_verify(stored_, settings);
  EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
  EXPECT_EQ(run.report.unmarked, 1U);
  EXPECT_FALSE(is_marked(stored_.pack_first_digest));
}

TEST_F(VerifyTest, LeavesNoTraceWhenReadOnly) {
  flip(stored_.pack_first, stored_.block_x.record.offset_bytes);
  const auto names = stored_.names();
  VerifySettings settings;
  settings.rebuild = true;
  EXPECT_EQ(run_verify(stored_, settings).report.marked, 0U);
  EXPECT_EQ(stored_.names(), names);
}

// Adds `pack` and, if wanted, an index object with the chunk ids and records of `blocks`.
void store_index(const StoredRepository& stored, const PackWriter& pack, const std::vector<TableBlock>& blocks) {
  const auto repository = stored.open();
  const Bytes object = encode_index((*repository)->keys(), CryptoBackend::kOpenssl,
                                    {{{pack.digest, pack.size_bytes, pack.salt()}, blocks}}, 1);
  stored.objects->insert(index_name(sha256(object)), object, 0);
}

TEST_F(VerifyTest, RecomputesChunkIds) {
  const auto repository = stored_.open();
  const auto store = stored_.store();
  Uuid session;
  session.data.fill(77);
  PackWriter pack((*repository)->keys(), session);
  pack.add_data_with_wrong_chunk_id({sample_bytes(100, 50), sample_bytes(90, 51)});
  pack.store(*store);
  store_index(stored_, pack, pack.blocks);
  VerifySettings settings;
  settings.read_data = false;
  EXPECT_FALSE(run_verify(stored_, settings).detected());
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(pack_name(pack.digest));
  ASSERT_NE(finding, nullptr);
  EXPECT_NE(finding->problem.find("chunk 1 has id"), std::string::npos) << finding->problem;
}

TEST_F(VerifyTest, ComparesTheIndexWithTheTablesOfPacks) {
  const auto repository = stored_.open();
  const auto store = stored_.store();
  Uuid session;
  session.data.fill(77);
  PackWriter pack((*repository)->keys(), session);
  pack.add_data({sample_bytes(100, 50), sample_bytes(90, 51)}, Codec::kRaw);
  pack.add_data({sample_bytes(70, 52)}, Codec::kRaw);
  pack.store(*store);
  std::vector<TableBlock> other_id = pack.blocks;
  other_id[0].chunks[0].id.data[9] ^= 1;
  std::vector<TableBlock> other_offset = pack.blocks;
  other_offset[1].record.offset_bytes -= 1;
  const std::vector<TableBlock> one_less = {pack.blocks[0]};
  for (const auto& blocks : {other_id, other_offset, one_less}) {
    store_index(stored_, pack, blocks);
    const CheckRun run = run_verify(stored_);
    EXPECT_EQ(run.report.findings.size(), 1U) << described(run.report.findings);
    EXPECT_TRUE(run.detected());
    EXPECT_EQ(run.report.findings[0].object.find("index/"), 0U);
    const auto names = stored_.names();
    for (const std::string& name : names)
      if (name.starts_with("index/") && !stored_.built.contains(name)) stored_.objects->erase(name);
  }
}

// An index object whose sections are all correctly sealed, but whose hooks differ from its chunk lists.
TEST_F(VerifyTest, HoldsTheHooksOfAnIndexAgainstItsChunkLists) {
  const auto repository = stored_.open();
  const RepositoryKeys& keys = (*repository)->keys();
  Uuid session;
  session.data.fill(77);
  PackWriter pack(keys, session);
  std::vector<Bytes> chunks;
  for (std::uint32_t i = 0; i < 512; ++i) chunks.push_back(sample_bytes(40 + i % 50, 300 + i));  // one in 16 is a hook
  pack.add_data(chunks, Codec::kRaw);
  pack.store(*stored_.store());
  const Salt salt{};
  Bytes object = encode_index(keys, CryptoBackend::kOpenssl,
                              {{{pack.digest, pack.size_bytes, pack.salt()}, pack.blocks}}, 1, &salt);
  const auto store = stored_.store();
  stored_.objects->insert(index_name(sha256(object)), object, 0);
  EXPECT_FALSE(run_verify(stored_).detected());
  const auto opened = IndexObject::open(**repository, *store, {index_name(sha256(object)), object.size()});
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  auto hooks = opened->read_hooks(*store);
  ASSERT_TRUE(hooks.ok() && !hooks->empty());
  stored_.objects->erase(index_name(sha256(object)));

  hooks->back().word ^= std::uint64_t{1} << 63;
  const ObjectSealer sealer(keys, ObjectKind::kIndex, "", CryptoBackend::kOpenssl, &salt);
  sealer.seal(hooks_label(opened->summary()), encode_index_hooks(*hooks),
              MutableByteView(object).subspan(static_cast<std::size_t>(opened->summary().hooks_offset_bytes),
                                              opened->summary().hooks_sealed_bytes));
  stored_.objects->insert(index_name(sha256(object)), object, 0);
  const CheckRun run = run_verify(stored_);
  ASSERT_NE(run.about(index_name(sha256(object))), nullptr) << described(run.report.findings);
  EXPECT_NE(run.about(index_name(sha256(object)))->problem.find("hooks differ from its chunk lists"),
            std::string::npos);
}

TEST_F(VerifyTest, HoldsAPackAgainstItsName) {
  Digest other = stored_.pack_first_digest;
  other.data[31] ^= 1;
  stored_.objects->insert(pack_name(other), stored_.object(stored_.pack_first), 0);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(pack_name(other));
  ASSERT_NE(finding, nullptr) << described(run.report.findings);
  EXPECT_NE(finding->problem.find(stored_.pack_first_digest.hex() + ", expected its name"), std::string::npos);
}

TEST_F(VerifyTest, CountsOnlyWhatItRead) {
  const CheckRun whole = run_verify(stored_);
  EXPECT_EQ(whole.report.bytes_read, whole.report.packs_bytes);
  VerifySettings settings;
  settings.read_data = false;
  EXPECT_EQ(run_verify(stored_, settings).report.bytes_read, 0U);
  const std::uint64_t second_bytes = stored_.object(stored_.pack_second).size();
  stored_.objects->damage(stored_.pack_second, Bytes());
  const CheckRun some = run_verify(stored_);
  EXPECT_EQ(some.report.bytes_read, whole.report.packs_bytes - second_bytes);
}

// Writes a snapshot of one run. Its chunks and its stream digest may be wrong.
class LyingSnapshot {
 public:
  LyingSnapshot(StoredRepository& stored, const Run& run, bool right_digest, const std::string& stream = "lie") {
    const auto repository = stored.open();
    const RepositoryKeys& keys = (*repository)->keys();
    Uuid session;
    session.data.fill(88);
    RecipePart part;
    part.stream_bytes = run.bytes;
    part.blocks = {stored.block_x.record.id};
    part.runs = {run};
    PackWriter pack(keys, session);
    const BlockId recipe = pack.add_recipe(part);
    const auto store = stored.store();
    pack.store(*store);
    store_index(stored, pack, pack.blocks);
    const ByteView bytes = ByteView(stored.stream_1).subspan(run.offset_bytes, static_cast<std::size_t>(run.bytes));
    Manifest manifest;
    manifest.stream = stream;
    manifest.session = session;
    manifest.config_digest = (*repository)->config_digest();
    Digest digest = sha256(bytes);
    if (!right_digest) digest.data[0] ^= 1;
    manifest.set_stream({.label = {},
                         .session = session,
                         .bytes = run.bytes,
                         .sha256 = digest,
                         .xxh3 = xxh3_128(bytes),
                         .chunk_count = 0,
                         .parts = {{recipe, 0, run.bytes}}});
    name = manifest_name(keys.stream_tag(stream), session);
    stored.objects->insert(name, encode_document(keys, ObjectKind::kManifest, name, *encode_manifest(manifest)), 0);
  }
  std::string name;
};

TEST_F(VerifyTest, HoldsEveryRunAgainstTheTrueLengthsOfItsChunks) {
  const auto& chunks = stored_.block_x.chunks;
  // The bytes are right, but they are not chunk 1: only the chunk lengths show this.
  const LyingSnapshot lie(stored_, {0, 1, 1, chunks[0].bytes, chunks[1].bytes - 1U}, true);
  VerifySettings settings;
  settings.read_data = false;
  EXPECT_FALSE(run_verify(stored_, settings).detected());
  const CheckRun run = run_verify(stored_);
  ASSERT_NE(run.about(lie.name), nullptr) << described(run.report.findings);
  EXPECT_EQ(run.about(lie.name)->affected_count, 1U);
}

TEST_F(VerifyTest, HoldsEveryRunAgainstTheLengthOfItsBlock) {
  const LyingSnapshot lie(stored_, {0, 0, 4, 0, x_bytes_}, true);
  VerifySettings settings;
  settings.read_data = false;
  const CheckRun run = run_verify(stored_, settings);
  ASSERT_NE(run.about(lie.name), nullptr) << described(run.report.findings);
}

TEST_F(VerifyTest, ComparesARebuiltSnapshotWithItsDigest) {
  const LyingSnapshot lie(stored_, {0, 0, 3, 0, x_bytes_}, false);
  EXPECT_FALSE(run_verify(stored_).detected());
  VerifySettings settings;
  settings.read_data = false;
  settings.rebuild = true;
  const CheckRun run = run_verify(stored_, settings);
  ASSERT_NE(run.about(lie.name), nullptr);
  EXPECT_NE(run.about(lie.name)->problem.find("SHA-256"), std::string::npos);
  EXPECT_EQ(run.report.snapshots_rebuilt, 3U);
}

TEST_F(VerifyTest, RebuildsBehindADamagedBlockAndSaysWhatIsMissing) {
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);
  VerifySettings settings;
  settings.read_data = false;
  settings.rebuild = true;
  const CheckRun run = run_verify(stored_, settings);
  const Finding* finding = run.about(stored_.pack_second);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(ranges(*finding), (std::vector<std::string>{text("db 2", run_x_, z_bytes_), text("gone 3", 0, z_bytes_)}));
  EXPECT_EQ(run.report.snapshots_rebuilt, 1U);
}

TEST_F(VerifyTest, APackFoundAbsentOnTheWayIsToldOfSnapshotsThatWereCheckedBefore) {
  // Its stream "aa" is checked first; its recipe is in another pack.
  const LyingSnapshot first(stored_, {0, 0, 3, 0, x_bytes_}, true, "aa");
  VerifySettings settings;
  settings.read_data = false;
  const CheckRun run = run_verify(stored_, settings, [&](Repository& repository) {
    repository.replace_store(std::make_unique<HookStore>(stored_.store(), only_listed({stored_.pack_first})));
  });
  ASSERT_EQ(run.report.damaged_snapshots.size(), 3U) << described(run.report.findings);
  EXPECT_EQ(run.report.damaged_snapshots[0].stream, "aa");
}

TEST_F(VerifyTest, ReadsABlockFromItsOtherCopyWhenOnePackIsDamaged) {
  // A second pack with the same blocks.
  const auto repository = stored_.open();
  const auto store = stored_.store();
  PackWriter copy((*repository)->keys(), stored_.session_2);
  Bytes plain(stored_.stream_2.begin() + static_cast<std::ptrdiff_t>(run_x_),
              stored_.stream_2.begin() + static_cast<std::ptrdiff_t>(run_x_ + z_bytes_));
  const auto first_bytes = stored_.block_z.chunks[0].bytes;
  copy.add_data({Bytes(plain.begin(), plain.begin() + first_bytes), Bytes(plain.begin() + first_bytes, plain.end())},
                Codec::kRaw);
  ASSERT_EQ(copy.blocks[0].record.id, stored_.block_z.record.id);
  copy.store(*store);
  store_index(stored_, copy, copy.blocks);
  flip(stored_.pack_second, stored_.block_z.record.offset_bytes);
  VerifySettings settings;
  settings.read_only = false;
  const CheckRun run = run_verify(stored_, settings);
  const Finding* finding = run.about(stored_.pack_second);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->affected_count, 0U);
}

TEST_F(VerifyTest, ReadsPacksThatAreLargerThanItsBuffers) {
  const auto repository = stored_.open();
  const auto store = stored_.store();
  Uuid session;
  session.data.fill(77);
  PackWriter pack((*repository)->keys(), session);
  for (std::uint32_t block = 0; block < 5; ++block) {
    std::vector<Bytes> chunks;
    for (std::uint32_t i = 0; i < 17; ++i) chunks.push_back(sample_bytes(60'000, 100 * block + i));
    pack.add_data(chunks, Codec::kRaw);
  }
  pack.store(*store);
  store_index(stored_, pack, pack.blocks);
  for (const std::size_t threads : {1U, 3U}) {
    VerifySettings settings;
    settings.threads = threads;
    settings.memory_bytes = 96 * kMiB;
    const CheckRun run = run_verify(stored_, settings);
    EXPECT_FALSE(run.error);
    EXPECT_TRUE(run.report.findings.empty()) << described(run.report.findings);
    EXPECT_EQ(run.report.blocks_decoded, 12U);
    EXPECT_EQ(run.report.bytes_read, run.report.packs_bytes);
  }
  // The third block lies across the end of the first piece of 2 MiB.
  const BlockRecord& record = pack.blocks[2].record;
  flip(pack_name(pack.digest), record.offset_bytes + record.sealed_bytes - 1);
  const CheckRun run = run_verify(stored_);
  const Finding* finding = run.about(pack_name(pack.digest));
  ASSERT_NE(finding, nullptr);
  EXPECT_NE(finding->problem.find("1 of its 5 blocks is damaged"), std::string::npos) << finding->problem;
}

TEST_F(VerifyTest, GivesTheSameAnswerOnSeveralThreads) {
  flip(stored_.pack_first, stored_.block_y.record.offset_bytes);
  flip(stored_.index_second, 100);
  flip(stored_.session_object, 100);
  stored_.objects->erase(stored_.pack_orphan);
  VerifySettings settings;
  const CheckRun one = run_verify(stored_, settings);
  settings.threads = 4;
  settings.memory_bytes = 256 * kMiB;
  const CheckRun four = run_verify(stored_, settings);
  EXPECT_EQ(described(one.report.findings), described(four.report.findings));
  EXPECT_EQ(one.report.blocks_decoded, four.report.blocks_decoded);
}

TEST_F(VerifyTest, StopsWhenCancelled) {
  const auto repository = stored_.open();
  const auto catalog = load_snapshots(**repository);
  ProgressCounters progress;
  CancelToken cancel;
  cancel.cancel();
  for (const bool read_data : {false, true}) {
    VerifyOptions options;
    options.read_data = read_data;
    EXPECT_EQ(verify(**repository, *catalog, options, progress, cancel).error().code, ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace drs::test
