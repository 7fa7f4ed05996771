// Schedules: fixed ones, all of two actors with few preemptions, and random ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/engine/pipeline/keeping/schedule_scene.h"

namespace drs::test {

// Before the nth (from 1) operation of this name by this actor on objects of this kind ("packs/").
struct Point {
  std::size_t actor = 0;
  std::string operation;
  std::string kind;
  std::size_t nth = 1;
};
struct Event {
  Point at;
  Decision what;
};

// What is decided at these points, in this order: a point counts only once those before it have been reached.
class FixedSchedule final : public Schedule {
 public:
  explicit FixedSchedule(std::vector<Event> events) : events_(std::move(events)) {}
  Decision decide(const Step& step, const std::vector<std::size_t>& live) override;
  [[nodiscard]] bool all_reached() const { return next_ == events_.size(); }

 private:
  const std::vector<Event> events_;
  std::size_t next_ = 0;
  std::map<std::string, std::size_t> counts_;
};

// As FixedSchedule takes it.
std::string to_text(const std::vector<Event>& events, const std::vector<Actor>& actors);

struct Found {
  std::uint64_t plays = 0;
  std::string violation;  // a readable trace, and how it is repeated; empty if there is none
};

struct SearchOptions {
  std::size_t preemptions_max = 1;
  std::uint64_t part = 0, parts = 1;  // of the schedules
};
// All schedules of two actors up to the order of operations that commute. Ends with the first violation.
Found search_all(const Start& start, const std::vector<Actor>& actors, const SearchOptions& options);

// One random schedule, with stops, lost answers, late puts and deletes, and actors that sleep for days. The same number
// decides the same.
Found search_random(const Start& start, const std::vector<Actor>& actors, std::uint64_t number);

}  // namespace drs::test
