// The real commands as actors of a schedule, over one repository in memory, and what must hold after it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/pipeline/keeping/prune.h"
#include "engine/pipeline/push/spooled_push.h"
#include "engine/repository/repair_index.h"
#include "engine/repository/repository.h"
#include "io/base/clock.h"
#include "sinks/memory_store.h"
#include "tests/engine/pipeline/keeping/schedule_turns.h"

namespace drs::test {

using SharedBytes = std::shared_ptr<const Bytes>;

// A clock that is set. Threads: any.
class PlayClock final : public Clock {
 public:
  explicit PlayClock(std::int64_t now_ns) : now_ns_(now_ns) {}
  [[nodiscard]] std::int64_t wall_ns() const override { return now_ns_; }
  // Stands still, so that no heartbeat is due.
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return {}; }
  void advance(std::chrono::nanoseconds duration) { now_ns_ += duration.count(); }

 private:
  std::atomic<std::int64_t> now_ns_;
};

// A clock that differs from the store's.
class ClockBeside final : public Clock {
 public:
  ClockBeside(const Clock& clock, std::chrono::nanoseconds off) : clock_(clock), off_(off) {}
  [[nodiscard]] std::int64_t wall_ns() const override { return clock_.wall_ns() + off_.count(); }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override { return {}; }

 private:
  const Clock& clock_;
  const std::chrono::nanoseconds off_;
};

struct StoredStream {
  std::string name;  // of its manifest
  Manifest manifest;
  SharedBytes stream;
};

// A push whose process died when its manifest was recorded: what it has not uploaded.
struct SpooledStream {
  StoredStream snapshot;
  Bytes record;
  std::vector<std::pair<std::string, SharedBytes>> held_back;
};

// A repository as the actors find it. Built once, by real commands; every play begins with a copy.
class Start {
 public:
  Start();
  StoredStream push(const std::string& stream, SharedBytes bytes);
  // As `push`, but its session stays and its manifest and its own objects are held back.
  SpooledStream spool(const std::string& stream, SharedBytes bytes);
  void remove(const StoredStream& snapshot);
  // The table of the largest pack rots, and a mark names it; what the index locates there still decodes.
  void rot_table();
  void forget_sessions();  // as if their processes had ended well
  void prune(const PruneOptions& options);
  // Another repository with the same objects.
  [[nodiscard]] std::unique_ptr<Start> replica() const;
  void pass(std::chrono::nanoseconds time) { clock_.advance(time); }

  [[nodiscard]] const MemoryObjects& objects() const { return *objects_; }
  [[nodiscard]] std::int64_t now_ns() const { return clock_.wall_ns(); }
  [[nodiscard]] const std::vector<StoredStream>& live() const { return live_; }
  [[nodiscard]] const Repository& repository() const { return *repository_; }

 private:
  PlayClock clock_;
  std::shared_ptr<MemoryObjects> objects_ = std::make_shared<MemoryObjects>();
  std::unique_ptr<Repository> repository_;
  std::vector<StoredStream> live_;
};

std::shared_ptr<MemoryObjects> copy_of(const MemoryObjects& objects);
std::unique_ptr<Repository> open_repository_of(std::shared_ptr<MemoryObjects> objects, const Clock& clock);

class Scene;

// What an actor's function gets.
struct Part {
  Scene& scene;
  Repository& repository;
  std::string name;
  std::function<bool()> is_disturbed;  // whether a fault has hit this actor
  // What ends without success, although nothing went wrong for this actor, unless `allowed`.
  void expect(const Error& error, std::initializer_list<ErrorCode> allowed) const;
};

struct Actor {
  std::string name;
  std::function<void(Part&)> act;
  std::chrono::nanoseconds clock_off{};
};
Actor pushes(std::string stream, SharedBytes bytes);
Actor resumes(const SpooledStream& spooled);
// Copies the live snapshots of a repository with the same keys.
Actor copies(std::shared_ptr<const MemoryObjects> source);
Actor forgets(StoredStream snapshot);
Actor unforgets(StoredStream removed);
Actor holds(StoredStream snapshot);
// Runs `times` times, and as often more as a fault ended a run.
Actor prunes(PruneOptions options, int times, std::string name = "prune");
Actor repairs_index(RepairIndexOptions options);
// Without another repository.
Actor repairs_packs(std::string name = "repair packs");
// Restores every live snapshot, and checks the structure of all.
Actor reads();

// No least age, grace or undo time.
PruneOptions prune_at_once();

// One play. Threads: any, unless stated otherwise.
class Scene {
 public:
  explicit Scene(const Start& start);
  void committed(StoredStream snapshot);
  void will_be_removed(const std::string& manifest);
  void held(const std::string& manifest);  // a hold of it has succeeded
  [[nodiscard]] bool is_removed(const std::string& manifest) const;
  void complain(const std::string& what);
  // What is wrong; empty if nothing is.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

  [[nodiscard]] MemoryObjects& objects() { return *objects_; }
  [[nodiscard]] const std::shared_ptr<MemoryObjects>& shared_objects() const { return objects_; }
  [[nodiscard]] PlayClock& clock() { return clock_; }

  // Every live and every held manifest restores, and every snapshot whose writer reported success is live. Only while
  // no actor runs, or by the one with the turn.
  void check_snapshots(const std::string& when);
  // After all actors: more prunes leave all snapshots whole and nothing unreferenced.
  void check_end();

 private:
  void check_restores(Repository& repository, const std::string& manifest, const std::string& when);

  PlayClock clock_;
  std::shared_ptr<MemoryObjects> objects_;
  mutable std::mutex mutex_;
  std::vector<StoredStream> committed_;
  std::set<std::string> removed_;
  std::set<std::string> held_;
  std::vector<std::string> complaints_;
};

// Plays the actors over a copy of `start`.
struct Played {
  std::vector<Step> trace;
  std::vector<std::string> complaints;
};
Played play(const Start& start, const std::vector<Actor>& actors, Schedule& schedule, std::size_t first = 0);
// One line a step, and the complaints.
std::string to_text(const Played& played, const std::vector<Actor>& actors);

}  // namespace drs::test
