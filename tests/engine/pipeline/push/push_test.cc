#include "engine/pipeline/push/push.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <new>
#include <random>
#include <set>
#include <thread>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_texts.h"
#include "engine/format/names.h"
#include "engine/repository/snapshot_selection.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/push/push_fixture.h"
#include "tests/sinks/hook_store.h"

namespace drs {
namespace {

using test::PushTest;
using test::random_stream;
using test::text_stream;

TEST_F(PushTest, StoresAStreamThatReadsBackIdentical) {
  for (const std::size_t bytes : {1UL, 100UL, 8191UL, 65534UL, 65535UL, 2UL << 20, (2UL << 20) + 1, 30UL << 20}) {
    const Bytes stream = bytes % 2 == 0 ? text_stream(1, bytes) : random_stream(2, bytes);
    const auto report = push_bytes(stream);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->manifest.bytes, bytes);
    EXPECT_EQ(*report->manifest.sha256, sha256(stream));
    const auto back = read_back(report->manifest);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(*back == stream) << bytes;
  }
}

TEST_F(PushTest, StoresNothingNewForAStreamItKnows) {
  const Bytes stream = random_stream(3, 20 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  const auto again = push_bytes(stream);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->manifest.new_bytes, 0U);
  EXPECT_EQ(again->manifest.sequence, 2U);
  EXPECT_EQ(*read_back(again->manifest), stream);
}

TEST_F(PushTest, FindsRepeatsWithinOneStream) {
  Bytes stream = random_stream(4, 5 << 20);
  const Bytes copy = stream;
  for (int i = 0; i < 4; ++i) stream.insert(stream.end(), copy.begin(), copy.end());
  const auto report = push_bytes(stream, 4);
  ASSERT_TRUE(report.ok());
  EXPECT_LT(report->manifest.new_bytes, copy.size() + 8 * 65536);
  EXPECT_EQ(*read_back(report->manifest), stream);
  const Bytes zeros(50 << 20);
  const auto flat = push_bytes(zeros);
  ASSERT_TRUE(flat.ok());
  EXPECT_LT(flat->manifest.new_bytes, 200'000U);
  EXPECT_EQ(*read_back(flat->manifest), zeros);
}

TEST_F(PushTest, LocksAnewWhatASnapshotReuses) {
  const auto names = [&](std::string_view prefix) {
    std::set<std::string> found;
    for (const ObjectInfo& info : objects_->list(prefix)) found.insert(info.key);
    return found;
  };
  const Bytes stream = text_stream(7, 6 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  PushOptions other;
  other.stream = "test/other";
  ASSERT_TRUE(push_bytes(random_stream(8, 3 << 20), 2, other).ok());
  EXPECT_THAT(objects_->locked(), ::testing::IsEmpty());

  objects_->lock_objects();
  const auto packs = names("packs/");
  ASSERT_TRUE(push_bytes(stream).ok());
  const auto retained = objects_->locked();
  for (const std::string& name : names("config/")) EXPECT_TRUE(retained.contains(name)) << name;
  for (const std::string& name : names("keys/")) EXPECT_TRUE(retained.contains(name)) << name;
  // The push secures neither the other stream's packs and index objects nor those that it has put itself.
  std::size_t locked_packs = 0;
  for (const auto& [name, times] : retained) {
    // Config and slots are secured at the start, to detect a store that cannot lock, and again before the commit.
    EXPECT_EQ(times, name.starts_with("config/") || name.starts_with("keys/") ? 2 : 1) << name;
    if (name.starts_with("packs/")) {
      ++locked_packs;
      EXPECT_TRUE(packs.contains(name)) << name;
    }
  }
  EXPECT_EQ(locked_packs, 1U);
  EXPECT_EQ(packs.size(), 2U);
  EXPECT_EQ(std::count_if(retained.begin(), retained.end(),
                          [](const auto& entry) { return entry.first.starts_with("index/"); }),
            1);
}

TEST_F(PushTest, WantOfMemoryInTheStoresCallsEndsThePushAndNotTheProcess) {
  const auto hook = std::make_shared<test::StoreHook>();
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_), hook));
  for (const std::string_view where : {"name", "run"}) {
    std::mutex mutex;
    std::set<std::thread::id> names_packs;
    *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
      const std::lock_guard lock(mutex);
      if (operation == "name" && key.starts_with("packs/")) names_packs.insert(std::this_thread::get_id());
      if (operation == where && names_packs.contains(std::this_thread::get_id())) throw std::bad_alloc();
      return std::nullopt;
    };
    const auto report = push_bytes(random_stream(13, 30 << 20), 4);
    ASSERT_FALSE(report.ok()) << where;
    EXPECT_EQ(report.error().code, ErrorCode::kBusy) << report.error().message;
    EXPECT_TRUE(objects_->list("manifests/").empty());
  }
  *hook = nullptr;
  EXPECT_TRUE(push_bytes(random_stream(13, 3 << 20)).ok());
}

