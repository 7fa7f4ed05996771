#include "tests/engine/pipeline/keeping/schedule_scene.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "codecs/sha256.h"
#include "engine/format/document.h"
#include "engine/format/manifest_object.h"
#include "engine/format/marks.h"
#include "engine/format/names.h"
#include "engine/repository/snapshots.h"
#include "io/base/error_class.h"
#include "sinks/object_io.h"
#include "tests/engine/pipeline/keeping/schedule_store.h"
#include "tests/engine/pipeline/read_back.h"

namespace drs::test {
namespace {

constexpr std::int64_t kBeginNs = 1'790'000'000LL * 1'000'000'000LL;

Secret secret() {
  Secret key{SlotKind::kRawKey, SecretBytes(32)};
  key.bytes.mutable_view()[0] = 1;
  return key;
}

}  // namespace

std::unique_ptr<Repository> open_repository_of(std::shared_ptr<MemoryObjects> objects, const Clock& clock) {
  auto opened = Repository::open(make_memory_store(std::move(objects), &clock), clock, secret(), best_crypto_backend());
  DRS_ASSERT(opened.ok(), "the repository of a schedule opens");
  return *std::move(opened);
}

std::shared_ptr<MemoryObjects> copy_of(const MemoryObjects& objects) {
  auto copy = std::make_shared<MemoryObjects>();
  for (const ObjectInfo& info : objects.list(""))
    copy->insert(info.key, *objects.find(info.key)->bytes, info.modified_ns);
  return copy;
}

Start::Start() : clock_(kBeginNs) {
  InitOptions options;
  options.secret = secret();
  options.tool_version = "test";
  DRS_ASSERT(Repository::init(*make_memory_store(objects_, &clock_), clock_, options).ok(), "init");
  repository_ = open_repository_of(objects_, clock_);
}

std::unique_ptr<Start> Start::replica() const {
  auto other = std::make_unique<Start>();
  other->clock_.advance(std::chrono::nanoseconds(now_ns() - other->now_ns()));
  other->objects_ = copy_of(*objects_);
  other->repository_ = open_repository_of(other->objects_, other->clock_);
  other->live_ = live_;
  return other;
}

Scene::Scene(const Start& start)
    : clock_(start.now_ns()), objects_(copy_of(start.objects())), committed_(start.live()) {}

void Scene::committed(StoredStream snapshot) {
  const std::lock_guard lock(mutex_);
  committed_.push_back(std::move(snapshot));
}

void Scene::will_be_removed(const std::string& manifest) {
  const std::lock_guard lock(mutex_);
  removed_.insert(manifest);
}

bool Scene::is_removed(const std::string& manifest) const {
  const std::lock_guard lock(mutex_);
  return removed_.contains(manifest);
}

void Scene::held(const std::string& manifest) {
  const std::lock_guard lock(mutex_);
  held_.insert(manifest);
}

void Scene::complain(const std::string& what) {
  const std::lock_guard lock(mutex_);
  complaints_.push_back(what);
}

void Scene::check_restores(Repository& repository, const std::string& manifest, const std::string& when) {
  const auto same = [&]() -> Result<bool> {
    DRS_ASSIGN_OR_RETURN(const Bytes object, get_object(repository.store(), manifest, kDocumentBytesMax));
    DRS_ASSIGN_OR_RETURN(const Manifest opened, open_manifest(repository.keys(), manifest, object));
    DRS_ASSIGN_OR_RETURN(const Bytes stream, read_back(repository, opened));
    return opened.streams.front().sha256 == sha256(stream);
  }();
  if (!same.ok())
    complain(when + ": " + manifest + " cannot be restored: " + same.error().message);
  else if (!*same)
    complain(when + ": " + manifest + " restores to other bytes");
}

void Scene::check_snapshots(const std::string& when) {
  const auto repository = open_repository_of(objects_, clock_);
  const auto catalog = load_snapshots(*repository);
  if (!catalog.ok()) return complain(when + ": snapshots cannot be listed: " + catalog.error().message);
  for (const BrokenManifest& broken : catalog->broken)
    complain(when + ": " + broken.name + ": " + broken.error.message);
  for (const MissingManifest& missing : catalog->missing) complain(when + ": " + missing.problem());
  std::set<std::string> live;
  for (const Snapshot& snapshot : catalog->live) {
    live.insert(snapshot.name);
    check_restores(*repository, snapshot.name, when);
  }
  std::set<std::string> held;
  {
    const std::lock_guard lock(mutex_);
    held = held_;
  }
  for (const std::string& manifest : held)
    if (!live.contains(manifest)) check_restores(*repository, manifest, when + ", held");
  const std::lock_guard lock(mutex_);
  for (const StoredStream& stored : committed_)
    if (!removed_.contains(stored.name) && !live.contains(stored.name))
      complaints_.push_back(when + ": " + stored.name + " is not live, although its writer reported success");
}

void Scene::check_end() {
  check_snapshots("at the end");
  if (!complaints_.empty()) return;
  // Fences the sessions of stopped actors, and ends what they left.
  clock_.advance(std::chrono::hours(24 * 30));
  const auto repository = open_repository_of(objects_, clock_);
  ProgressCounters progress;
  CancelToken cancel;
  PruneReport last;
  constexpr int kPrunesMax = 4;
  for (int i = 0; i < kPrunesMax; ++i) {
    clock_.advance(std::chrono::seconds(1));
    auto pruned = prune(*repository, prune_at_once(), {progress, cancel});
    if (!pruned.ok()) return complain("a prune at the end: " + pruned.error().message);
    last = *std::move(pruned);
    for (const std::string& problem : last.problems) complain("a prune at the end: " + problem);
  }
  check_snapshots("after more prunes");
  const auto left = [&](const char* what, std::uint64_t count) {
    if (count != 0) complain("after more prunes: " + std::to_string(count) + what);
  };
  left(" packs without live blocks are left", last.chosen.dead.size());
  left(" condemned packs are left", last.space.condemned_packs);
  left(" deletions wait", last.waiting.size());
  left(" session objects are left", objects_->list("sessions/").size());
  left(" waits are left", objects_->list("waits/").size());
}

Played play(const Start& start, const std::vector<Actor>& actors, Schedule& schedule, std::size_t first) {
  Scene scene(start);
  Turns turns(schedule, actors.size(), first, [&](std::chrono::nanoseconds time) { scene.clock().advance(time); });
  std::vector<std::unique_ptr<ClockBeside>> clocks;
  std::vector<std::unique_ptr<Repository>> repositories;
  for (std::size_t i = 0; i < actors.size(); ++i) {
    clocks.push_back(std::make_unique<ClockBeside>(scene.clock(), actors[i].clock_off));
    repositories.push_back(open_repository_of(scene.shared_objects(), *clocks.back()));
    repositories.back()->replace_store(
        std::make_unique<TurnStore>(make_memory_store(scene.shared_objects(), &scene.clock()), turns, i));
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < actors.size(); ++i)
    threads.emplace_back([&, i] {
      Part part{scene, *repositories[i], actors[i].name, [&turns, i] { return turns.is_disturbed(i); }};
      actors[i].act(part);
      turns.end(i);
    });
  for (std::thread& thread : threads) thread.join();
  turns.run_late();
  scene.check_end();
  return {turns.trace(), scene.complaints()};
}

std::string to_text(const Played& played, const std::vector<Actor>& actors) {
  ObjectLetters letters;
  std::string text;
  std::size_t number = 0;
  for (const Step& step : played.trace) {
    std::string line = std::to_string(number++);
    line.resize(5, ' ');
    line += actors[step.actor].name;
    line.resize(std::max<std::size_t>(line.size() + 1, 16), ' ');
    line += step.operation;
    line.resize(std::max<std::size_t>(line.size() + 1, 24), ' ');
    line += letters.name(step.key);
    switch (step.fault) {
      case Fault::kNone: break;
      case Fault::kStop: line += "  (stops for ever)"; break;
      case Fault::kLostAnswer: line += "  (done, the answer is lost)"; break;
      case Fault::kLate: line += "  (no answer, done later)"; break;
    }
    text += line + "\n";
  }
  for (std::string complaint : played.complaints) {
    for (std::size_t at = 0; at < complaint.size();) {
      const std::size_t end = std::min(complaint.find_first_of(" :,;", at), complaint.size());
      const std::string word = complaint.substr(at, end - at);
      if (parse_name(word)) complaint.replace(at, word.size(), letters.name(word));
      at = complaint.find_first_of(" :,;", at);
      if (at == std::string::npos) break;
      ++at;
    }
    text += "VIOLATION " + complaint + "\n";
  }
  return text;
}

}  // namespace drs::test
