// Two pushes and a power cut on the simulated disk. The first push is killed, often just after it has linked a pack to
// its name; the second reuses the objects it finds; then the power fails. Every snapshot that a push reported as
// committed must restore.
//
//   DRSTREAM_TEST_FULL=1        10,000 cuts; parts and seeds: tests/campaign.h
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "engine/pipeline/push/push.h"
#include "engine/repository/snapshots.h"
#include "io/sim_file_system.h"
#include "sinks/local/local_store.h"
#include "tests/campaign.h"
#include "tests/engine/pipeline/push/buffer_source.h"
#include "tests/engine/pipeline/read_back.h"
#include "tests/io/forwarding_file_system.h"

namespace drs {
namespace {

// The disk as seen by one process, which is killed at some point. From then on its calls have no effect.
// Writes of a ring may continue, since they go to files without a name.
class MortalFileSystem final : public test::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  // Kill the process after the nth link into packs/ or index/ (1: the first), or at the nth call of any kind.
  void die_after_link(std::uint64_t nth) { deadly_link_ = nth; }
  void die_at_call(std::uint64_t nth) { deadly_call_ = nth; }

  Result<void> link(const std::string& from, const std::string& to) override {
    if (dead_) return before_call();
    auto linked = ForwardingFileSystem::link(from, to);
    if ((to.starts_with("packs/") || to.starts_with("index/")) && ++links_ == deadly_link_) dead_ = true;
    return linked;
  }

 private:
  Result<void> before_call() override {
    if (++calls_ == deadly_call_) dead_ = true;
    if (dead_) return Error(ErrorCode::kIo, "the process was killed");
    return {};
  }
  std::uint64_t deadly_link_ = 0;
  std::uint64_t deadly_call_ = 0;
  std::atomic<std::uint64_t> links_ = 0;
  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<bool> dead_ = false;
};

class PushPowerCut : public testing::Test {
 protected:
  static Secret key() { return {SlotKind::kRawKey, SecretBytes(32)}; }
  static std::unique_ptr<ObjectStore> store_on(std::shared_ptr<FileSystem> files) {
    auto store = open_local_store(std::move(files), {.parallel = 2});
    EXPECT_TRUE(store.ok());
    return *std::move(store);
  }
  Result<std::unique_ptr<Repository>> open(std::shared_ptr<FileSystem> files) {
    return Repository::open(store_on(std::move(files)), clock_, key(), best_crypto_backend());
  }
  // Opens everything anew, as another process would.
  Result<Manifest> push_from(std::shared_ptr<FileSystem> files, ByteView stream, const std::string& name) {
    DRS_ASSIGN_OR_RETURN(const auto repository, open(std::move(files)));
    PushOptions options;
    options.stream = name;
    options.compression = *parse_compression("none");
    DRS_ASSIGN_OR_RETURN(const PushMemory memory,
                         plan_push({.memory_bytes = kMemoryBytesMin, .threads = 1}, options.compression));
    DRS_ASSIGN_OR_RETURN(BufferArena arena, BufferArena::map(memory.arena_bytes));
    ProgressCounters progress;
    CancelToken cancel;
    BufferSource source(stream);
    DRS_ASSIGN_OR_RETURN(PushReport report, push(*repository, source, options, {memory, arena}, {progress, cancel}));
    return std::move(report.manifest);
  }
  void cut(std::uint64_t seed);

  SystemClock clock_;
  std::uint64_t reused_ = 0;     // cuts after the second push committed without storing anything new
  std::uint64_t committed_ = 0;  // pushes that reported success
};

Bytes stream_of(std::mt19937_64& random, std::size_t bytes) {
  Bytes out(bytes);
  for (Byte& byte : out) byte = static_cast<Byte>(random());
  return out;
}

void PushPowerCut::cut(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto disk = std::make_shared<SimFileSystem>(seed);
  disk->set_short_transfers(false);
  InitOptions options;
  options.secret = key();
  ASSERT_TRUE(Repository::init(*store_on(disk), clock_, options).ok());

  const Bytes stream = stream_of(random, 100'000 + random() % 300'000);
  std::vector<std::pair<Manifest, const Bytes*>> committed;
  const auto note = [&](const Result<Manifest>& pushed, const Bytes& what) {
    if (pushed.ok()) committed.emplace_back(*pushed, &what);
  };
  const Bytes before = stream_of(random, 50'000);
  if (random() % 2 == 0) note(push_from(disk, before, "s"), before);
  // The first push, which is killed.
  const auto mortal = std::make_shared<MortalFileSystem>(disk);
  if (random() % 4 != 0)
    mortal->die_after_link(1 + random() % 2);
  else
    mortal->die_at_call(1 + random() % 120);
  Result<Manifest> first = Error(ErrorCode::kCancelled, "not run");
  std::thread beside;
  const bool at_once = random() % 2 == 0;
  if (at_once)
    beside = std::thread([&] { first = push_from(mortal, stream, "s"); });
  else
    first = push_from(mortal, stream, "s");
  // The second push, of the same stream or of one with the same beginning.
  Bytes second_stream = stream;
  if (random() % 3 == 0) {
    const Bytes more = stream_of(random, 30'000);
    second_stream.insert(second_stream.end(), more.begin(), more.end());
  }
  if (random() % 4 == 0) disk->halt_at(disk->operations_seen() + 1 + random() % 150);
  const auto second = push_from(disk, second_stream, "t");
  if (beside.joinable()) beside.join();
  note(first, stream);
  note(second, second_stream);
  committed_ += committed.size();
  reused_ += second.ok() && second->new_bytes == 0 ? 1U : 0U;

  disk->power_cut();
  const auto repository = open(disk);
  ASSERT_TRUE(repository.ok()) << repository.error().message;
  const auto catalog = load_snapshots(**repository);
  ASSERT_TRUE(catalog.ok()) << catalog.error().message;
  EXPECT_TRUE(catalog->broken.empty());
  for (const auto& [manifest, bytes] : committed) {
    const auto live = std::find_if(catalog->live.begin(), catalog->live.end(), [&](const Snapshot& snapshot) {
      return snapshot.manifest.session == manifest.session;
    });
    EXPECT_NE(live, catalog->live.end()) << "a committed snapshot is missing";
    const auto back = test::read_back(**repository, manifest);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_TRUE(*back == *bytes) << "a committed snapshot restores to other bytes";
  }
  for (const Snapshot& snapshot : catalog->live) {
    const auto manifest = read_manifest(**repository, (*repository)->store(), snapshot);
    ASSERT_TRUE(manifest.ok()) << manifest.error().message;
    const auto back = test::read_back(**repository, *manifest);
    EXPECT_TRUE(back.ok()) << "a visible snapshot does not restore: " << (back.ok() ? "" : back.error().message);
  }
}

TEST_F(PushPowerCut, LosesNothingThatWasCommittedOnWhatAKilledPushHadJustNamed) {
  const auto [part, parts] = test::campaign_part();
  const std::uint64_t cuts = test::is_full_run() ? 10'000 : 60;
  std::uint64_t made = 0;
  for (std::uint64_t number = part; number < cuts && !HasFailure(); number += parts) {
    const std::uint64_t seed = test::campaign_seed() + number;
    SCOPED_TRACE("seed " + std::to_string(seed));
    cut(seed);
    ++made;
  }
  std::printf("%llu power cuts, %llu pushes committed, %llu of the second pushes stored nothing new\n",
              static_cast<unsigned long long>(made), static_cast<unsigned long long>(committed_),
              static_cast<unsigned long long>(reused_));
  EXPECT_GT(reused_, made / 10);
}

}  // namespace
}  // namespace drs
