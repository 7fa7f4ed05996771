#include "tests/model/search.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <memory>

#include "tests/model/checks.h"

namespace drs::model {
namespace {

// Of the processor: what other processes do does not change how far a search comes.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// All states seen so far, in the order in which they were found, with the state from which each was found.
class StateTable {
 public:
  explicit StateTable(int words) : words_(static_cast<std::size_t>(words)), slots_(1u << 16) {}

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::uint32_t* at(std::uint64_t number) const {
    return &blocks_[number / kBlockStates][number % kBlockStates * (words_ + 1)];
  }
  [[nodiscard]] std::uint32_t parent(std::uint64_t number) const { return at(number)[words_]; }
  [[nodiscard]] std::uint64_t memory_bytes() const {
    return blocks_.size() * kBlockStates * (words_ + 1) * 4 + slots_.size() * 4;
  }
  // While the table of slots grows, the old one is still there.
  [[nodiscard]] std::uint64_t memory_bytes_next() const {
    const bool grows = (size_ + 1) * 4 > slots_.size() * 3;
    return memory_bytes() + (grows ? slots_.size() * 8 : 0);
  }

  // Returns whether the state is new.
  bool insert(const Key& key, std::uint32_t from) {
    if (size_ * 4 > slots_.size() * 3) grow();
    std::uint64_t slot = hash(key.data()) & (slots_.size() - 1);
    for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1))
      if (std::memcmp(at(slots_[slot] - 1), key.data(), words_ * 4) == 0) return false;
    if (size_ % kBlockStates == 0) blocks_.push_back(std::make_unique<std::uint32_t[]>(kBlockStates * (words_ + 1)));
    std::uint32_t* const place = &blocks_.back()[size_ % kBlockStates * (words_ + 1)];
    std::copy_n(key.data(), words_, place);
    place[words_] = from;
    slots_[slot] = static_cast<std::uint32_t>(++size_);
    return true;
  }

 private:
  static constexpr std::uint64_t kBlockStates = 1u << 16;

  [[nodiscard]] std::uint64_t hash(const std::uint32_t* key) const {
    std::uint64_t value = 0x9e3779b97f4a7c15ULL;
    for (std::size_t word = 0; word < words_; ++word) {
      value = (value ^ key[word]) * 0xff51afd7ed558ccdULL;
      value ^= value >> 32;
    }
    return value;
  }
  void grow() {
    std::vector<std::uint32_t> larger(slots_.size() * 2);
    for (std::uint64_t number = 0; number < size_; ++number) {
      std::uint64_t slot = hash(at(number)) & (larger.size() - 1);
      while (larger[slot] != 0) slot = (slot + 1) & (larger.size() - 1);
      larger[slot] = static_cast<std::uint32_t>(number + 1);
    }
    slots_ = std::move(larger);
  }

  const std::size_t words_;
  std::uint64_t size_ = 0;
  std::vector<std::unique_ptr<std::uint32_t[]>> blocks_;
  std::vector<std::uint32_t> slots_;
};

class Search {
 public:
  Search(const Model& model, const Limits& limits)
      : model_(model), limits_(limits), packing_(model.scenario), table_(packing_.words()) {}

  Outcome run() {
    const double start = processor_seconds();
    table_.insert(key_of(initial(model_.scenario)), 0);
    Outcome outcome;
    outcome.complete = true;
    for (std::uint64_t number = 0; number < table_.size(); ++number) {
      if (is_over(number, processor_seconds() - start)) {
        outcome.complete = false;
        break;
      }
      if (expand(number)) break;
    }
    outcome.states = table_.size();
    outcome.violation = violation_;
    if (violation_ != nullptr) outcome.trace = trace();
    outcome.seconds = processor_seconds() - start;
    return outcome;
  }

 private:
  [[nodiscard]] bool is_over(std::uint64_t number, double seconds) const {
    if (table_.size() >= limits_.states || table_.memory_bytes_next() > limits_.memory_bytes) return true;
    return number % 1024 == 0 && seconds > limits_.seconds;
  }

  [[nodiscard]] Key key_of(State state) const {
    canonicalize(model_, state);
    return packing_.pack(state);
  }

  // Returns whether there is a violation.
  bool expand(std::uint64_t number) {
    const State state = packing_.unpack(table_.at(number));
    const bool idle = state.pruners[0].step == 0 && state.pruners[1].step == 0;
    if (idle && state.pruners[0].runs == 0 && state.pruners[1].runs == 0) {
      violation_ = never_finishes(model_, state);
      last_ = number;
      if (violation_ != nullptr) return true;
    }
    steps_.clear();
    all_steps(model_, state, 0, steps_);
    for (const Step& step : steps_.all()) {
      if (!table_.insert(key_of(step.next), static_cast<std::uint32_t>(number))) continue;
      violation_ = model::violation(model_, step.next);
      last_ = table_.size() - 1;
      if (violation_ != nullptr) return true;
    }
    return false;
  }

  std::vector<std::string> trace() {
    std::vector<std::uint64_t> path;
    for (std::uint64_t number = last_; number != 0; number = table_.parent(number)) path.push_back(number);
    std::reverse(path.begin(), path.end());
    std::vector<std::string> lines;
    std::uint64_t from = 0;
    for (const std::uint64_t to : path) {
      steps_.clear();
      all_steps(model_, packing_.unpack(table_.at(from)), 0, steps_);
      for (const Step& step : steps_.all()) {
        const Key key = key_of(step.next);
        if (std::memcmp(key.data(), table_.at(to), static_cast<std::size_t>(packing_.words()) * 4) != 0) continue;
        lines.push_back(step.label.text_of());
        break;
      }
      from = to;
    }
    return lines;
  }

  const Model& model_;
  const Limits& limits_;
  const Packing packing_;
  StateTable table_;
  Steps steps_;
  const char* violation_ = nullptr;
  std::uint64_t last_ = 0;
};

}  // namespace

Outcome search(const Model& model, const Limits& limits) {
  return Search(model, limits).run();
}

WalkOutcome walk(const Model& model, const WalkLimits& limits) {
  constexpr int kStepsMax = 200;
  const double start = processor_seconds();
  WalkOutcome outcome;
  std::uint64_t random = limits.seed * 0x9e3779b97f4a7c15ULL | 1;
  const auto next_random = [&] {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
  };
  Steps steps;
  for (; outcome.walks < limits.walks; ++outcome.walks) {
    if (outcome.walks % 256 == 0 && processor_seconds() - start > limits.seconds) break;
    State state = initial(model.scenario);
    outcome.trace.clear();
    unsigned asleep = 0;
    for (int count = 0; count < kStepsMax; ++count) {
      if (next_random() % 6 == 0) asleep = static_cast<unsigned>(next_random() & next_random());
      steps.clear();
      all_steps(model, state, asleep, steps);
      if (steps.all().empty() && asleep == 0) break;
      if (steps.all().empty()) {
        asleep = 0;
        continue;
      }
      const Step& step = steps.all()[next_random() % steps.all().size()];
      outcome.trace.push_back(step.label.text_of());
      state = State(step.next);
      ++outcome.steps;
      outcome.violation = violation(model, state);
      if (outcome.violation != nullptr) return outcome;
    }
  }
  return outcome;
}

}  // namespace drs::model
