#include "tests/engine/pipeline/keeping/schedule_search.h"

#include <algorithm>
#include <utility>

namespace drs::test {
namespace {

std::string count_key(const Step& step) {
  return std::to_string(step.actor) + " " + step.operation + " " + step.kind();
}

const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::kNone: return "";
    case Fault::kStop: return ", stops for ever";
    case Fault::kLostAnswer: return ", its answer is lost";
    case Fault::kLate: return ", no answer, done later";
  }
  return "";
}

class Search {
 public:
  Search(const Start& start, const std::vector<Actor>& actors, const SearchOptions& options)
      : start_(start), actors_(actors), options_(options) {}

  Found run() {
    for (std::size_t first = 0; first < actors_.size() && found_.violation.empty(); ++first) explore(first, {});
    return std::move(found_);
  }

 private:
  void explore(std::size_t first, const std::vector<Event>& events) {
    FixedSchedule schedule(events);
    const Played played = play(start_, actors_, schedule, first);
    ++found_.plays;
    if (!played.complaints.empty()) {
      found_.violation = actors_[first].name + " begins\n" + to_text(events, actors_) + to_text(played, actors_);
      return;
    }
    if (events.size() == options_.preemptions_max || !schedule.all_reached()) return;
    const std::size_t begin = place_after(played.trace, events);
    std::map<std::string, std::size_t> counts;
    for (std::size_t i = 0; i < played.trace.size() && found_.violation.empty(); ++i) {
      const Step& step = played.trace[i];
      const std::size_t nth = ++counts[count_key(step)];
      if (i <= begin || !is_worth_it(played.trace, i)) continue;
      if (events.empty() && number_++ % options_.parts != options_.part) continue;
      std::vector<Event> more = events;
      more.push_back({{step.actor, step.operation, step.kind(), nth}, {.next = 1 - step.actor}});
      explore(first, more);
    }
  }

  // The place of the first step after the last event.
  static std::size_t place_after(const std::vector<Step>& trace, const std::vector<Event>& events) {
    if (events.empty()) return 0;
    const Point& at = events.back().at;
    std::size_t place = 0, count = 0;
    for (std::size_t i = 0; i < trace.size(); ++i) {
      const Step& step = trace[i];
      if (step.actor != at.actor) continue;
      if (step.operation == at.operation && step.kind() == at.kind && ++count == at.nth) return place;
      place = i + 1;
    }
    return trace.size();
  }

  // Whether the step and one of the other actor do not commute, and the other one has not ended.
  static bool is_worth_it(const std::vector<Step>& trace, std::size_t place) {
    const Step& step = trace[place];
    const auto is_other = [&](const Step& other) { return other.actor != step.actor; };
    if (std::none_of(trace.begin() + static_cast<std::ptrdiff_t>(place), trace.end(), is_other)) return false;
    return std::ranges::any_of(trace, [&](const Step& other) { return is_other(other) && step.conflicts_with(other); });
  }

  const Start& start_;
  const std::vector<Actor>& actors_;
  const SearchOptions options_;
  std::uint64_t number_ = 0;  // of the first preemptions
  Found found_;
};

class RandomSchedule final : public Schedule {
 public:
  explicit RandomSchedule(std::uint64_t number) : random_(number) {
    switch_share_ = 1U << (random_() % 7);  // one in 1 to 64 steps
    fault_share_ = random_() % 2 == 0 ? 0 : 20U << (random_() % 5);
  }

  Decision decide(const Step& step, const std::vector<std::size_t>& live) override {
    Decision decision;
    if (one_in(switch_share_)) decision.next = live[random_() % live.size()];
    if (one_in(200)) decision.passes = std::chrono::hours(random_() % 100);
    if (fault_share_ == 0 || !one_in(fault_share_)) return decision;
    const bool changes = step.operation == "put" || step.operation == "remove";
    if (changes && one_in(2))
      decision.fault = one_in(2) ? Fault::kLostAnswer : Fault::kLate;
    else if (one_in(4))
      decision.fault = Fault::kStop;
    return decision;
  }
  std::size_t after_end(const std::vector<std::size_t>& live) override { return live[random_() % live.size()]; }
  std::size_t delay() override { return one_in(4) ? 0 : 1 + random_() % 100; }

 private:
  bool one_in(std::uint64_t share) { return random_() % share == 0; }
  std::mt19937_64 random_;
  std::uint64_t switch_share_ = 1;
  std::uint64_t fault_share_ = 0;  // 0: none
};

}  // namespace

Decision FixedSchedule::decide(const Step& step, const std::vector<std::size_t>& /*live*/) {
  const std::size_t count = ++counts_[count_key(step)];
  if (next_ == events_.size()) return {};
  const Point& at = events_[next_].at;
  if (at.actor != step.actor || at.operation != step.operation || at.kind != step.kind() || count < at.nth) return {};
  return events_[next_++].what;
}

std::string to_text(const std::vector<Event>& events, const std::vector<Actor>& actors) {
  std::string text;
  for (const Event& event : events) {
    text += "before operation " + std::to_string(event.at.nth) + " \"" + event.at.operation + "\" \"" + event.at.kind +
            "\" of " + actors[event.at.actor].name;
    if (event.what.next) text += ": " + actors[*event.what.next].name + " goes on";
    text += fault_name(event.what.fault);
    text += "\n";
  }
  return text;
}

Found search_all(const Start& start, const std::vector<Actor>& actors, const SearchOptions& options) {
  return Search(start, actors, options).run();
}

Found search_random(const Start& start, const std::vector<Actor>& actors, std::uint64_t number) {
  RandomSchedule schedule(number);
  const Played played = play(start, actors, schedule, number % actors.size());
  if (played.complaints.empty()) return {1, ""};
  return {1, "DRSTREAM_TEST_SCHEDULE=" + std::to_string(number) + "\n" + to_text(played, actors)};
}

}  // namespace drs::test