TEST_F(PushTest, CommitsNothingWhenWhatItReusesCannotBeSecured) {
  const Bytes stream = random_stream(12, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  objects_->lock_objects();
  const auto hook = std::make_shared<test::StoreHook>();
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_), hook));
  int secured = 0;
  *hook = [&](std::string_view operation, std::string_view) -> std::optional<Error> {
    if (operation != "secure" || ++secured < 2) return std::nullopt;
    return Error(ErrorCode::kIo, "a directory cannot be synced");
  };
  const auto report = push_bytes(stream);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kIo);
  EXPECT_EQ(objects_->list("manifests/").size(), 1U);
}

TEST_F(PushTest, IsNotStoppedByARepairThatReplacesTheIndexBesideIt) {
  const Bytes stream = random_stream(13, 3 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  objects_->lock_objects();
  const auto hook = std::make_shared<test::StoreHook>();
  repository_->replace_store(std::make_unique<test::HookStore>(make_memory_store(objects_), hook));
  int listed = 0;
  *hook = [&](std::string_view operation, std::string_view key) -> std::optional<Error> {
    // The second time is before the commit.
    if (operation == "list" && key == "config/" && ++listed == 2)
      for (const ObjectInfo& info : objects_->list("index/")) objects_->erase(info.key);
    return std::nullopt;
  };
  const auto report = push_bytes(stream);
  *hook = nullptr;
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(listed, 2);
  EXPECT_EQ(*read_back(report->manifest), stream);
}

TEST_F(PushTest, CopiesNewDataOnlyOnce) {
  const Bytes stream = text_stream(5, 64 << 20);
  const auto report = push_bytes(stream);
  ASSERT_TRUE(report.ok());
  EXPECT_LE(static_cast<double>(report->stats.copied_bytes), 1.05 * static_cast<double>(stream.size()));
}

TEST_F(PushTest, AccountsForEveryByteInEveryStage) {
  const Bytes stream = text_stream(9, 24 << 20);
  const auto report = push_bytes(stream);
  ASSERT_TRUE(report.ok());
  const PushStats& stats = report->stats;
  for (const PushStage stage :
       {PushStage::kRead, PushStage::kCut, PushStage::kStreamDigest, PushStage::kHash, PushStage::kDeduplicate})
    EXPECT_EQ(stats.stage(stage).bytes, stream.size()) << push_stage_name(stage);
  EXPECT_GE(stats.stage(PushStage::kCompress).bytes, report->manifest.new_bytes);  // it includes the recipe
  EXPECT_EQ(stats.stage(PushStage::kDecodeBack).bytes, stats.stage(PushStage::kCompress).bytes);
  EXPECT_LT(stats.stage(PushStage::kSeal).bytes, stats.stage(PushStage::kCompress).bytes);
  EXPECT_EQ(stats.stage(PushStage::kPackDigest).bytes, report->packs_bytes);
  EXPECT_EQ(stats.stage(PushStage::kStore).bytes, report->packs_bytes);
  for (std::size_t i = 0; i < kPushStages; ++i) EXPECT_GT(stats.stages[i].cpu_ns, 0U) << i;
  EXPECT_GT(stats.wall_ns, 0U);
  EXPECT_LT(stats.segments_free_min, stats.segments);
  EXPECT_LT(stats.pack_buffers_free_min, stats.pack_buffers);
}

TEST_F(PushTest, RewritesBlocksThatHaveBecomeSparse) {
  Bytes stream = random_stream(6, 32 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  std::uint64_t rewritten = 0;
  for (std::uint32_t day = 1; day <= 8; ++day) {
    std::mt19937_64 random(day);
    for (int i = 0; i < 600; ++i) stream[random() % stream.size()] ^= 0x55;
    const auto report = push_bytes(stream);
    ASSERT_TRUE(report.ok()) << report.error().message;
    rewritten += report->rewritten_bytes;
    ASSERT_EQ(*read_back(report->manifest), stream);
  }
  EXPECT_GT(rewritten, 0U);
}

// The pieces of a stream in another order: each piece yields a run of known chunks and a run of new ones.
Bytes shuffled(const Bytes& stream, std::size_t piece_bytes) {
  std::vector<std::size_t> order(stream.size() / piece_bytes);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
  Bytes out;
  for (const std::size_t piece : order) {
    const auto from = stream.begin() + static_cast<std::ptrdiff_t>(piece * piece_bytes);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(piece_bytes));
  }
  return out;
}

TEST_F(PushTest, StoresScatteredChunksAnewWhereRecipePartsWouldRunOut) {
  const Bytes stream = random_stream(7, 24 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  const Bytes scattered = shuffled(stream, 64 << 10);
  PushOptions options;
  options.recipe.small_part_bytes_max = 512;
  const auto described = push_bytes(scattered, 2, options);
  ASSERT_TRUE(described.ok()) << described.error().message;
  ASSERT_GT(described->manifest.streams.front().parts.size(), 6U) << "the stream is not scattered enough for this test";

  options.stream = "test/other";
  options.recipe.parts_scattered_max = 2;
  options.recipe.parts_max = 6;
  const auto report = push_bytes(shuffled(scattered, 48 << 10), 2, options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_LE(report->manifest.streams.front().parts.size(), 6U);
  EXPECT_GT(report->rewritten_bytes, scattered.size() / 5);  // which chunks, depends on the order of the workers
  EXPECT_EQ(*read_back(report->manifest), shuffled(scattered, 48 << 10));
}

TEST_F(PushTest, StoresLongRunsOfKnownChunksOnceEvenWhereRecipePartsRunOut) {
  const Bytes stream = random_stream(8, 24 << 20);
  ASSERT_TRUE(push_bytes(stream).ok());
  PushOptions options;
  options.recipe.parts_scattered_max = 0;
  const auto again = push_bytes(stream, 2, options);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_LT(again->manifest.new_bytes, stream.size() / 2);
  EXPECT_EQ(*read_back(again->manifest), stream);
}

TEST_F(PushTest, RefusesAStreamThatNoManifestCanDescribe) {
  PushOptions options;
  options.recipe.small_part_bytes_max = 80;
  options.recipe.parts_max = 3;
  const auto report = push_bytes(random_stream(9, 24 << 20), 2, options);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUsage);
  EXPECT_THAT(report.error().message, testing::HasSubstr("more than 3 parts"));
  EXPECT_TRUE(load_snapshots(*repository_)->live.empty());
}

TEST_F(PushTest, RefusesBeforeItReadsWhatNoManifestCanRecord) {
  std::vector<PushOptions> refused(3);
  refused[0].stream = std::string(kManifestStreamBytesMax + 1, 's');
  refused[1].gates.trailer_pattern = std::string(kManifestTrailerBytesMax + 1, 'x');
  for (int i = 0; i < 100; ++i) refused[2].tags["key" + std::to_string(i)] = std::string(1000, 'v');
  for (const PushOptions& options : refused) {
    BufferSource source(Bytes{});
    source.fail_at(0);
    const auto report = push_source(source, 2, options);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kUsage) << report.error().message;
  }
}

TEST_F(PushTest, CutsWhatItCannotRecordWhole) {
  PushOptions options;
  options.host = std::string(70'000, 'h');
  options.gates.tag_anomalies = true;
  options.gates.trailer_pattern = std::string(kManifestTrailerBytesMax, 'x');
  options.gates.bytes_min = 1000;
  for (int i = 0; i < 50; ++i) options.tags["key" + std::to_string(i)] = std::string(1000, 'v');
  options.tags["anomaly"] = std::string(5000, 'v');
  const auto report = push_bytes(random_stream(1, 100), 2, options);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->manifest.host.size(), kManifestHostBytesMax);
  EXPECT_EQ(report->manifest.tags.at("anomaly").size(), kAnomalyTagBytesMax);
  EXPECT_LE(tags_bytes(report->manifest.tags), kManifestTagsBytesMax);
}

TEST_F(PushTest, NamesTheManifestsThatItCouldNotReadAndIsTheLatestThen) {
  ASSERT_TRUE(push_bytes(text_stream(1, 1000)).ok());
  const auto rotten = push_bytes(text_stream(2, 1000));
  ASSERT_TRUE(rotten.ok());
  Bytes bytes = *objects_->find(rotten->manifest_name)->bytes;
  bytes[100] ^= 1;
  objects_->damage(rotten->manifest_name, bytes);
  const auto next = push_bytes(text_stream(3, 1000));
  ASSERT_TRUE(next.ok()) << next.error().message;
  EXPECT_EQ(next->manifest.sequence, 3U);
  EXPECT_EQ(next->manifest.unreadable, (std::vector<UnreadableManifest>{{rotten->manifest_name, sha256(bytes)}}));
  const auto catalog = load_snapshots(*repository_);
  ASSERT_TRUE(catalog.ok());
  Selector selector;
  selector.text = selector.stream = "test/stream";
  const auto latest = select_snapshot(*catalog, selector);
  ASSERT_TRUE(latest.ok()) << latest.error().message;
  EXPECT_EQ((*latest)->name, next->manifest_name);
}

TEST_F(PushTest, GivesNoSequenceNumberThatWasSeen) {
  ASSERT_TRUE(push_bytes(text_stream(1, 1000)).ok());
  PushOptions options;
  for (const auto& [seen, expected] : {std::pair{0U, 2U}, {1U, 3U}, {7U, 8U}, {7U, 9U}}) {
    options.sequence_seen = seen;
    const auto next = push_bytes(text_stream(2, 1000), 2, options);
    ASSERT_TRUE(next.ok()) << next.error().message;
    EXPECT_EQ(next->manifest.sequence, expected);
  }
  options.sequence_seen = UINT64_MAX;
  EXPECT_EQ(push_bytes(text_stream(2, 1000), 2, options).error().code, ErrorCode::kUsage);
}

TEST_F(PushTest, NamesABrokenManifestHoweverManyWarningsCameBefore) {
  const auto rotten = push_bytes(text_stream(1, 1000));
  ASSERT_TRUE(rotten.ok());
  objects_->damage(rotten->manifest_name, Bytes(10));
  for (Byte i = 0; i < kBrokenManifestsNamedMax; ++i) objects_->insert(condemned_name(Uuid{{i}}), Bytes(10), 0);
  const auto next = push_bytes(text_stream(2, 1000));
  ASSERT_TRUE(next.ok()) << next.error().message;
  EXPECT_THAT(next->warnings, testing::Contains(testing::StartsWith(rotten->manifest_name)));
}

TEST_F(PushTest, RefusesAStreamThatIsAnArchiveOfTopics) {
  Manifest manifest;
  manifest.stream = "test/stream";
  manifest.content = ManifestContent::kTopics;
  manifest.streams = {ManifestStream{}};
  insert(manifest);
  const auto refused = push_bytes(text_stream(1, 1000));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("archive of topics"), std::string::npos);
}

