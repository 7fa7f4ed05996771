// Actors that share a store and take turns: exactly one has the turn. An operation of another one waits; the actor with
// the turn runs freely, and before each of its operations a schedule decides who goes on, and what goes wrong. So a
// schedule decides alone in which order the operations of all actors reach the store.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace drs::test {

enum class Fault : std::uint8_t {
  kNone,
  kStop,        // the actor never reaches the store again
  kLostAnswer,  // the operation takes effect, but its caller learns nothing
  kLate,        // the same, and it takes effect later; a delete takes effect now and once more later
};

// An operation on the shared store: "put", "get", "list", "stat" or "remove".
struct Step {
  std::size_t actor = 0;
  std::string operation;
  std::string key;  // "list": the prefix
  Fault fault = Fault::kNone;

  [[nodiscard]] std::string kind() const { return key.substr(0, key.find('/') + 1); }  // "packs/"
  // Whether the order of the two matters.
  [[nodiscard]] bool conflicts_with(const Step& other) const;
};

struct Decision {
  std::optional<std::size_t> next = {};  // has the turn before this step is done; by default nothing changes
  Fault fault = Fault::kNone;
  std::chrono::nanoseconds passes{};  // of the store's time, before the step
};

class Schedule {
 public:
  virtual ~Schedule() = default;
  // Called once for each step, by the actor with the turn. `live`: the actors that have not ended, in order.
  virtual Decision decide(const Step& step, const std::vector<std::size_t>& live) = 0;
  // Who has the turn after an actor has ended or stopped. `live` is not empty.
  virtual std::size_t after_end(const std::vector<std::size_t>& live) { return live.front(); }
  // How many steps later a late operation takes effect. 0: when all actors have ended.
  virtual std::size_t delay() { return 0; }
};

// Threads: any.
class Turns {
 public:
  // `pass_time`: lets the store's time pass.
  using PassTime = std::function<void(std::chrono::nanoseconds)>;
  Turns(Schedule& schedule, std::size_t actors, std::size_t first, PassTime pass_time);

  // Waits for the turn, asks the schedule, and runs `effect` unless the actor is stopped. Returns what went wrong; with
  // kLate, `late` runs later.
  Fault take(Step step, const std::function<void()>& effect, const std::function<void()>& late);
  // The actor has ended.
  void end(std::size_t actor);
  // Runs what is late. To be called when all actors have ended.
  void run_late();

  // Whether a fault has hit the actor.
  [[nodiscard]] bool is_disturbed(std::size_t actor) const;
  // The steps in the order in which they were done.
  [[nodiscard]] const std::vector<Step>& trace() const { return trace_; }

 private:
  struct Late {
    std::size_t due = 0;  // length of the trace
    std::function<void()> effect;
  };
  void wait_for(std::unique_lock<std::mutex>& lock, std::size_t actor);
  void leave(std::size_t actor);
  void run_due();

  Schedule& schedule_;
  const PassTime pass_time_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::size_t> live_;
  std::vector<bool> stopped_;
  std::vector<bool> disturbed_;
  std::size_t holder_;
  bool busy_ = false;  // an operation is being done
  std::vector<Late> late_;
  std::vector<Step> trace_;
};

// Names for people: "pack A", "manifest B", in the order in which they appear.
class ObjectLetters {
 public:
  std::string name(const std::string& key);

 private:
  std::map<std::string, std::string> names_;
  std::map<std::string, int> counts_;
};

}  // namespace drs::test