TEST_F(PushTest, RefusesAStreamThatHasNoSequenceNumberLeft) {
  Manifest manifest;
  manifest.stream = "test/stream";
  manifest.sequence = kManifestSequenceMax;
  manifest.set_stream({});
  insert(manifest);
  const auto refused = push_bytes(text_stream(1, 1000));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUsage);
  EXPECT_NE(refused.error().message.find("sequence numbers"), std::string::npos);
}

// A fence may appear at any time until the commit.
TEST_F(PushTest, AFenceMetAtTheCommitIsAConflict) {
  const Bytes stream = text_stream(1, 1000);
  BufferSource source(stream);
  source.at_end([&] {
    const auto session = parse_name(objects_->list("sessions/").at(0).key);
    const std::string name = manifest_name(session->tag, session->uuid);
    objects_->insert(name,
                     encode_document(repository_->keys(), ObjectKind::kFence, name,
                                     encode_fence({session->uuid, "test/stream", 1, "prune"})),
                     0);
  });
  const auto fenced = push_source(source);
  ASSERT_FALSE(fenced.ok());
  EXPECT_EQ(fenced.error().code, ErrorCode::kConflict) << fenced.error().message;
  EXPECT_TRUE(load_snapshots(*repository_)->live.empty());
}

TEST_F(PushTest, RefusesAnEmptyStreamUnlessAllowed) {
  const auto refused = push_bytes({});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kSource);
  PushOptions options;
  options.gates.allow_empty = true;
  const auto allowed = push_bytes({}, 2, options);
  ASSERT_TRUE(allowed.ok()) << allowed.error().message;
  EXPECT_EQ(allowed->manifest.bytes, 0U);
}

TEST_F(PushTest, ChecksTheTrailer) {
  PushOptions options;
  options.gates.trailer_pattern = "dump complete$";
  Bytes stream = text_stream(7, 3 << 20);
  EXPECT_EQ(push_bytes(stream, 2, options).error().code, ErrorCode::kLimitMissed);
  const std::string_view trailer = "--\n-- PostgreSQL database dump complete\n--\n";
  stream.insert(stream.end(), trailer.begin(), trailer.end());
  EXPECT_TRUE(push_bytes(stream, 2, options).ok());
  options.gates.trailer_pattern = "(";
  EXPECT_EQ(push_bytes(stream, 2, options).error().code, ErrorCode::kUsage);
}

TEST_F(PushTest, CommitsNothingWhenTheSourceFails) {
  const Bytes stream = random_stream(8, 10 << 20);
  BufferSource source(stream);
  source.fail_at(7 << 20);
  const auto report = push_source(source);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kSource);
  const auto snapshots = load_snapshots(*repository_);
  ASSERT_TRUE(snapshots.ok());
  EXPECT_TRUE(snapshots->live.empty());
}

TEST_F(PushTest, WorksWithEveryNumberOfThreadsAndCodec) {
  const Bytes stream = text_stream(9, 12 << 20);
  for (const std::size_t threads : {1UL, 3UL, 64UL})
    for (const char* compression : {"none", "lz4", "zstd:1", "zstd:19"}) {
      PushOptions options;
      options.stream = std::string("s/") + compression + std::to_string(threads);
      options.compression = *parse_compression(compression);
      if (options.compression.level == 19 && threads != 1) continue;
      const auto report = push_bytes(ByteView(stream).first(options.compression.level == 19 ? 3 << 20 : stream.size()),
                                     threads, options);
      ASSERT_TRUE(report.ok()) << report.error().message;
    }
}

}  // namespace
}  // namespace drs
